import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { createBatch } from './batch.ts';

describe('a batch', () => {
  it('sends items that arrive together in one call and gives each its own result', async () => {
    const calls: number[][] = [];
    const double = createBatch<number, number>({
      run: async (items) => {
        calls.push([...items]);
        return items.map((item) => item * 2);
      },
      maxSize: 10,
      concurrency: 1,
    });
    expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6]);
    expect(calls).toEqual([[1, 2, 3]]);
  });

  it('gathers what arrives while a call is under way', async () => {
    const calls: number[] = [];
    let open = (): void => {};
    const first = new Promise<void>((resolve) => (open = resolve));
    const run = createBatch<number, number>({
      run: async (items) => {
        calls.push(items.length);
        if (calls.length === 1) await first;
        return items;
      },
      maxSize: 10,
      concurrency: 1,
    });
    const early = run(0);
    await Promise.resolve();
    const late = Promise.all([1, 2, 3].map(run));
    open();
    await early;
    await late;
    expect(calls).toEqual([1, 3]);
  });

  it('lets one bad item fail only itself', async () => {
    const run = createBatch<string, string>({
      run: async (items) => {
        if (items.includes('bad')) throw new Error('bad item');
        return items;
      },
      maxSize: 10,
      concurrency: 1,
    });
    const ends = await Promise.allSettled(['good', 'bad', 'also good'].map(run));
    expect(ends.map((end) => end.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('splits what is more than fits into one call', async () => {
    const calls: number[] = [];
    const run = createBatch<number, number>({
      run: async (items) => {
        calls.push(items.length);
        return items;
      },
      maxSize: 2,
      concurrency: 2,
    });
    await Promise.all([1, 2, 3, 4, 5].map(run));
    expect(calls).toEqual([2, 2, 1]);
  });

  it('fails as a whole, after one call, when no item is to blame', async () => {
    let calls = 0;
    const run = createBatch<number, number>({
      run: async () => {
        calls += 1;
        throw new Error('away');
      },
      maxSize: 10,
      concurrency: 1,
      isShared: (error) => error instanceof Error && error.message === 'away',
    });
    const ends = await Promise.allSettled([1, 2, 3].map(run));
    expect(ends.map((end) => end.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(calls).toBe(1);
    await expect(run(4)).rejects.toThrow('away');
  });

  it('with a pace sends a lone item at once, and gathers what follows until it may send again', async () => {
    const clock = createVirtualClock();
    const calls: number[][] = [];
    const run = createBatch<number, number>({
      run: async (items) => {
        calls.push([...items]);
        return items;
      },
      maxSize: 10,
      concurrency: 2,
      pace: { clock, everyMs: 100, orItems: 3 },
    });
    await run(0);
    const late = [1, 2].map(run);
    await clock.advance(99);
    expect(calls).toEqual([[0]]);
    await clock.advance(1);
    await Promise.all(late);
    expect(calls).toEqual([[0], [1, 2]]);
    await Promise.all([3, 4, 5].map(run)); // so many wait for nothing
    expect(calls.at(-1)).toEqual([3, 4, 5]);
    const trickle: Promise<number>[] = [];
    for (const item of [6, 7, 8]) {
      trickle.push(run(item));
      await clock.advance(1); // each in a turn of its own
    }
    await Promise.all(trickle);
    expect(calls.at(-1)).toEqual([6, 7, 8]);
    void run(9);
    await clock.advance(98); // the pace counts from the last call, however it began
    expect(calls.at(-1)).toEqual([6, 7, 8]);
    await clock.advance(1);
    expect(calls.at(-1)).toEqual([9]);
  });
});
