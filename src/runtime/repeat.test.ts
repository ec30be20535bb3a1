import { expect, test } from 'vitest';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { seededRandom } from '../lib/random.ts';
import { repeat } from './repeat.ts';

test('what repeats comes every so often, give or take a tenth, and never again once ended', async () => {
  const clock = createVirtualClock();
  const atMs: number[] = [];
  const end = repeat({ clock, random: seededRandom(3) }, 1_000, () => atMs.push(clock.monotonicMs()));
  await clock.advance(100_000);
  const pauses = atMs.map((ms, nth) => ms - (atMs[nth - 1] ?? 0));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(900);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1_100);
  expect(new Set(pauses).size).toBeGreaterThan(50);
  end();
  expect(clock.pending).toBe(0);
});

test('what repeats may end itself', async () => {
  const clock = createVirtualClock();
  let calls = 0;
  const end = repeat({ clock, random: seededRandom(3) }, 1_000, () => {
    calls += 1;
    end();
  });
  await clock.advance(10_000);
  expect([calls, clock.pending]).toEqual([1, 0]);
});
