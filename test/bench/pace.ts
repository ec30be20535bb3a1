// When the bench sends what: at a rate, or all at once.
import { sleep, systemClock } from '../../src/lib/clock.ts';
import type { Sent } from './user.ts';

/** Sends each item, so many a second, however long the answers take. Gives how long each took until it was seen. */
export const atRate = async <T>(
  items: readonly T[],
  options: { readonly perSecond: number; readonly signal: AbortSignal },
  send: (item: T, index: number) => Promise<Sent>,
): Promise<number[]> => {
  const startMs = systemClock.monotonicMs();
  const sent: Promise<number>[] = [];
  for (const [index, item] of items.entries()) {
    const waitMs = startMs + (index * 1000) / options.perSecond - systemClock.monotonicMs();
    if (waitMs > 0) await sleep(systemClock, waitMs, options.signal);
    const seen = send(item, index).then(async (one) => one.seen);
    seen.catch(() => {}); // waited for below
    sent.push(seen);
  }
  return Promise.all(sent);
};

/** Sends all items as fast as the API server takes them. Gives how long each took until it was seen. */
export const atOnce = <T>(items: readonly T[], send: (item: T) => Promise<Sent>): Promise<number[]> =>
  Promise.all(items.map(async (item) => (await send(item)).seen));
