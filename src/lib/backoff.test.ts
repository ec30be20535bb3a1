import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';
import { seededRandom } from './random.ts';

const backoff = { minMs: 200, maxMs: 30_000, factor: 2 };
const steady = { ...seededRandom(1), next: () => 0 };

test('a backoff doubles with each attempt, from its minimum to its maximum', () => {
  const delays = [1, 2, 3, 8, 9, 10_000].map((attempt) => backoffMs(backoff, attempt, steady));
  expect(delays).toEqual([200, 400, 800, 25_600, 30_000, 30_000]);
});

test('a backoff is never shorter than its plain delay, nor longer by more than a tenth', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer(), (attempt, seed) => {
      const plain = backoffMs(backoff, attempt, steady);
      const delay = backoffMs(backoff, attempt, seededRandom(seed));
      expect(delay).toBeGreaterThanOrEqual(plain);
      expect(delay).toBeLessThanOrEqual(plain * 1.1);
    }),
  );
});
