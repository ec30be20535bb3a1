// Time as an argument: everything that reads a clock or waits takes a `Clock`, so that tests move time themselves.

/** A timer that can be taken back. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Where time comes from. `systemClock` in production, a virtual one in tests. */
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. */
  now(): number;
  /** Milliseconds that only ever grow; for durations. */
  monotonicMs(): number;
  /** Calls `run` once, after at least `afterMs`. A timer that is set keeps the process alive: who waits, lives. */
  after(afterMs: number, run: () => void): Timer;
}

/** The longest that Node.js can wait at once; more would fire immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(afterMs, run) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(Math.max(Math.ceil(leftMs), 0), MAX_TIMER_MS); // fractions would be cut off
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : run()), stepMs);
    };
    arm(afterMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Waits `ms` on the given clock.
 * @throws the signal's reason when it aborts first.
 */
export const sleep = (clock: Clock, ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });

/** RFC 3339 in UTC with second precision, as Kubernetes writes `metav1.Time`. */
export const rfc3339 = (epochMs: number): string => new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** RFC 3339 in UTC with microseconds, as Kubernetes writes `metav1.MicroTime` (Leases and Events). */
export const rfc3339Micro = (epochMs: number): string => new Date(epochMs).toISOString().replace('Z', '000Z');

/** RFC 3339 in UTC with milliseconds, as statements take times. */
export const utcText = (epochMs: number): string => new Date(epochMs).toISOString();

/** Milliseconds since the epoch of an RFC 3339 text, or undefined when it is none. */
export const parseTime = (text: string | undefined | null): number | undefined => {
  if (!text) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
};
