// The `Authorization` header of one cluster, whose token may be rotated while we run.
import type { Clock } from '../lib/clock.ts';
import type { ClusterAccess } from './kubeconfig.ts';

/** A token file is read again after this long. The kubelet replaces it well before the old token ends. */
const REREAD_MS = 60_000;

/** Who we say we are. */
export interface Bearer {
  /** The header's value, or undefined where a client certificate (or nothing) stands for us. */
  header(): string | undefined;
  /** The server didn't accept the header: a token file is read again before the next call. */
  refused(): void;
}

/** Creates the header's source. A token file that can't be read for a moment leaves the last token in use. */
export const createBearer = (access: ClusterAccess, clock: Clock): Bearer => {
  let token = access.token;
  let readAtMs: number | undefined;
  const refresh = (read: () => string): void => {
    if (readAtMs !== undefined && clock.monotonicMs() - readAtMs < REREAD_MS) return;
    try {
      token = read();
      readAtMs = clock.monotonicMs();
    } catch (error) {
      if (token === undefined) throw error;
    }
  };
  return {
    header() {
      if (access.readToken) refresh(access.readToken);
      if (token !== undefined) return `Bearer ${token}`;
      if (!access.basic) return undefined;
      const { username, password } = access.basic;
      return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    },
    refused() {
      readAtMs = undefined;
    },
  };
};
