// Whether a managed environment can be used, asked of its cluster; and what is made there for it, and removed.
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { environmentMessages } from '../api/messages.ts';
import { userFault } from '../api/reasons.ts';
import { serverOf, type RemoteAccess } from '../domain/environment-kubeconfig.ts';
import type { EnvironmentWish } from '../domain/environment-wish.ts';
import { namespaces } from '../kube/object.ts';
import { ApiError } from '../kube/status-error.ts';
import { sleep } from '../lib/clock.ts';
import { isFault } from '../lib/fault.ts';
import { isUnknownAuthority } from '../lib/go-connect-cause.ts';
import { isCallFailure, remoteCause } from './remote-cause.ts';
import { inTime, withRemote, type Remote, type RemoteContext } from './remote-client.ts';
import {
  installServiceAccount,
  issueToken,
  revokeTokens,
  secretNameIn,
  serviceAccountName,
  removeWhatIsUnused,
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
export const checkEnvironment = (
  context: RemoteContext,
  wish: EnvironmentWish,
  of: EnvironmentCheck,
): Promise<CheckedEnvironment> =>
  inTime(context, { signal: of.signal, what: 'the check of an environment' }, async (signal) => {
    const { token } = wish.access;
    if (wish.newServiceAccount) return checkedAccount(context, wish, { ...of, signal });
    if (token === undefined) throw new TypeError('a wish without a token'); // readEnvironment makes none
    await verified(context, { wish, token, signal });
    return { token, expiresAtMs: undefined, serviceAccount: undefined };
  });

const checkedAccount = async (
  context: RemoteContext,
  wish: EnvironmentWish,
  of: EnvironmentCheck,
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
    const { token, secretName, expiresAtMs } = await orTakenBack(remote, of, async () => {
      await installServiceAccount(remote, uid);
      const made = await issueToken(remote, uid);
      await verified(context, { wish, token: made.token, signal, fresh: true });
      return made;
    });
    // One that was refused is nobody's any more.
    const used = issued && !works ? undefined : (issued?.token ?? of.inUse);
    const kept = used === undefined ? [] : [secretNameIn(used)];
    if (!kept.includes(undefined)) await tidy(remote, uid, [secretName, ...kept.filter((name) => name !== undefined)]);
    return { token, expiresAtMs, serviceAccount: serviceAccountName(uid) };
  });
};

/** What can't be used is not left on the cluster. */
const orTakenBack = async <T>(
  remote: Remote,
  { uid, issued, inUse }: EnvironmentCheck,
  make: () => Promise<T>,
): Promise<T> => {
  try {
    return await make();
  } catch (error) {
    await takeBack(remote, uid, issued?.token ?? inUse);
    throw error;
  }
};

/** Why the credentials don't work is what counts, not what could not be removed then. */
const takeBack = async (remote: Remote, uid: string, inUse: string | undefined): Promise<void> => {
  try {
    await removeWhatIsUnused(remote, { uid, serviceAccount: serviceAccountName(uid), inUse });
  } catch (error) {
    if (!isCallFailure(error)) throw error;
    remote.log.warn('what was made for an environment that does not work could not be removed', {
      uid,
      reason: reasonOf(error),
    });
  }
};

/** Without the words of the cluster, which may be anything. */
const reasonOf = (error: unknown): string => (error instanceof ApiError ? String(error.code) : remoteCause(error));

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

/** What was made on a cluster, and how it is reached with what Argo CD used. */
export interface MadeServiceAccount {
  readonly host: string;
  readonly token: string;
  readonly insecure: boolean;
  readonly serviceAccount: string;
  /** Of the environment's object that it was made for. */
  readonly uid: string;
  /** The account's token that Argo CD uses for another URL, which may lead to the same cluster. */
  readonly inUse?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Removes the ServiceAccount, its role, binding and tokens, or only tokens where one of them is in use. What is gone already is fine.
 * @throws Fault('user') when something is, or may be, left, or the signal's reason.
 */
export const removeServiceAccount = (context: RemoteContext, made: MadeServiceAccount): Promise<void> =>
  inTime(context, { signal: made.signal, what: 'the removal of a ServiceAccount' }, (signal) =>
    withRemote(context, { access: argoAccess(made, made.token), signal }, (remote) =>
      removeWhatIsUnused(remote, { ...made, inUse: made.inUse }),
    ),
  );
