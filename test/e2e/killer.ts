// Kills the two processes now and then while the scenarios run, from a seed.
import { sleep, systemClock } from '../../src/lib/clock.ts';
import { halves, type Service } from './service.ts';

const BETWEEN_MS = { least: 10_000, most: 40_000 };

/** Something that kills until it is stopped. */
export interface Killer {
  /** Waits until what was killed last is up again. Stopping again does nothing. */
  stop(): Promise<void>;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
const chanceFrom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** The seed that `E2E_KILL` asks for; undefined where nobody is to be killed. @throws where it is no whole number. */
export const seedOf = (asked: string | undefined): number | undefined => {
  if (!asked) return undefined;
  if (!/^\d{1,9}$/.test(asked)) throw new Error(`E2E_KILL is a seed, a whole number, not "${asked}"`);
  return Number(asked);
};

/** Kills each half every 10 to 40 s. Without a seed it kills nobody. */
export const startKiller = (
  service: Service,
  { seed, say }: { readonly seed: number | undefined; readonly say: (line: string) => void },
): Killer => {
  if (seed === undefined) return { stop: async () => {} };
  say(`killing each half every ${BETWEEN_MS.least / 1000} to ${BETWEEN_MS.most / 1000} s, seed ${seed}`);
  const stopping = new AbortController();
  const loops = halves.map(async (half, index) => {
    const chance = chanceFrom(seed * halves.length + index);
    while (!stopping.signal.aborted) {
      const pause = BETWEEN_MS.least + chance() * (BETWEEN_MS.most - BETWEEN_MS.least);
      await sleep(systemClock, pause, stopping.signal).catch(() => {}); // told to stop
      if (!stopping.signal.aborted) await service.kill(half);
    }
  });
  const ended = Promise.all(loops);
  ended.catch((error: unknown) => say(`the service did not come back: ${String(error)}`)); // and the scenarios fail
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
};
