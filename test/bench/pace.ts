// When the bench sends what: at a rate, or all at once.
import { sleep, systemClock } from '../../src/lib/clock.ts';
import type { Sent } from './user.ts';

/** A rate, and when it ends. */
export interface Pace {
  readonly perSecond: number;
  /** Asked before each; `index` is the number of those before it. */
  readonly goesOn: (index: number) => boolean;
  readonly signal: AbortSignal;
}

/** Sends so many a second, however long the answers take. Gives how long each took until it was seen. */
export const atRate = async (pace: Pace, send: (index: number) => Promise<Sent>): Promise<number[]> => {
  const startMs = systemClock.monotonicMs();
  const sent: Promise<number>[] = [];
  for (let index = 0; pace.goesOn(index); index += 1) {
    const waitMs = startMs + (index * 1000) / pace.perSecond - systemClock.monotonicMs();
    if (waitMs > 0) await sleep(systemClock, waitMs, pace.signal);
    const seen = send(index).then(async (one) => one.seen);
    seen.catch(() => {}); // waited for below
    sent.push(seen);
  }
  return Promise.all(sent);
};

/** So many a second, for so long. */
export const forTime = (ms: number, perSecond: number): ((index: number) => boolean) => {
  const count = Math.max(1, Math.round((ms / 1000) * perSecond));
  return (index) => index < count;
};

/** Sends all items as fast as the API server takes them. Gives how long each took until it was seen. */
export const atOnce = <T>(items: readonly T[], send: (item: T) => Promise<Sent>): Promise<number[]> =>
  Promise.all(items.map(async (item) => (await send(item)).seen));
