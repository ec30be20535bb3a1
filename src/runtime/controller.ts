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
  /** Aborts when the controller has to stop now. */
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

/** A running reconcile function. */
export interface Controller {
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
}

const DEFAULT_BACKOFF: Backoff = { minMs: 200, maxMs: 60_000, factor: 2 };
const DEFAULT_GRACE_MS = 10_000;
const DURATION_BUCKETS = [1e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** Creates a controller that does nothing until it is started. Metric names are controller-runtime's. */
export const createController = (options: ControllerOptions): Controller => {
  const { name, clock, random, concurrency } = options;
  const log = options.log.with({ controller: name });
  const metrics = controllerMetrics(options);
  const say = createReporter(log);
  const abort = new AbortController();
  const underWay = new Set<Promise<void>>();
  let running = false;

  const queue = createQueue({
    ...options,
    backoff: options.backoff ?? DEFAULT_BACKOFF,
    tenantConcurrency: options.tenantConcurrency ?? Math.max(1, Math.floor(concurrency / 4)),
    onReady: () => pump(),
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
      const context = { signal: abort.signal, log: log.with({ key, runId }), runId };
      outcome = outcomeOfResult(await options.reconcile(key, context));
      say.forget(key);
    } catch (error) {
      outcome = outcomeOfError(error);
      if (!abort.signal.aborted) say.failed({ key, runId, error, outcome });
    }
    metrics.passed(outcome, clock.monotonicMs() - startMs);
    follow(key, outcome);
    queue.done(key);
  };

  const pump = (): void => {
    while (running && underWay.size < concurrency) {
      const key = queue.take();
      if (key === undefined) return;
      const run: Promise<void> = pass(key).finally(() => {
        underWay.delete(run);
        pump();
      });
      underWay.add(run);
      metrics.active(underWay.size);
    }
  };

  return {
    start() {
      running = true;
      pump();
    },
    async stop() {
      running = false;
      queue.close();
      const timer = clock.after(options.graceMs ?? DEFAULT_GRACE_MS, () => abort.abort());
      await Promise.allSettled(underWay);
      timer.cancel();
    },
    enqueue: (key, when) => queue.add(key, when),
  };
};

/** Says what went wrong with a key once, not at each retry, until it changes or ends well. */
const createReporter = (log: Logger) => {
  const said = new Map<string, string>();
  return {
    failed({ key, runId, error, outcome }: { key: string; runId: string; error: unknown; outcome: Outcome }) {
      const reason = isFault(error) ? error.reason : 'Unexpected';
      const text = `${reason}: ${messageOf(error)}`;
      const repeated = said.get(key) === text;
      said.set(key, text);
      if (!outcome.log) return;
      const level = repeated ? 'debug' : outcome.log;
      const cause = outcome.log === 'error' && !repeated ? { err: error } : {};
      log[level](messageOf(error), { key, runId, reason, ...cause });
    },
    forget: (key: string) => void said.delete(key),
  };
};

const controllerMetrics = ({ name, metrics }: ControllerOptions) => {
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
  return {
    active: (count: number) => active.set(count, of),
    passed(outcome: Outcome, tookMs: number) {
      total.add({ ...of, result: outcome.result });
      if (outcome.result === 'error') errors.add(of);
      seconds.observe(tookMs / 1000, of);
    },
  };
};
