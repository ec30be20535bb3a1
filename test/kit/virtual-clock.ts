// A clock that a test moves by hand. Timers fire in order of their due time, in the order they were set.
import type { Clock } from '../../src/lib/clock.ts';

/** A clock under the test's control. */
export interface VirtualClock extends Clock {
  /** Moves time on by `ms`, firing what falls due on the way and letting promises settle after each timer. */
  advance(ms: number): Promise<void>;
  /** Timers that have been set and neither fired nor cancelled. */
  readonly pending: number;
  /** Milliseconds until the next timer, or undefined when there is none. */
  readonly nextInMs: number | undefined;
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Creates a clock that stands still at `startMs` (2026-01-01T00:00:00Z unless told). */
export const createVirtualClock = (startMs = Date.UTC(2026, 0, 1)): VirtualClock => {
  let nowMs = startMs;
  let sequence = 0;
  const timers = new Map<number, { dueMs: number; run: () => void }>();
  const next = () => {
    let first: { id: number; dueMs: number; run: () => void } | undefined;
    for (const [id, timer] of timers) if (!first || timer.dueMs < first.dueMs) first = { id, ...timer };
    return first;
  };
  return {
    now: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    after(afterMs, run) {
      const id = (sequence += 1);
      timers.set(id, { dueMs: nowMs + Math.max(afterMs, 0), run });
      return { cancel: () => void timers.delete(id) };
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (let timer = next(); timer && timer.dueMs <= untilMs; timer = next()) {
        nowMs = timer.dueMs;
        timers.delete(timer.id);
        timer.run();
        await settle();
      }
      nowMs = untilMs;
      await settle();
    },
    get pending() {
      return timers.size;
    },
    get nextInMs() {
      const timer = next();
      return timer && timer.dueMs - nowMs;
    },
  };
};
