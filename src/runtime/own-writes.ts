// Which versions of an object a cache may still have that lags behind our own writes.
import type { Clock } from '../lib/clock.ts';

type Version = string | undefined;

/** The last write to an object. A version is a `resourceVersion`, undefined where there is no object. */
export interface OwnWrite {
  /** The versions that a cache which lags may still have: where the writes began, and what lay between them. */
  readonly behind: ReadonlySet<Version>;
  readonly to: Version;
}

/**
 * Our own writes of the last minute, by any key that names an object.
 *
 * *Caveat*: writes to an object that nobody calls `forget` for are taken for one: call it when the cache has come past them.
 */
export interface OwnWrites {
  last(key: string): OwnWrite | undefined;
  /** An object was written on condition of its version `from`, and has the version `to` now. */
  add(key: string, change: { readonly from: Version; readonly to: Version }): void;
  forget(key: string): void;
}

/** Longer than a watch that lives ever lags. After that a version may come again, of a restored etcd. */
const KEPT_MS = 60_000;

/** Creates an empty memory. */
export const createOwnWrites = (clock: Clock): OwnWrites => {
  const writes = new Map<string, OwnWrite & { readonly untilMs: number }>(); // the oldest first
  const last = (key: string): OwnWrite | undefined => {
    for (const [old, { untilMs }] of writes) {
      if (untilMs > clock.monotonicMs()) break;
      writes.delete(old);
    }
    return writes.get(key);
  };
  return {
    last,
    add(key, { from, to }) {
      const before = last(key);
      writes.delete(key);
      // The cache had not come past an earlier write when this one began: it may still be where it was then.
      const behind = new Set([...(before ? [...before.behind, before.to] : []), from]);
      writes.set(key, { behind, to, untilMs: clock.monotonicMs() + KEPT_MS });
    },
    forget: (key) => void writes.delete(key),
  };
};
