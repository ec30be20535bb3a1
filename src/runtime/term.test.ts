import { describe, expect, it } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { createMetrics } from '../lib/metrics.ts';
import { seededRandom } from '../lib/random.ts';
import type { LeaseCandidate } from './lease.ts';
import { createLeaseTerms } from './lease-terms.ts';
import { createTerms, type Work } from './term.ts';

const TERM_MS = 600_000;

/** Terms of a Lease that the test gives and takes, and the work under it. */
const setUp = (begin: (lost: AbortSignal) => Promise<Work> | Work) => {
  const clock = createVirtualClock();
  const { log, lines } = capturedLog();
  const surroundings = { clock, log, metrics: createMetrics(), random: seededRandom(1) };
  const held = createLeaseTerms({ ...surroundings, name: 'test' });
  const lease: LeaseCandidate = {
    start: () => undefined,
    whenHeld: (signal) => held.next(signal),
    get held() {
      return held.held;
    },
    stop: async () => held.close(),
  };
  const part = createTerms({ ...surroundings, name: 'work', lease, begin });
  return {
    clock,
    part,
    settle: () => clock.advance(0),
    gain: () => held.extend(clock.monotonicMs() + TERM_MS),
    lose: () => held.lose('the test takes it'),
    isHeld: () => held.held,
    errors: () => lines.filter((line) => line['level'] === 'error').map((line) => line['msg']),
  };
};

describe('work under a Lease', () => {
  it('begins with each term and is stopped when the term ends', async () => {
    const seen: string[] = [];
    const { part, gain, lose, settle, clock } = setUp(() => {
      seen.push('begins');
      return { stop: async () => void seen.push('stops') };
    });
    void part.start(new AbortController().signal);
    await settle();
    expect(seen).toEqual([]);
    for (let term = 0; term < 2; term += 1) {
      gain();
      await settle();
      lose();
      await settle();
    }
    expect(seen).toEqual(['begins', 'stops', 'begins', 'stops']);
    await part.stop?.();
    expect(clock.pending).toBe(0);
  });

  it('is told that the term was lost before it is stopped, and has stopped before the Lease is given back', async () => {
    const seen: unknown[] = [];
    const { part, gain, lose, settle, isHeld } = setUp((lost) => ({
      stop: async () => void seen.push([lost.aborted, isHeld()]),
    }));
    void part.start(new AbortController().signal);
    gain();
    await settle();
    lose();
    await settle();
    gain();
    await settle();
    await part.stop?.();
    expect(seen).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(isHeld()).toBe(false);
  });

  it('that can not begin is tried again with growing pauses, and each failure is told', async () => {
    const atMs: number[] = [];
    const { part, gain, clock, errors } = setUp(async () => {
      atMs.push(clock.monotonicMs());
      if (atMs.length < 4) throw new Error('no database');
      return { stop: async () => undefined };
    });
    void part.start(new AbortController().signal);
    gain();
    await clock.advance(60_000);
    expect(atMs).toHaveLength(4);
    const [first = 0, second = 0, third = 0] = atMs.slice(1).map((ms, nth) => ms - (atMs[nth] ?? 0));
    expect(second).toBeGreaterThan(first * 1.5);
    expect(third).toBeGreaterThan(second * 1.5);
    expect(errors()).toEqual(Array(3).fill('work could not begin and is tried again: no database'));
    await part.stop?.();
    expect(clock.pending).toBe(0);
  });

  it('that can not begin does not hold up a stop', async () => {
    const { part, gain, settle, clock } = setUp(() => Promise.reject(new Error('no database')));
    void part.start(new AbortController().signal);
    gain();
    await settle();
    await part.stop?.();
    expect(clock.pending).toBe(0);
  });

  it('that fails to stop is named, and begins again with the next term', async () => {
    let begun = 0;
    const { part, gain, lose, settle, errors } = setUp(() => {
      begun += 1;
      return { stop: () => (begun === 1 ? Promise.reject(new Error('broken')) : Promise.resolve()) };
    });
    void part.start(new AbortController().signal);
    for (let term = 0; term < 2; term += 1) {
      gain();
      await settle();
      lose();
      await settle();
    }
    expect([begun, errors()]).toEqual([2, ['work did not stop cleanly: broken']]);
    await part.stop?.();
  });

  it('that never stops is left behind and named, and does not keep the next term from its work', async () => {
    let begun = 0;
    const { part, gain, lose, clock, errors } = setUp(() => {
      begun += 1;
      return { stop: () => (begun === 1 ? new Promise<void>(() => undefined) : Promise.resolve()) };
    });
    void part.start(new AbortController().signal);
    gain();
    await clock.advance(0);
    lose();
    gain();
    await clock.advance(29_999);
    expect(begun).toBe(1);
    await clock.advance(1);
    expect([begun, errors()]).toEqual([2, ['work does not stop; it is left behind']]);
    await part.stop?.();
  });
});
