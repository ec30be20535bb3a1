// Exponential backoff with jitter, as a pure function of the attempt.
import type { Random } from './random.ts';

/** The shape of a backoff. Times in milliseconds. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
  readonly factor: number;
}

/** The delay before the retry that follows the `attempt`-th failure (1, 2, …), with up to 10 % of jitter on top. */
export const backoffMs = (backoff: Backoff, attempt: number, random: Random): number => {
  const exponent = Math.min(Math.max(attempt, 1) - 1, 64);
  const plain = Math.min(backoff.minMs * backoff.factor ** exponent, backoff.maxMs);
  return plain * (1 + 0.1 * random.next());
};
