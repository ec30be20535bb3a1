import { afterEach, describe, expect, it, vi } from 'vitest';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { parseTime, rfc3339, rfc3339Micro, sleep, systemClock, utcText } from './clock.ts';

afterEach(() => vi.useRealTimers());

describe("the machine's clock", () => {
  it('calls once the time has passed, not before', async () => {
    const startMs = systemClock.monotonicMs();
    await new Promise<void>((resolve) => systemClock.after(4.6, resolve));
    expect(systemClock.monotonicMs() - startMs).toBeGreaterThanOrEqual(4);
  });

  it('waits longer than Node.js can at once, and can be cancelled all the time', () => {
    vi.useFakeTimers();
    const dayMs = 86_400_000;
    const fired: string[] = [];
    systemClock.after(60 * dayMs, () => fired.push('kept'));
    const cancelled = systemClock.after(60 * dayMs, () => fired.push('cancelled'));
    vi.advanceTimersByTime(59 * dayMs);
    cancelled.cancel();
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(dayMs);
    expect(fired).toEqual(['kept']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps the process alive for whoever waits', () => {
    vi.useFakeTimers();
    const set = vi.spyOn(globalThis, 'setTimeout');
    systemClock.after(1_000, () => undefined);
    const [timer] = set.mock.results.map(({ value }) => value as NodeJS.Timeout); // what setTimeout returns
    expect(timer?.hasRef()).toBe(true);
  });
});

describe('sleeping', () => {
  it('ends when the time has passed', async () => {
    const clock = createVirtualClock();
    let awake = false;
    void sleep(clock, 100).then(() => (awake = true));
    await clock.advance(99);
    expect(awake).toBe(false);
    await clock.advance(1);
    expect(awake).toBe(true);
  });

  it('ends early with the reason of its signal, leaving no timer', async () => {
    const clock = createVirtualClock();
    const abort = new AbortController();
    const asleep = sleep(clock, 100, abort.signal);
    abort.abort(new Error('stopping'));
    await expect(asleep).rejects.toThrow('stopping');
    await expect(sleep(clock, 100, abort.signal)).rejects.toThrow('stopping');
    expect(clock.pending).toBe(0);
  });
});

describe('times as text', () => {
  const ms = Date.UTC(2026, 1, 3, 4, 5, 6, 789);

  it('are UTC: seconds and microseconds for Kubernetes, milliseconds for statements', () => {
    expect(rfc3339(ms)).toBe('2026-02-03T04:05:06Z');
    expect(rfc3339Micro(ms)).toBe('2026-02-03T04:05:06.789000Z');
    expect(utcText(ms)).toBe('2026-02-03T04:05:06.789Z');
  });

  it('are read with any offset and precision, and what is none gives nothing', () => {
    expect(parseTime('2026-02-03T04:05:06.789123Z')).toBe(ms);
    expect(parseTime('2026-02-03T05:05:06+01:00')).toBe(ms - 789);
    expect([parseTime(undefined), parseTime(null), parseTime(''), parseTime('soon')]).toEqual(Array(4).fill(undefined));
  });
});
