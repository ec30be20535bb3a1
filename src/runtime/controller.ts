// Runs one reconcile function over a queue of keys, and turns each end into what happens next.
import type { Backoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { isFault, messageOf } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Random } from '../lib/random.ts';
import { outcomeOfError, outcomeOfResult, type Outcome, type ReconcileResult } from './outcome.ts';
import { createQueue, type Priority } from './queue.ts';

/** What a pass gets besides its key. */
export interface ReconcileContext {
  /** Aborts when the pass has to end now. */
  readonly signal: AbortSignal;
  /** Carries the key and the run id. */
  readonly log: Logger;
  /** The id of this pass, eight hex digits. */
  readonly runId: string;
}

/**
 * Makes one key right. It is never told which event woke it: it reads the present state, does what is missing, and says
 * when to look again. What it throws decides how it is tried again (`runtime/outcome`).
 */
export type Reconcile = (key: string, context: ReconcileContext) => Promise<ReconcileResult>;

/**
 * A running reconcile function.
 *
 * *Guarantees*: no pass runs inside of `start` or `enqueue`; nothing is taken after `stop` was called; `stop` returns
 * when no pass runs any more.
 */
export interface Controller {
  /** Begins to take keys, those included that were enqueued before. */
  start(): void;
  /** Takes no more keys and waits for passes under way; after `graceMs` their signal aborts. */
  stop(): Promise<void>;
  /** Asks for a pass over `key`, now or after `afterMs`. */
  enqueue(key: string, options?: { readonly afterMs?: number; readonly priority?: Priority }): void;
}

/** What a controller is made of. */
export interface ControllerOptions {
  readonly name: string;
  readonly reconcile: Reconcile;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Passes at once, over all tenants. */
  readonly concurrency: number;
  /** Passes at once for one tenant; a quarter of `concurrency`, at least one, unless told. */
  readonly tenantConcurrency?: number;
  readonly backoff?: Backoff;
  readonly graceMs?: number;
  /** Aborts when the right to work is lost: passes under way are aborted without grace. */
  readonly lost?: AbortSignal;
}

const DEFAULT_BACKOFF: Backoff = { minMs: 200, maxMs: 60_000, factor: 2 };
const DEFAULT_GRACE_MS = 10_000;
const DURATION_BUCKETS = [1e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** Creates a controller that does nothing until it is started. Metric names are controller-runtime's. */
export const createController = (options: ControllerOptions): Controller => {
  const { name, clock, random, concurrency } = options;
  const log = options.log.with({ controller: name });
  const metrics = controllerMetrics(options);
  const failures = createFailureLog(log);
  const abort = new AbortController();
  const signal = options.lost ? AbortSignal.any([abort.signal, options.lost]) : abort.signal;
  let running = false;
  let stopping: Promise<void> | undefined;

  const queue = createQueue({
    ...options,
    backoff: options.backoff ?? DEFAULT_BACKOFF,
    tenantConcurrency: options.tenantConcurrency ?? Math.max(1, Math.floor(concurrency / 4)),
    onReady: () => workers.wake(),
  });

  const follow = (key: string, outcome: Outcome): void => {
    const { again } = outcome;
    if (again.when === 'backoff') {
      queue.retry(key);
      return;
    }
    queue.forget(key);
    if (again.when === 'after') queue.add(key, { afterMs: Math.max(again.afterMs, 1) });
  };

  const pass = async (key: string): Promise<void> => {
    const runId = random.uuid().slice(0, 8);
    const startMs = clock.monotonicMs();
    let outcome: Outcome;
    try {
      outcome = outcomeOfResult(await options.reconcile(key, { signal, log: log.with({ key, runId }), runId }));
      failures.forget(key);
    } catch (error) {
      if (signal.aborted) return; // it was told to end; whoever works next begins with everything
      outcome = outcomeOfError(error);
      failures.add({ key, runId, error, outcome });
    }
    metrics.passed(outcome, clock.monotonicMs() - startMs);
    follow(key, outcome);
  };
  const workers = createWorkers({
    concurrency,
    take: () => (running && !signal.aborted ? queue.take() : undefined),
    run: pass,
    ended: queue.done,
    onActive: metrics.active,
  });

  const stop = async (): Promise<void> => {
    running = false;
    queue.close();
    const timer = clock.after(options.graceMs ?? DEFAULT_GRACE_MS, () => abort.abort());
    await workers.idle();
    timer.cancel();
  };
  return {
    start() {
      running = stopping === undefined;
      workers.wake();
    },
    stop: () => (stopping ??= stop()),
    enqueue: (key, when) => queue.add(key, when),
  };
};

/** Runs the keys that `take` gives, `concurrency` at once; asks for them whenever it is woken or a run has ended. */
const createWorkers = (options: {
  readonly concurrency: number;
  readonly take: () => string | undefined;
  readonly run: (key: string) => Promise<void>;
  readonly ended: (key: string) => void;
  readonly onActive: (count: number) => void;
}) => {
  const { concurrency, take, run, ended, onActive } = options;
  const underWay = new Set<Promise<void>>();
  let waking = false;
  const begin = (key: string): void => {
    const running = run(key).finally(() => {
      underWay.delete(running);
      onActive(underWay.size);
      ended(key);
      wake();
    });
    underWay.add(running);
    onActive(underWay.size);
  };
  const takeAll = (): void => {
    waking = false;
    while (underWay.size < concurrency) {
      const key = take();
      if (key === undefined) return;
      begin(key);
    }
  };
  // In a turn of its own, so that who enqueues never finds itself inside of a pass, and keys enqueued together are
  // weighed against each other before the first one is taken.
  const wake = (): void => {
    if (waking) return;
    waking = true;
    queueMicrotask(takeAll);
  };
  return {
    wake,
    /** Returns when the runs now under way have ended. */
    idle: () => Promise.allSettled(underWay),
  };
};

/** Keys whose last fault is remembered: enough for every one that fails, and an end for those that are gone. */
const MOST_SAID = 10_000;

/** Says what went wrong with a key once, not at each retry, until it changes or ends well. */
const createFailureLog = (log: Logger) => {
  const said = new Map<string, string>();
  return {
    add({ key, runId, error, outcome }: { key: string; runId: string; error: unknown; outcome: Outcome }) {
      const reason = isFault(error) ? error.reason : 'Unexpected';
      const text = `${reason}: ${messageOf(error)}`;
      const repeated = said.get(key) === text;
      said.delete(key); // and in again at the end, so that the first is the one not heard of for longest
      said.set(key, text);
      if (said.size > MOST_SAID) said.delete(said.keys().next().value ?? '');
      if (!outcome.log) return;
      const level = repeated ? 'debug' : outcome.log;
      const cause = outcome.log === 'error' && !repeated ? { err: error } : {};
      log[level](messageOf(error), { key, runId, reason, ...cause });
    },
    forget: (key: string) => void said.delete(key),
  };
};

const controllerMetrics = ({ name, metrics, concurrency }: ControllerOptions) => {
  const of = { controller: name };
  const total = metrics.counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Passes by controller and result',
    labels: ['controller', 'result'],
  });
  const errors = metrics.counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Passes that ended with an internal error',
    labels: ['controller'],
  });
  const seconds = metrics.histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'How long a pass takes',
    labels: ['controller'],
    buckets: DURATION_BUCKETS,
  });
  const active = metrics.gauge({
    name: 'controller_runtime_active_workers',
    help: 'Passes under way',
    labels: ['controller'],
  });
  const most = metrics.gauge({
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'Passes at once, at most',
    labels: ['controller'],
  });
  most.set(concurrency, of);
  active.set(0, of);
  errors.add(of, 0); // there from the first reading on
  return {
    active: (count: number) => active.set(count, of),
    passed(outcome: Outcome, tookMs: number) {
      total.add({ ...of, result: outcome.result });
      if (outcome.result === 'error') errors.add(of);
      seconds.observe(tookMs / 1000, of);
    },
  };
};
