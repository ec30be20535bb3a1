// What is asked of clusters: do these credentials work, and a token of our own where one is wanted.
import type { EnvironmentQuestion } from '../../domain/environment-plan.ts';
import type { EnvironmentWish } from '../../domain/environment-wish.ts';
import type { Keyring } from '../../lib/envelope.ts';
import type { Check } from '../checks.ts';
import type { ClusterFound } from './context.ts';

/** A token that was made on a cluster, and when it ends; undefined for one that lasts. */
interface Issued {
  readonly token: string;
  readonly expiresAtMs: number | undefined;
}

/** Asks a cluster. @throws Fault('user') where it can't be used as it is wished. */
export type CheckCluster = (
  wish: EnvironmentWish,
  of: {
    /** Of the environment's object. */
    readonly uid: string;
    readonly signal: AbortSignal;
    /** The token that was made for the same wish before: it stays as long as it works and does not end soon. */
    readonly issued?: Issued;
    /** The token that Argo CD has at present, by whichever cluster it was made. */
    readonly inUse?: string;
  },
) => Promise<Issued & { readonly serviceAccount: string | undefined }>;

/**
 * Creates the check. It brings what was made on the cluster and is not in the rows yet. Where the rows can't be read, because
 * their key is missing, it ends before anything is made or revoked on the cluster.
 */
export const createClusterCheck =
  ({
    keyring,
    check,
  }: {
    readonly keyring: Keyring;
    readonly check: CheckCluster;
  }): Check<EnvironmentQuestion, ClusterFound> =>
  async ({ uid, wish: question }, signal) => {
    const { wish, issued: kept, sealedInUse, accountInUse, namespace, environmentId } = question;
    const present = keyring.open(sealedInUse ?? '');
    const inUse = accountInUse ? present : '';
    const issued = kept && { token: keyring.open(kept.sealedToken), expiresAtMs: kept.expiresAtMs };
    const { inputHash, host, insecure } = wish;
    const { token, expiresAtMs, serviceAccount } = await check(wish, {
      uid,
      signal,
      ...(issued && { issued }),
      ...(inUse !== '' && { inUse }),
    });
    if (serviceAccount === undefined || (token === issued?.token && !kept?.adopted)) return undefined;
    return { inputHash, host, insecure, token, expiresAtMs, serviceAccount, namespace, environmentId };
  };
