// Many callers, one call: what arrives while a call is under way goes out together with the next.
import type { Clock, Timer } from './clock.ts';

/** How items are carried out together. */
export interface BatchOptions<Item, Result> {
  /** Carries out many items at once; the results in the order of the items. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Most items in one call. */
  readonly maxSize: number;
  /** Most calls under way at once. Two keep the other side busy while an answer is read. */
  readonly concurrency: number;
  /** True for a failure that no item is to blame for, such as the other side being away: it fails the whole call. */
  readonly isShared?: (error: unknown) => boolean;
  /** For what is in no hurry: calls begin `everyMs` apart at the least, or when `orItems` wait. */
  readonly pace?: { readonly clock: Clock; readonly everyMs: number; readonly orItems: number };
}

interface Waiter<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Turns a call for many items into a function for one. A lone item goes out at once, also where a pace is set; under
 * load the batches grow by themselves.
 *
 * *Guarantee*: when a call for several items fails, each is tried alone, so that one bad item fails only itself, unless
 * `isShared` says that none is to blame.
 */
export const createBatch = <Item, Result>(options: BatchOptions<Item, Result>): ((item: Item) => Promise<Result>) => {
  const waiting: Waiter<Item, Result>[] = [];
  let underWay = 0;

  const settle = async (waiters: readonly Waiter<Item, Result>[]): Promise<void> => {
    try {
      const results = await options.run(waiters.map((waiter) => waiter.item));
      waiters.forEach((waiter, index) => waiter.resolve(results[index] as Result)); // one result for each item: the contract of `run`
    } catch (error) {
      if (waiters.length > 1 && !options.isShared?.(error)) for (const waiter of waiters) await settle([waiter]);
      else for (const waiter of waiters) waiter.reject(error);
    }
  };

  const { pace } = options;
  let nextMs = -Infinity;
  let timer: Timer | undefined;
  const isFull = (): boolean => pace !== undefined && waiting.length >= pace.orItems;
  /** True when a call may begin; else it begins by itself when it may. */
  const mayBegin = (): boolean => {
    if (!pace) return true;
    const nowMs = pace.clock.monotonicMs();
    if (nowMs < nextMs && !isFull()) {
      timer ??= pace.clock.after(nextMs - nowMs, () => {
        timer = undefined;
        flush();
      });
      return false;
    }
    timer?.cancel();
    timer = undefined;
    nextMs = nowMs + pace.everyMs;
    return true;
  };

  const flush = (): void => {
    while (waiting.length > 0 && underWay < options.concurrency && mayBegin()) {
      underWay += 1;
      void settle(waiting.splice(0, options.maxSize)).finally(() => {
        underWay -= 1;
        flush();
      });
    }
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (waiting.length === 1 || isFull()) queueMicrotask(flush);
    });
};
