// Objects that are read from a cache and also written here: the cache lags behind our own writes.
import type { KubeObject } from '../kube/object.ts';
import type { Clock } from '../lib/clock.ts';
import type { StoreReader } from '../runtime/store.ts';

/** A cache that knows what has just been written. */
export interface WrittenReader<T extends KubeObject> {
  /** The object under `namespace/name`: as written here, as long as the cache still has what that write began from. */
  get(key: string): T | undefined;
  /** An object was written, on condition of `from` (undefined: it was made); `to` is undefined when it was deleted. */
  wrote(key: string, change: { readonly from: T | undefined; readonly to: T | undefined }): void;
}

/** Longer than a watch that lives ever lags. */
const KEPT_MS = 60_000;

interface Written<T> {
  /** What a cache that lags may still have: where the writes began, and what lay between them. */
  readonly behind: ReadonlySet<string | undefined>;
  readonly to: T | undefined;
  readonly untilMs: number;
}

/**
 * Creates the reader. Without it, a wish that is taken back at once would find the cache as it was before, and be taken
 * for done.
 */
export const createWrittenReader = <T extends KubeObject>(
  store: Pick<StoreReader<T>, 'get'>,
  clock: Clock,
): WrittenReader<T> => {
  const written = new Map<string, Written<T>>(); // the oldest first
  const forgetOld = (): void => {
    for (const [key, { untilMs }] of written) {
      if (untilMs > clock.monotonicMs()) return;
      written.delete(key);
    }
  };
  return {
    get(key) {
      forgetOld();
      const cached = store.get(key);
      const own = written.get(key);
      if (!own) return cached;
      if (own.behind.has(cached?.metadata.resourceVersion)) return own.to;
      written.delete(key);
      return cached;
    },
    wrote(key, { from, to }) {
      forgetOld();
      // A second write begins from the first, which the cache may not have seen either.
      const before = written.get(key);
      const chained = before !== undefined && before.to?.metadata.resourceVersion === from?.metadata.resourceVersion;
      written.delete(key);
      written.set(key, {
        behind: new Set([...(chained ? before.behind : []), from?.metadata.resourceVersion]),
        to,
        untilMs: clock.monotonicMs() + KEPT_MS,
      });
    },
  };
};
