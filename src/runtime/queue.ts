// The work queue of a controller: keys, not events.
import { backoffMs, type Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createQueueMetrics } from './queue-metrics.ts';
import { createTurns, tenantOf } from './turns.ts';

/** Why a key is queued: something changed, or it is only looked at again. Changes go first. */
export type Priority = 'change' | 'resync';

/**
 * A queue of keys `<tenant>/<kind>/<name>`.
 *
 * *Guarantees*
 * - A key waits at most once, however often it is added, and runs at most once at a time. Added while it runs, it runs
 *   again afterwards, at once. So the last change is always seen, and ten changes in a row cost one or two passes.
 * - Tenants take turns, and each has at most `tenantConcurrency` keys running.
 * - Changes go before resyncs, but after seven changes in a row a resync that may run is next, so that none starves.
 * - Of several delays (`afterMs`, a retry) the earliest counts. It is forgotten as soon as the key runs: each pass
 *   decides anew when to look again.
 * - Nothing is kept of a key that neither waits nor runs nor has failed since its last `forget`.
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
  /** Drops what waits and refuses more. Keys that run are still given back. */
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

const CHANGES_PER_RESYNC = 7;

/** Creates an empty queue. */
export const createQueue = (options: QueueOptions): Queue => {
  const { clock, random, backoff, onReady } = options;
  const lines = { change: createTurns(), resync: createTurns() };
  const waitingSinceMs = new Map<string, number>();
  const running = createRunning(options.tenantConcurrency);
  const attempts = new Map<string, number>();
  let changesInARow = 0;
  let closed = false;
  const depth = (): number => waitingSinceMs.size;
  const metrics = createQueueMetrics({ ...options, depth, sinceMs: running.sinceMs });

  const addNow = (key: string, priority: Priority): void => {
    if (running.again(key, priority)) return;
    const waits = waitingSinceMs.has(key);
    if (waits && (priority === 'resync' || !lines.resync.remove(key))) return;
    lines[priority].add(key);
    if (waits) return; // it only moved to the front
    waitingSinceMs.set(key, clock.monotonicMs());
    metrics.added();
    onReady();
  };
  const delayed = createDelays(clock, addNow);
  const pick = (): string | undefined => {
    const resyncIsDue = changesInARow >= CHANGES_PER_RESYNC;
    const order: readonly Priority[] = resyncIsDue ? ['resync', 'change'] : ['change', 'resync'];
    for (const priority of order) {
      const key = lines[priority].take(running.mayRun);
      if (key === undefined) continue;
      changesInARow = priority === 'change' ? changesInARow + 1 : 0;
      return key;
    }
    return undefined;
  };
  const add: Queue['add'] = (key, { afterMs = 0, priority = 'change' } = {}) => {
    if (closed) return;
    if (afterMs > 0) delayed.add(key, afterMs, priority);
    else addNow(key, priority);
  };

  return {
    add,
    take() {
      const key = pick();
      if (key === undefined) return undefined;
      delayed.cancel(key);
      const nowMs = clock.monotonicMs();
      metrics.taken(nowMs - (waitingSinceMs.get(key) ?? nowMs));
      waitingSinceMs.delete(key);
      running.begin(key, nowMs);
      return key;
    },
    done(key) {
      const run = running.end(key);
      if (!run) return;
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
      for (const dropped of [delayed, waitingSinceMs, attempts, lines.change, lines.resync]) dropped.clear();
      metrics.close();
    },
  };
};

const urgent = (one: Priority | undefined, other: Priority): Priority => (one === 'change' ? one : other);

/**
 * Keys that are due later: each once, at the earliest time and with the highest priority that it was given. What is due in
 * the same millisecond is due together, so that its passes can share their statements.
 */
const createDelays = (clock: Clock, onDue: (key: string, priority: Priority) => void) => {
  const delays = new Map<string, { readonly dueMs: number; readonly priority: Priority }>();
  const moments = new Map<number, { readonly keys: Set<string>; readonly timer: Timer }>();
  const take = (key: string): Priority | undefined => {
    const delay = delays.get(key);
    if (!delay) return undefined;
    delays.delete(key);
    const moment = moments.get(delay.dueMs);
    moment?.keys.delete(key);
    if (moment?.keys.size === 0) {
      moment.timer.cancel();
      moments.delete(delay.dueMs);
    }
    return delay.priority;
  };
  const release = (dueMs: number): void => {
    for (const key of moments.get(dueMs)?.keys ?? []) {
      const priority = take(key);
      if (priority) onDue(key, priority);
    }
  };
  return {
    cancel: (key: string): void => void take(key),
    add(key: string, afterMs: number, given: Priority): void {
      const present = delays.get(key);
      const priority = urgent(present?.priority, given);
      const nowMs = clock.monotonicMs();
      const dueMs = Math.min(Math.ceil(nowMs + afterMs), present?.dueMs ?? Infinity);
      take(key);
      delays.set(key, { dueMs, priority });
      const moment = moments.get(dueMs);
      if (moment) moment.keys.add(key);
      else moments.set(dueMs, { keys: new Set([key]), timer: clock.after(dueMs - nowMs, () => release(dueMs)) });
    },
    clear(): void {
      for (const key of delays.keys()) take(key);
    },
  };
};

interface Run {
  readonly sinceMs: number;
  /** Set when the key was added while it runs. */
  again?: Priority;
}

/** The keys that run, counted by tenant. */
const createRunning = (tenantConcurrency: number) => {
  const runs = new Map<string, Run>();
  const ofTenant = new Map<string, number>();
  const count = (key: string, by: number): void => {
    const tenant = tenantOf(key);
    const now = (ofTenant.get(tenant) ?? 0) + by;
    if (now > 0) ofTenant.set(tenant, now);
    else ofTenant.delete(tenant);
  };
  return {
    mayRun: (tenant: string): boolean => (ofTenant.get(tenant) ?? 0) < tenantConcurrency,
    begin(key: string, sinceMs: number): void {
      runs.set(key, { sinceMs });
      count(key, 1);
    },
    /** Notes that the key has to run again; false when it does not run. */
    again(key: string, priority: Priority): boolean {
      const run = runs.get(key);
      if (run) run.again = urgent(run.again, priority);
      return run !== undefined;
    },
    end(key: string): Run | undefined {
      const run = runs.get(key);
      if (runs.delete(key)) count(key, -1);
      return run;
    },
    sinceMs: (): number[] => [...runs.values()].map((run) => run.sinceMs),
  };
};
