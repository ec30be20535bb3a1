import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVirtualClock, type VirtualClock } from '../../test/kit/virtual-clock.ts';
import { createMetrics, type Metrics } from '../lib/metrics.ts';
import { seededRandom } from '../lib/random.ts';
import { createQueue, type Queue, type QueueOptions } from './queue.ts';
import { tenantOf } from './turns.ts';

const setUp = (options: Partial<QueueOptions> = {}): { queue: Queue; clock: VirtualClock; metrics: Metrics } => {
  const clock = createVirtualClock();
  const metrics = createMetrics();
  const queue = createQueue({
    name: 'test',
    clock,
    metrics,
    random: seededRandom(1),
    backoff: { minMs: 100, maxMs: 1_000, factor: 2 },
    tenantConcurrency: 2,
    onReady: () => undefined,
    ...options,
  });
  return { queue, clock, metrics };
};
/** Takes and gives back every key that is ready, one at a time. */
const drain = (queue: Queue): string[] => {
  const taken: string[] = [];
  for (let key = queue.take(); key !== undefined; key = queue.take()) {
    taken.push(key);
    queue.done(key);
  }
  return taken;
};
const seconds = async (metrics: Metrics, name: string): Promise<string | undefined> =>
  new RegExp(`^${name}{name="test"} (.*)$`, 'm').exec(await metrics.text())?.[1];

describe('a queue', () => {
  it('holds a key once, however often it was added', () => {
    const { queue } = setUp();
    for (let time = 0; time < 10; time += 1) queue.add('a/k/1');
    expect(queue.depth).toBe(1);
    expect(drain(queue)).toEqual(['a/k/1']);
  });

  it('never gives out a key that runs; added meanwhile, it runs again afterwards', () => {
    const { queue } = setUp();
    queue.add('a/k/1');
    expect(queue.take()).toBe('a/k/1');
    queue.add('a/k/1');
    queue.add('a/k/1');
    expect([queue.take(), queue.depth]).toEqual([undefined, 0]);
    queue.done('a/k/1');
    expect(drain(queue)).toEqual(['a/k/1']);
  });

  it('does not let a tenant with ten thousand waiting keys delay the one of another', () => {
    const { queue } = setUp();
    for (let name = 0; name < 10_000; name += 1) queue.add(`noisy/k/${name}`);
    queue.add('quiet/k/1');
    expect([queue.take(), queue.take()]).toContain('quiet/k/1');
  });

  it('runs no more keys of a tenant at once than its share', () => {
    const { queue } = setUp({ tenantConcurrency: 2 });
    for (const key of ['a/k/1', 'a/k/2', 'a/k/3', 'b/k/1']) queue.add(key);
    expect([queue.take(), queue.take(), queue.take(), queue.take()]).toEqual(['a/k/1', 'b/k/1', 'a/k/2', undefined]);
    queue.done('a/k/1');
    expect(queue.take()).toBe('a/k/3');
  });

  it('serves changes before resyncs, and a change makes a change of a waiting resync', () => {
    const { queue } = setUp();
    for (const key of ['a/k/1', 'a/k/2', 'a/k/3']) queue.add(key, { priority: 'resync' });
    queue.add('b/k/1');
    queue.add('a/k/3');
    queue.add('b/k/1', { priority: 'resync' });
    expect(drain(queue)).toEqual(['b/k/1', 'a/k/3', 'a/k/1', 'a/k/2']);
  });

  it('never starves a resync, even when every other attempt to take finds nothing', () => {
    const { queue } = setUp({ tenantConcurrency: 1 });
    queue.add('a/k/resync', { priority: 'resync' });
    const taken: (string | undefined)[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      queue.add(`a/k/${turn}`);
      const key = queue.take();
      expect(queue.take()).toBeUndefined(); // the tenant has its share
      taken.push(key);
      queue.done(key ?? '');
    }
    expect(taken).toContain('a/k/resync');
  });

  it('adds a delayed key when its time has come, at the earliest time asked for and as urgent as asked for', async () => {
    const { queue, clock } = setUp();
    queue.add('a/k/1', { afterMs: 1_000, priority: 'resync' });
    queue.add('a/k/1', { afterMs: 5_000 });
    queue.add('a/k/2', { priority: 'resync' });
    await clock.advance(999);
    expect(queue.depth).toBe(1);
    await clock.advance(1);
    expect(drain(queue)).toEqual(['a/k/1', 'a/k/2']);
    expect(clock.pending).toBe(0);
  });

  it('keeps a delay that was asked for during a run, and forgets one that was asked for before it', async () => {
    const { queue, clock } = setUp();
    queue.add('a/k/1', { afterMs: 1_000 });
    queue.add('a/k/1');
    queue.take();
    expect(clock.pending).toBe(0);
    queue.add('a/k/1', { afterMs: 300 });
    queue.done('a/k/1');
    expect(drain(queue)).toEqual([]);
    await clock.advance(300);
    expect(drain(queue)).toEqual(['a/k/1']);
  });

  it('gives keys that are due in the same millisecond together, and each may be forgotten by itself', async () => {
    const { queue, clock } = setUp();
    queue.add('a/k/1', { afterMs: 99.2 });
    queue.add('b/k/1', { afterMs: 99.9 });
    queue.add('c/k/1', { afterMs: 99.9 });
    expect(clock.pending).toBe(1);
    queue.add('b/k/1');
    expect(drain(queue)).toEqual(['b/k/1']);
    await clock.advance(100);
    expect(drain(queue)).toEqual(['a/k/1', 'c/k/1']);
    expect(clock.pending).toBe(0);
  });

  it('backs off further with each retry, up to the maximum, until the key is forgotten', () => {
    const { queue } = setUp();
    const delays = Array.from({ length: 6 }, () => Math.floor(queue.retry('a/k/1') / 100));
    expect(delays.map((delay) => Math.min(delay, 10))).toEqual([1, 2, 4, 8, 10, 10]);
    queue.forget('a/k/1');
    expect(queue.retry('a/k/1')).toBeLessThan(111);
  });

  it('runs a key that failed at once when it was added during the run, and still knows its failures', () => {
    const { queue } = setUp();
    queue.add('a/k/1');
    queue.take();
    queue.add('a/k/1');
    queue.retry('a/k/1');
    queue.done('a/k/1');
    expect(queue.take()).toBe('a/k/1');
    expect(queue.retry('a/k/1')).toBeGreaterThanOrEqual(200);
  });

  it('drops what waits when it is closed, and takes nothing more', async () => {
    const { queue, clock } = setUp();
    queue.add('a/k/1');
    queue.add('a/k/2', { afterMs: 10 });
    queue.close();
    queue.add('a/k/3');
    queue.retry('a/k/1');
    await clock.advance(100_000);
    expect([queue.take(), queue.depth, clock.pending]).toEqual([undefined, 0, 0]);
  });

  it('tells what it does under the names of client-go, work under way as it is at the reading', async () => {
    const { queue, clock, metrics } = setUp();
    for (const key of ['a/k/1', 'a/k/1', 'b/k/1', 'c/k/1']) queue.add(key);
    await clock.advance(2_000);
    queue.take();
    await clock.advance(1_000);
    queue.take();
    await clock.advance(500);
    expect(await seconds(metrics, 'workqueue_depth')).toBe('1');
    expect(await seconds(metrics, 'workqueue_adds_total')).toBe('3');
    expect(await seconds(metrics, 'workqueue_queue_duration_seconds_sum')).toBe('5');
    expect(await seconds(metrics, 'workqueue_unfinished_work_seconds')).toBe('2');
    expect(await seconds(metrics, 'workqueue_longest_running_processor_seconds')).toBe('1.5');
    expect(await seconds(metrics, 'workqueue_retries_total')).toBe('0');
    queue.done('a/k/1');
    expect(await seconds(metrics, 'workqueue_work_duration_seconds_sum')).toBe('1.5');
    queue.close();
    expect(await seconds(metrics, 'workqueue_unfinished_work_seconds')).toBe('0');
  });
});

describe('a queue under any schedule', () => {
  const keys = fc.constantFrom('a/k/1', 'a/k/2', 'a/k/3', 'b/k/1', 'b/k/2', 'c/k/1');
  const step = fc.oneof(
    fc.record({ act: fc.constant('add' as const), key: keys, priority: fc.constantFrom('change', 'resync') }),
    fc.record({ act: fc.constant('later' as const), key: keys, afterMs: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ act: fc.constant('take' as const) }),
    fc.record({ act: fc.constant('done' as const), nth: fc.nat(10), fails: fc.boolean() }),
    fc.record({ act: fc.constant('wait' as const), ms: fc.nat(200) }),
  );

  it('runs a key once at a time, a tenant within its share, and in the end everything that was asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const { queue, clock } = setUp({ tenantConcurrency: 2 });
        const owed = new Set<string>(); // asked for since it last began to run
        const running: string[] = [];
        const take = (): string | undefined => {
          const key = queue.take();
          if (key === undefined) return undefined;
          expect(running).not.toContain(key);
          running.push(key);
          expect(running.filter((one) => tenantOf(one) === tenantOf(key)).length).toBeLessThanOrEqual(2);
          owed.delete(key);
          return key;
        };
        for (const one of steps) {
          if (one.act === 'add' || one.act === 'later') {
            queue.add(one.key, one);
            owed.add(one.key);
          } else if (one.act === 'take') take();
          else if (one.act === 'wait') await clock.advance(one.ms);
          else {
            const [key] = running.splice(one.nth % Math.max(running.length, 1), 1);
            if (key !== undefined && one.fails) {
              queue.retry(key);
              owed.add(key);
            }
            if (key !== undefined) queue.done(key);
          }
        }
        for (const key of running.splice(0)) queue.done(key);
        await clock.advance(10_000);
        for (let key = take(); key !== undefined; key = take()) {
          running.splice(0);
          queue.done(key);
        }
        expect([...owed]).toEqual([]);
        expect([queue.depth, clock.pending]).toEqual([0, 0]);
      }),
      { numRuns: 60 },
    );
  });
});
