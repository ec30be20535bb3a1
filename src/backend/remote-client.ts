// A client for another cluster, which a tenant has named: small answers, one attempt a call, allowed addresses only.
import type { RemoteAccess } from '../domain/environment-kubeconfig.ts';
import type { CallOptions, KubeClient } from '../kube/client.ts';
import { createKubeClient } from '../kube/http-client.ts';
import { withDeadline } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { Fault, isFault } from '../lib/fault.ts';
import type { Gate } from '../lib/gate.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Random } from '../lib/random.ts';
import type { AddressGuard } from './address-guard.ts';

/** What reaching other clusters takes. */
export interface RemoteContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly gate: Gate;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly addresses: AddressGuard;
  /** How long all calls together may take. */
  readonly deadlineMs: number;
}

/** A cluster that is being called. */
export interface Remote {
  readonly client: KubeClient;
  /** To be given with each call. */
  readonly call: CallOptions & { readonly signal: AbortSignal };
  readonly clock: Clock;
  readonly log: Logger;
}

/** More than a page of Secrets for tokens, and less than would hold up others while it is parsed. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** Calls the cluster; its connections are closed afterwards. */
export const withRemote = async <T>(
  context: RemoteContext,
  { access, signal }: { readonly access: RemoteAccess; readonly signal: AbortSignal },
  run: (remote: Remote) => Promise<T>,
): Promise<T> => {
  const { clock, random, gate, log, metrics, addresses, deadlineMs } = context;
  const base = { clock, random, gate, log, metrics };
  const client = createKubeClient({ ...base, access, maxBodyBytes: MAX_BODY_BYTES, dialling: addresses });
  try {
    return await run({ client, call: { signal, deadlineMs, retry: false }, clock, log });
  } catch (error) {
    throw withoutSecrets(error, access);
  } finally {
    client.close();
  }
};

/** The longest message that is passed on, in characters. */
const MAX_MESSAGE = 2000;

/** A server may say anything, also what we have just told it, and as much as it likes. */
const withoutSecrets = (error: unknown, { token, basic, clientKey }: RemoteAccess): unknown => {
  if (!isFault(error, 'user')) return error;
  const encoded = basic && Buffer.from(`${basic.username}:${basic.password}`).toString('base64');
  const secrets = [token, basic?.password, encoded, clientKey].filter(
    (secret) => secret !== undefined && secret !== '',
  );
  const message = secrets.reduce<string>((text, secret) => text.replaceAll(secret ?? '', '***'), error.message);
  if (message === error.message && message.length <= MAX_MESSAGE) return error;
  return new Fault(error.kind, error.reason, message.slice(0, MAX_MESSAGE));
};

/** Runs calls under the deadline. @throws the signal's reason when it aborts, else what `run` throws. */
export const inTime = async <T>(
  { clock, deadlineMs }: RemoteContext,
  { signal, what }: { readonly signal: AbortSignal; readonly what: string },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  try {
    return await withDeadline({ clock, deadlineMs, what, signal }, run);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
};
