// How much each of many things may still do: a token bucket a key.
import type { Clock } from '../lib/clock.ts';

/** The buckets. */
export interface Allowance {
  /** Takes one from the key's bucket; false when it is empty. */
  take(key: string): boolean;
}

/**
 * Creates full buckets of `burst`, each refilled by one every `refillMs`. At most `maxKeys` are remembered; the one not
 * used for longest is forgotten first, and so is full again.
 */
export const createAllowance = (options: {
  readonly clock: Clock;
  readonly burst: number;
  readonly refillMs: number;
  readonly maxKeys: number;
}): Allowance => {
  const { clock, burst, refillMs, maxKeys } = options;
  const buckets = new Map<string, { left: number; atMs: number }>();
  return {
    take(key) {
      const nowMs = clock.monotonicMs();
      const { left, atMs } = buckets.get(key) ?? { left: burst, atMs: nowMs };
      const present = Math.min(left + (nowMs - atMs) / refillMs, burst);
      const allowed = present >= 1;
      buckets.delete(key); // and in again at the end, so that the first is the one not used for longest
      buckets.set(key, { left: allowed ? present - 1 : present, atMs: nowMs });
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value ?? '');
      return allowed;
    },
  };
};
