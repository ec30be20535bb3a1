// Things that are waited for, each by a name of its own, and when each was first seen.
import { systemClock, type Timer } from '../../src/lib/clock.ts';

/** What the watches have shown so far. Times are of the monotonic clock, in milliseconds. */
export interface Sights {
  /** Notes the first sight of a thing. */
  see(name: string): void;
  /** When the thing was seen; waits for it. @throws when it is not seen in time; the signal's reason. */
  seen(name: string): Promise<number>;
}

/** When nothing at all has been seen for so long, what is still waited for is lost. */
const LOST_AFTER_MS = 60_000;

/** Creates sights without any. */
export const createSights = (signal: AbortSignal): Sights => {
  const times = new Map<string, number>();
  const waiting = new Map<string, PromiseWithResolvers<number>>();
  let lastMs = 0;
  return {
    see(name) {
      if (times.has(name)) return;
      lastMs = systemClock.monotonicMs();
      times.set(name, lastMs);
      waiting.get(name)?.resolve(lastMs);
      waiting.delete(name);
    },
    seen(name) {
      const atMs = times.get(name);
      if (atMs !== undefined) return Promise.resolve(atMs);
      const sight = waiting.get(name) ?? Promise.withResolvers<number>();
      waiting.set(name, sight);
      return unlessLost(sight.promise, { name, signal, lastMs: () => lastMs });
    },
  };
};

const unlessLost = async (
  sight: Promise<number>,
  options: { readonly name: string; readonly signal: AbortSignal; readonly lastMs: () => number },
): Promise<number> => {
  const { name, signal, lastMs } = options;
  const lost = Promise.withResolvers<never>();
  const arm = (sinceMs: number): Timer => {
    const leftMs = sinceMs + LOST_AFTER_MS - systemClock.monotonicMs();
    return systemClock.after(leftMs, () => {
      if (lastMs() <= sinceMs) lost.reject(new Error(`${name} was not seen, nor anything else for a minute`));
      else timer = arm(lastMs());
    });
  };
  let timer = arm(systemClock.monotonicMs());
  const stop = (): void => lost.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([sight, lost.promise]);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', stop);
  }
};
