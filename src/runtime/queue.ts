// The work queue of a controller: keys, not events.
import { backoffMs, type Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createTurns, tenantOf } from './turns.ts';

/** Why a key is queued: something changed, or it is only looked at again. Changes go first. */
export type Priority = 'change' | 'resync';

/**
 * A queue of keys `<tenant>/<kind>/<name>`.
 *
 * *Guarantees*
 * - A key waits at most once, however often it is added, and runs at most once at a time. Added while it runs, it runs
 *   again afterwards. So the last change is always seen, and ten changes in a row cost one or two passes.
 * - Tenants take turns, and each has at most `tenantConcurrency` keys running.
 * - Changes go before resyncs; every eighth turn is a resync's, so that none starves.
 * - A delay (`afterMs`, a retry) is forgotten as soon as the key runs: each pass decides anew when to look again.
 */
export interface Queue {
  add(key: string, options?: { readonly afterMs?: number; readonly priority?: Priority }): void;
  /** Takes the next key, or undefined when none may run now. Each taken key must be given back with `done`. */
  take(): string | undefined;
  done(key: string): void;
  /** Adds the key again after its backoff, which grows with each retry until `forget`. Returns the delay. */
  retry(key: string): number;
  forget(key: string): void;
  /** Keys that wait to run now, delayed ones not counted. */
  readonly depth: number;
  /** Drops what waits and refuses more. */
  close(): void;
}

/** What a queue is made of. `onReady` is called when a key may have become ready to take. */
export interface QueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly backoff: Backoff;
  readonly tenantConcurrency: number;
  readonly onReady: () => void;
}

const RESYNC_EVERY = 8;
const DURATION_BUCKETS = [1e-4, 1e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** Creates an empty queue. Metric names and labels are client-go's, so that existing dashboards read them. */
export const createQueue = (options: QueueOptions): Queue => {
  const { clock, random, backoff, tenantConcurrency, onReady } = options;
  const metrics = queueMetrics(options);
  const lines = { change: createTurns(), resync: createTurns() };
  const delayed = new Map<string, { dueMs: number; timer: Timer }>();
  const running = new Map<string, { sinceMs: number; again?: Priority }>();
  const runningOfTenant = new Map<string, number>();
  const waitingSinceMs = new Map<string, number>();
  const attempts = new Map<string, number>();
  let turn = 0;
  let closed = false;

  const depth = (): number => lines.change.size + lines.resync.size;
  const addNow = (key: string, priority: Priority): void => {
    const run = running.get(key);
    if (run) {
      if (run.again !== 'change') run.again = priority;
      return;
    }
    if (priority === 'resync' && waitingSinceMs.has(key)) return;
    if (priority === 'change') lines.resync.remove(key);
    if (!lines[priority].add(key)) return;
    if (!waitingSinceMs.has(key)) waitingSinceMs.set(key, clock.monotonicMs());
    metrics.added(depth());
    onReady();
  };
  const addLater = (key: string, afterMs: number, priority: Priority): void => {
    const dueMs = clock.monotonicMs() + afterMs;
    const present = delayed.get(key);
    if (present && present.dueMs <= dueMs) return;
    present?.timer.cancel();
    const timer = clock.after(afterMs, () => {
      delayed.delete(key);
      addNow(key, priority);
    });
    delayed.set(key, { dueMs, timer });
  };
  const mayRun = (tenant: string): boolean => (runningOfTenant.get(tenant) ?? 0) < tenantConcurrency;
  const pick = (): string | undefined => {
    turn += 1;
    const [first, second] = turn % RESYNC_EVERY === 0 ? [lines.resync, lines.change] : [lines.change, lines.resync];
    return first.take(mayRun) ?? second.take(mayRun);
  };
  const add: Queue['add'] = (key, { afterMs = 0, priority = 'change' } = {}) => {
    if (closed) return;
    if (afterMs > 0) addLater(key, afterMs, priority);
    else addNow(key, priority);
  };

  return {
    add,
    take() {
      const key = closed ? undefined : pick();
      if (key === undefined) return undefined;
      delayed.get(key)?.timer.cancel();
      delayed.delete(key);
      const nowMs = clock.monotonicMs();
      running.set(key, { sinceMs: nowMs });
      const tenant = tenantOf(key);
      runningOfTenant.set(tenant, (runningOfTenant.get(tenant) ?? 0) + 1);
      metrics.taken(depth(), nowMs - (waitingSinceMs.get(key) ?? nowMs));
      waitingSinceMs.delete(key);
      return key;
    },
    done(key) {
      const run = running.get(key);
      if (!run) return;
      running.delete(key);
      const tenant = tenantOf(key);
      const left = (runningOfTenant.get(tenant) ?? 1) - 1;
      if (left > 0) runningOfTenant.set(tenant, left);
      else runningOfTenant.delete(tenant);
      metrics.worked(clock.monotonicMs() - run.sinceMs);
      if (run.again) add(key, { priority: run.again });
      onReady();
    },
    retry(key) {
      const attempt = (attempts.get(key) ?? 0) + 1;
      attempts.set(key, attempt);
      const afterMs = backoffMs(backoff, attempt, random);
      metrics.retried();
      add(key, { afterMs });
      return afterMs;
    },
    forget: (key) => void attempts.delete(key),
    get depth() {
      return depth();
    },
    close() {
      closed = true;
      for (const { timer } of delayed.values()) timer.cancel();
      delayed.clear();
    },
  };
};

const queueMetrics = ({ name, metrics }: QueueOptions) => {
  const labels = ['name'];
  const of = { name };
  const depth = metrics.gauge({ name: 'workqueue_depth', help: 'Keys that wait to run', labels });
  const adds = metrics.counter({ name: 'workqueue_adds_total', help: 'Keys added', labels });
  const retries = metrics.counter({
    name: 'workqueue_retries_total',
    help: 'Keys added again after a failure',
    labels,
  });
  const waited = metrics.histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long a key waits before it runs',
    labels,
    buckets: DURATION_BUCKETS,
  });
  const work = metrics.histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long one pass over a key takes',
    labels,
    buckets: DURATION_BUCKETS,
  });
  return {
    added(now: number) {
      adds.add(of);
      depth.set(now, of);
    },
    taken(now: number, waitedMs: number) {
      depth.set(now, of);
      waited.observe(waitedMs / 1000, of);
    },
    worked: (workedMs: number) => work.observe(workedMs / 1000, of),
    retried: () => retries.add(of),
  };
};
