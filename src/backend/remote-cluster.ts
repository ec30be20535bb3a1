// Whether a managed environment can be used, asked of its cluster; and what is made there for it, and removed.
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { environmentMessages } from '../api/messages.ts';
import { userFault } from '../api/reasons.ts';
import { serverOf, type RemoteAccess } from '../domain/environment-kubeconfig.ts';
import type { EnvironmentWish } from '../domain/environment-wish.ts';
import { namespaces } from '../kube/object.ts';
import { ApiError, isUnauthorized } from '../kube/status-error.ts';
import { sleep } from '../lib/clock.ts';
import { isFault } from '../lib/fault.ts';
import { errorChain, isUnknownAuthority } from '../lib/go-connect-cause.ts';
import { isCallFailure, remoteCause } from './remote-cause.ts';
import { inTime, withRemote, type Remote, type RemoteContext } from './remote-client.ts';
import {
  installServiceAccount,
  issueToken,
  removeAccount,
  revokeTokens,
  secretNameIn,
  serviceAccountName,
  takeBackAccount,
  type MadeAccount,
} from './remote-service-account.ts';

/** What Argo CD is to use. */
export interface CheckedEnvironment {
  readonly token: string;
  /** When the token ends, in milliseconds since the epoch; undefined where nothing says so. */
  readonly expiresAtMs: number | undefined;
  /** The ServiceAccount that was made on the cluster; undefined when none was asked for. */
  readonly serviceAccount: string | undefined;
}

/** What is asked about an environment. */
export interface EnvironmentCheck {
  /** Of the environment's object. */
  readonly uid: string;
  readonly signal: AbortSignal;
  /**
   * The token that was issued before, for the same wish. While it works and does not end soon it stays, and the kubeconfig
   * is not used; else it is renewed, by its own rights if it still has them.
   */
  readonly issued?: { readonly token: string; readonly expiresAtMs: number | undefined };
  /** The token that Argo CD has at present, whatever it was issued for, and by whichever cluster. */
  readonly inUse?: string;
}

/** A token that ends within this time is renewed: three checks may fail before anybody notices. */
const RENEW_BEFORE_MS = 45 * 60_000;

/**
 * Checks that the cluster can be reached with exactly what Argo CD will use: the URL, a token, the insecure flag, and no
 * authority of the kubeconfig. Where a ServiceAccount is wanted, it is made first.
 *
 * Tokens that were issued before are revoked once a newer one works, but for the one that Argo CD still uses. The check after
 * it, which names the new one, revokes that one too.
 * @throws Fault('user') with the reason and text of the condition, or the signal's reason.
 */
export const checkEnvironment = async (
  context: RemoteContext,
  wish: EnvironmentWish,
  of: EnvironmentCheck,
): Promise<CheckedEnvironment> => {
  const making: Making = { access: undefined };
  try {
    return await inTime(context, { signal: of.signal, what: 'the check of an environment' }, async (signal) => {
      const { token } = wish.access;
      if (wish.newServiceAccount) return checkedAccount(context, wish, { ...of, signal, making });
      if (token === undefined) throw new TypeError('a wish without a token'); // readEnvironment makes none
      await verified(context, { wish, token, signal });
      return { token, expiresAtMs: undefined, serviceAccount: undefined };
    });
  } catch (error) {
    if (making.access && !of.signal.aborted) await takeBack(context, of, making.access);
    throw error;
  }
};

/** What is being made on a cluster and is not known to be of use yet. */
interface Making {
  access: RemoteAccess | undefined;
}

const checkedAccount = async (
  context: RemoteContext,
  wish: EnvironmentWish,
  { making, ...of }: EnvironmentCheck & { readonly making: Making },
): Promise<CheckedEnvironment> => {
  const { issued, uid, signal } = of;
  const works = issued !== undefined && (await isWorking(context, { wish, token: issued.token, signal }));
  const own = issued && argoAccess(wish, issued.token);
  if (works && own && !endsSoon(context, issued.expiresAtMs)) {
    const name = secretNameIn(issued.token);
    if (name !== undefined) await withRemote(context, { access: own, signal }, (remote) => tidy(remote, uid, [name]));
    return { ...issued, serviceAccount: serviceAccountName(uid) };
  }
  const access = works && own ? own : installAccess(wish);
  return withRemote(context, { access, signal }, async (remote) => {
    await installServiceAccount(remote, uid, () => (making.access = access));
    const { token, secretName, expiresAtMs } = await issueToken(remote, uid);
    await verified(context, { wish, token, signal, fresh: true });
    making.access = undefined;
    // One that was refused is nobody's any more.
    const used = issued && !works ? undefined : (issued?.token ?? of.inUse);
    const kept = used === undefined ? [] : [secretNameIn(used)];
    if (!kept.includes(undefined)) await tidy(remote, uid, [secretName, ...kept.filter((name) => name !== undefined)]);
    return { token, expiresAtMs, serviceAccount: serviceAccountName(uid) };
  });
};

/** The check itself may have used up all of its time. */
const TAKE_BACK_MS = 5_000;

/** Removes what turned out to be of no use. Why it is so is what counts, not what could not be removed then. */
const takeBack = async (
  context: RemoteContext,
  { uid, issued, inUse, signal: outer }: EnvironmentCheck,
  access: RemoteAccess,
): Promise<void> => {
  const made = { uid, serviceAccount: serviceAccountName(uid), inUse: issued?.token ?? inUse };
  const soon = { ...context, deadlineMs: Math.min(context.deadlineMs, TAKE_BACK_MS) };
  try {
    await inTime(soon, { signal: outer, what: 'the removal of what was made' }, (signal) =>
      withRemote(soon, { access, signal }, (remote) => takeBackAccount(remote, made)),
    );
  } catch (error) {
    if (!isCallFailure(error)) throw error;
    context.log.warn('what was made for an environment that does not work could not be removed', {
      uid,
      reason: reasonOf(error),
    });
  }
};

/** Without the words of the cluster, which may be anything. */
const reasonOf = (error: unknown): string => {
  if (isFault(error, 'user')) return error.reason;
  return error instanceof ApiError ? String(error.code) : remoteCause(error);
};

const endsSoon = ({ clock }: RemoteContext, expiresAtMs: number | undefined): boolean =>
  expiresAtMs !== undefined && expiresAtMs - clock.now() < RENEW_BEFORE_MS;

/** A token that is left over does no harm that would justify a failed check. */
const tidy = async (remote: Remote, uid: string, keep: readonly string[]): Promise<void> => {
  try {
    await revokeTokens(remote, { uid, keep });
  } catch (error) {
    if (!isCallFailure(error)) throw error;
    remote.log.warn('old tokens of an environment could not be revoked', { uid, reason: reasonOf(error) });
  }
};

/** How Argo CD reaches the cluster. */
const argoAccess = ({ host, insecure }: Pick<EnvironmentWish, 'host' | 'insecure'>, token: string): RemoteAccess => ({
  server: serverOf(host),
  token,
  ...(insecure ? { insecureSkipTlsVerify: true } : {}),
});

/** How the kubeconfig reaches it. @throws Fault('user', 'UnableToCreateClient') */
const installAccess = ({ access, insecure }: EnvironmentWish): RemoteAccess => {
  const { ca, ...rest } = access;
  if (!insecure && ca !== undefined && access.insecureSkipTlsVerify) {
    throw noClient('specifying a root certificates file with the insecure flag is not allowed');
  }
  if (ca !== undefined && !insecure) {
    check(() => new X509Certificate(ca), 'unable to load root certificates: unable to parse bytes as PEM block');
  }
  const { clientCertificate: cert, clientKey: key } = access;
  if (cert !== undefined && key !== undefined) {
    check(
      () => createSecureContext({ cert, key }),
      'tls: the client certificate and key can not be read, or do not belong together',
    );
  }
  return insecure ? { ...rest, insecureSkipTlsVerify: true } : access;
};

const noClient = (cause: string) => userFault('UnableToCreateClient', environmentMessages.noClient(cause));

const check = (parse: () => unknown, cause: string): void => {
  try {
    parse();
  } catch {
    throw noClient(cause); // OpenSSL's own words may quote the key
  }
};

interface Verification {
  readonly wish: Pick<EnvironmentWish, 'host' | 'insecure' | 'namespaces'>;
  readonly token: string;
  readonly signal: AbortSignal;
  /** Just issued: the cluster may need a moment to know it and its rights. */
  readonly fresh?: boolean;
}

const FRESH_TRIES = 5;
const FRESH_PAUSE_MS = 1000;

/** Reads the first of the namespaces, or lists them. */
const ask = (context: RemoteContext, { wish, token, signal, fresh = false }: Verification): Promise<void> =>
  withRemote(context, { access: argoAccess(wish, token), signal }, async ({ client, call, clock }) => {
    const [name = ''] = wish.namespaces.split(',');
    for (let attempt = 1; ; attempt += 1) {
      try {
        await (name === '' ? client.list(namespaces, { ...call, limit: 1 }) : client.get(namespaces, { name }, call));
        return;
      } catch (error) {
        if (!fresh || attempt === FRESH_TRIES || !isDenial(error)) throw error;
      }
      await sleep(clock, FRESH_PAUSE_MS, signal);
    }
  });

const isDenial = (error: unknown): boolean => error instanceof ApiError && (error.code === 401 || error.code === 403);

/** @throws Fault('user') when the token can not be used. */
const verified = async (context: RemoteContext, verification: Verification): Promise<void> => {
  try {
    await ask(context, verification);
  } catch (error) {
    throw validationFault(error);
  }
};

/** False when the token is refused. @throws Fault('user') when nobody knows. */
const isWorking = async (context: RemoteContext, verification: Verification): Promise<boolean> => {
  try {
    await ask(context, verification);
    return true;
  } catch (error) {
    if (isDenial(error)) return false;
    throw validationFault(error);
  }
};

const validationFault = (error: unknown): unknown => {
  if (!isCallFailure(error) || isFault(error, 'user')) return error;
  const { notValidated, forbidden, unknownAuthority } = environmentMessages;
  const isForbidden = error instanceof ApiError && error.code === 403;
  const message = isForbidden ? forbidden : isUnknownAuthority(error) ? unknownAuthority : notValidated;
  return userFault('UnableToValidateClusterCredentials', message);
};

/** A ServiceAccount that was made, and how it is reached with what Argo CD used. */
export interface MadeServiceAccount extends MadeAccount {
  readonly host: string;
  readonly token: string;
  readonly insecure: boolean;
}

/** What became of a removal. `refused`: the cluster does not take the account's token; so it is, unless disturbed, once that is gone. */
export type Removal = 'done' | 'refused';

/**
 * Removes the ServiceAccount, its role, binding and tokens, or only old tokens where one is in use. What is gone is fine.
 * @throws Fault('user') when something is, or may be, left, or the signal's reason.
 */
export const removeServiceAccount = (
  context: RemoteContext,
  made: MadeServiceAccount,
  stop: AbortSignal,
): Promise<Removal> =>
  inTime(context, { signal: stop, what: 'the removal of a ServiceAccount' }, (signal) =>
    withRemote(context, { access: argoAccess(made, made.token), signal }, async (remote) => {
      try {
        await removeAccount(remote, made);
        return 'done';
      } catch (error) {
        if (errorChain(error).some(isUnauthorized)) return 'refused';
        throw error;
      }
    }),
  );
