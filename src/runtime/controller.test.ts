import { describe, expect, it } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { ApiError } from '../kube/status-error.ts';
import { Fault } from '../lib/fault.ts';
import { createMetrics } from '../lib/metrics.ts';
import { seededRandom } from '../lib/random.ts';
import { createController, type ControllerOptions, type Reconcile } from './controller.ts';
import type { ReconcileResult } from './outcome.ts';

/** A controller that is not started yet. */
const setUp = (reconcile: Reconcile, options: Partial<ControllerOptions> = {}) => {
  const clock = createVirtualClock();
  const metrics = createMetrics();
  const { log, lines } = capturedLog();
  const controller = createController({
    name: 'test',
    reconcile,
    clock,
    metrics,
    log,
    random: seededRandom(1),
    concurrency: 4,
    ...options,
  });
  const metric = async (name: string): Promise<number> =>
    Number(new RegExp(`^controller_runtime_${name}.* (.*)$`, 'm').exec(await metrics.text())?.[1]);
  return { controller, clock, lines, metric, settle: () => clock.advance(0) };
};

/** A reconcile whose passes end when told to, and what it has been called with. */
const held = () => {
  const passes: (PromiseWithResolvers<void> & { key: string; signal: AbortSignal })[] = [];
  const reconcile: Reconcile = (key, { signal }) => {
    const pass = { ...Promise.withResolvers<void>(), key, signal };
    passes.push(pass);
    return pass.promise;
  };
  return { passes, reconcile, keys: () => passes.map((pass) => pass.key) };
};

const throwing =
  (error: unknown): (() => never) =>
  () => {
    throw error;
  };

describe('a controller', () => {
  it('never runs a key twice at once, and runs it again after a change during its run', async () => {
    const { passes, reconcile, keys } = held();
    const { controller, settle } = setUp(reconcile);
    controller.start();
    controller.enqueue('a/k/1');
    await settle();
    controller.enqueue('a/k/1');
    await settle();
    expect(keys()).toEqual(['a/k/1']);
    passes[0]?.resolve();
    await settle();
    expect(keys()).toEqual(['a/k/1', 'a/k/1']);
    passes[1]?.resolve();
    await controller.stop();
  });

  it('runs different keys side by side, but no more than it may', async () => {
    const { passes, reconcile, keys } = held();
    const { controller, settle, metric } = setUp(reconcile, { concurrency: 2, tenantConcurrency: 2 });
    controller.start();
    for (const key of ['a/k/1', 'b/k/1', 'c/k/1']) controller.enqueue(key);
    await settle();
    expect(keys()).toEqual(['a/k/1', 'b/k/1']);
    expect([await metric('active_workers'), await metric('max_concurrent_reconciles')]).toEqual([2, 2]);
    passes[0]?.resolve();
    await settle();
    expect(keys()).toEqual(['a/k/1', 'b/k/1', 'c/k/1']);
    for (const pass of passes) pass.resolve();
    await controller.stop();
    expect(await metric('active_workers')).toBe(0);
  });

  it('runs no pass inside of what enqueues, and not too many when passes enqueue', async () => {
    let active = 0;
    let most = 0;
    const seen: string[] = [];
    const { controller, settle } = setUp(
      async (key) => {
        active += 1;
        most = Math.max(most, active);
        seen.push(key);
        if (key === 'a/k/1') for (const other of ['b/k/1', 'c/k/1', 'd/k/1']) controller.enqueue(other);
        await Promise.resolve();
        active -= 1;
      },
      { concurrency: 1 },
    );
    controller.start();
    controller.enqueue('a/k/1');
    expect(seen).toEqual([]);
    await settle();
    expect([seen.length, most]).toEqual([4, 1]);
    await controller.stop();
  });

  it('takes keys that were enqueued before it started', async () => {
    const { passes, reconcile } = held();
    const { controller, settle } = setUp(reconcile);
    controller.enqueue('a/k/1');
    await settle();
    expect(passes).toEqual([]);
    controller.start();
    await settle();
    expect(passes).toHaveLength(1);
    passes[0]?.resolve();
    await controller.stop();
  });
});

describe('the end of a pass', () => {
  /** One pass that ends as told; those that follow it too, and in the end well. */
  const run = async (...ends: (() => unknown)[]) => {
    const atMs: number[] = [];
    const set = setUp(async () => {
      atMs.push(set.clock.monotonicMs());
      return ends.shift()?.() as ReconcileResult; // the test's own ends
    });
    set.controller.start();
    set.controller.enqueue('a/k/1');
    await set.settle();
    return { ...set, atMs };
  };
  const refused = new Fault('user', 'InvalidSpec', 'no path');

  it('after which it looks again when it said so', async () => {
    const { atMs, clock, controller } = await run(() => ({ afterMs: 3_000 }));
    await clock.advance(10_000);
    expect(atMs).toEqual([0, 3_000]);
    await controller.stop();
  });

  it("by a user's fault is logged once, not retried, and no error of ours", async () => {
    const { atMs, clock, controller, lines, metric } = await run(throwing(refused), throwing(refused));
    await clock.advance(3_600_000);
    expect(atMs).toEqual([0]);
    controller.enqueue('a/k/1', { priority: 'resync' });
    await clock.advance(0);
    expect(atMs).toHaveLength(2);
    const told = lines.filter((line) => line['level'] !== 'debug');
    expect(told).toMatchObject([{ level: 'info', key: 'a/k/1', reason: 'InvalidSpec', msg: 'no path' }]);
    expect(told[0]).not.toHaveProperty('err');
    expect(await metric('reconcile_errors_total')).toBe(0);
    await controller.stop();
  });

  it("by a user's fault is logged again when it comes back after a success", async () => {
    const { controller, lines, settle } = await run(throwing(refused), () => undefined, throwing(refused));
    for (let time = 0; time < 2; time += 1) {
      controller.enqueue('a/k/1');
      await settle();
    }
    expect(lines.filter((line) => line['level'] === 'info')).toHaveLength(2);
    await controller.stop();
  });

  it('by waiting is looked at after as long as it says, without a word above debug', async () => {
    const waiting = new Fault('waiting', 'Busy', 'waiting for the agent', { retryAfterMs: 500 });
    const { atMs, clock, controller, lines } = await run(throwing(waiting));
    await clock.advance(10_000);
    expect(atMs).toEqual([0, 500]);
    expect(lines.map((line) => line['level'])).toEqual(['debug']);
    await controller.stop();
  });

  it('by an internal error is retried with growing pauses and logged with its cause once; a success forgets both', async () => {
    const broken = throwing(new Error('broken'));
    const { atMs, clock, controller, lines, metric } = await run(broken, broken, broken, () => undefined, broken);
    await clock.advance(10_000);
    controller.enqueue('a/k/1');
    await clock.advance(10_000);
    const pauses = atMs.slice(1).map((ms, nth) => ms - (atMs[nth] ?? 0));
    const [first = 0, second = 0, third = 0, , again = 0] = pauses;
    expect(atMs).toHaveLength(6);
    for (const [pause, ms] of [
      [first, 200] as const,
      [second, 400] as const,
      [third, 800] as const,
      [again, 200] as const,
    ]) {
      expect(pause).toBeGreaterThanOrEqual(ms);
      expect(pause).toBeLessThanOrEqual(ms * 1.1);
    }
    const errors = lines.filter((line) => line['level'] === 'error');
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatchObject({ key: 'a/k/1', reason: 'Unexpected', err: { name: 'Error', message: 'broken' } });
    expect(await metric('reconcile_errors_total')).toBe(4);
    await controller.stop();
  });

  it('by a conflict is retried soon, as something that happens', async () => {
    const conflict = new ApiError(409, { reason: 'Conflict', message: 'somebody was faster' });
    const { atMs, clock, controller, lines, metric } = await run(throwing(conflict));
    await clock.advance(10_000);
    expect(atMs).toHaveLength(2);
    expect(lines.map((line) => line['level'])).toEqual(['debug']);
    expect(await metric('reconcile_errors_total')).toBe(0);
    expect(await metric('reconcile_total{controller="test",result="requeue"}')).toBe(1);
    await controller.stop();
  });

  it('may be thrown before the first await, or be anything', async () => {
    const { controller, clock, lines } = setUp(() => {
      throw 'a text'; // oxlint-disable-line typescript/only-throw-error -- what others' code may throw
    });
    controller.start();
    controller.enqueue('a/k/1');
    await clock.advance(0);
    expect(lines).toMatchObject([{ level: 'error', msg: 'a text' }]);
    await controller.stop();
  });
});

describe('stopping a controller', () => {
  it('waits for passes under way, and takes nothing more', async () => {
    const { passes, reconcile } = held();
    const { controller, settle, clock } = setUp(reconcile, { concurrency: 1 });
    controller.start();
    controller.enqueue('a/k/1');
    controller.enqueue('a/k/2');
    await settle();
    let stopped = false;
    const stopping = controller.stop().then(() => (stopped = true));
    controller.enqueue('a/k/3');
    controller.start();
    await settle();
    expect([stopped, passes.length, passes[0]?.signal.aborted]).toEqual([false, 1, false]);
    passes[0]?.resolve();
    await stopping;
    await settle();
    expect([passes.length, clock.pending]).toEqual([1, 0]);
  });

  it('aborts passes after the grace, and says nothing of what they throw then', async () => {
    const { passes, reconcile } = held();
    const { controller, clock, lines, metric } = setUp(reconcile, { graceMs: 5_000 });
    controller.start();
    controller.enqueue('a/k/1');
    await clock.advance(0);
    const stopping = controller.stop();
    await clock.advance(4_999);
    expect(passes[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(passes[0]?.signal.aborted).toBe(true);
    passes[0]?.reject(new Error('aborted'));
    await stopping;
    expect(lines).toEqual([]);
    expect(await metric('reconcile_errors_total')).toBe(0);
  });

  it('leaves no grace, and takes nothing, once the right to work is lost', async () => {
    const { passes, reconcile } = held();
    const lost = new AbortController();
    const { controller, clock } = setUp(reconcile, { lost: lost.signal });
    controller.start();
    controller.enqueue('a/k/1');
    await clock.advance(0);
    lost.abort();
    controller.enqueue('b/k/1');
    await clock.advance(0);
    expect(passes.map(({ key, signal }) => [key, signal.aborted])).toEqual([['a/k/1', true]]);
    passes[0]?.resolve();
    await controller.stop();
  });
});
