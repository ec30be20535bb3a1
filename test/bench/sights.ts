// What the watches have shown: of each thing its latest version, and when that was first seen.
import { systemClock, type Timer } from '../../src/lib/clock.ts';

/** A version of a thing; versions count up. A later one stands for those before it: they are then no longer to be seen. */
export interface Sight {
  readonly of: string;
  readonly version: number;
}

/** What has been seen so far. Times are of the monotonic clock, in milliseconds. */
export interface Sights {
  see(sight: Sight): void;
  /** When this version, or a later one, was seen; waits for it. @throws when nothing is seen any more; the signal's reason. */
  seen(sight: Sight): Promise<number>;
}

/** When nothing at all has been seen for so long, what is still waited for is lost. */
const LOST_AFTER_MS = 60_000;

interface Waiting {
  readonly version: number;
  readonly resolve: (atMs: number) => void;
}

/** Creates sights without any. */
export const createSights = (signal: AbortSignal): Sights => {
  const latest = new Map<string, { readonly version: number; readonly atMs: number }>();
  const waiting = new Map<string, readonly Waiting[]>();
  let lastMs = 0;
  return {
    see({ of, version }) {
      if ((latest.get(of)?.version ?? -1) >= version) return;
      lastMs = systemClock.monotonicMs();
      latest.set(of, { version, atMs: lastMs });
      const { served = [], left = [] } = Object.groupBy(waiting.get(of) ?? [], (one) =>
        one.version <= version ? 'served' : 'left',
      );
      for (const one of served) one.resolve(lastMs);
      if (left.length > 0) waiting.set(of, left);
      else waiting.delete(of);
    },
    seen({ of, version }) {
      const last = latest.get(of);
      if (last && last.version >= version) return Promise.resolve(last.atMs);
      const { promise, resolve } = Promise.withResolvers<number>();
      waiting.set(of, [...(waiting.get(of) ?? []), { version, resolve }]);
      return unlessLost(promise, { name: `${of}, version ${version},`, signal, lastMs: () => lastMs });
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
