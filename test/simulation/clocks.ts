// The clocks of processes that share one virtual time: each may jump, and stops with its process.
import type { Clock, Timer } from '../../src/lib/clock.ts';

/** The clock of one process. */
export interface ProcessClock extends Clock {
  /** Sets how far the time of day is off, in milliseconds; durations are not affected. */
  jump(skewMs: number): void;
  /** No timer of the process fires any more. */
  stop(): void;
}

/** Creates a clock that follows `base`. */
export const createProcessClock = (base: Clock): ProcessClock => {
  const timers = new Set<Timer>();
  let stopped = false;
  let skewMs = 0;
  return {
    jump: (nextMs) => void (skewMs = nextMs),
    now: () => base.now() + skewMs,
    monotonicMs: () => base.monotonicMs(),
    after(afterMs, run) {
      if (stopped) return { cancel: () => undefined };
      const timer = base.after(afterMs, () => {
        timers.delete(timer);
        run();
      });
      timers.add(timer);
      return {
        cancel() {
          timers.delete(timer);
          timer.cancel();
        },
      };
    },
    stop() {
      stopped = true;
      for (const timer of timers) timer.cancel();
      timers.clear();
    },
  };
};
