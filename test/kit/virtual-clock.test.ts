import { expect, test } from 'vitest';
import { createVirtualClock } from './virtual-clock.ts';

test('a virtual clock stands still until it is moved', () => {
  const clock = createVirtualClock(Date.UTC(2030, 0, 1));
  expect([clock.now(), clock.monotonicMs(), clock.pending, clock.nextInMs]).toEqual([
    Date.UTC(2030, 0, 1),
    0,
    0,
    undefined,
  ]);
});

test('its timers fire in the order they fall due, each at its own time, and in the order set when due together', async () => {
  const clock = createVirtualClock();
  const fired: [string, number][] = [];
  const set = (name: string, ms: number) => clock.after(ms, () => fired.push([name, clock.monotonicMs()]));
  for (const [name, ms] of [
    ['late', 20],
    ['early', 10],
    ['also early', 10],
    ['too late', 31],
  ] as const)
    set(name, ms);
  expect(clock.nextInMs).toBe(10);
  await clock.advance(30);
  expect(fired).toEqual([
    ['early', 10],
    ['also early', 10],
    ['late', 20],
  ]);
  expect([clock.monotonicMs(), clock.pending, clock.nextInMs]).toEqual([30, 1, 1]);
});

test('what a timer sets fires on the way too, after promises have settled', async () => {
  const clock = createVirtualClock();
  const seen: string[] = [];
  clock.after(10, () => {
    void Promise.resolve().then(() => clock.after(10, () => seen.push('second')));
  });
  await clock.advance(20);
  expect(seen).toEqual(['second']);
});

test('a cancelled timer never fires', async () => {
  const clock = createVirtualClock();
  let fired = false;
  clock.after(10, () => (fired = true)).cancel();
  await clock.advance(100);
  expect([fired, clock.pending]).toEqual([false, 0]);
});
