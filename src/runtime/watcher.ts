// Keeps the cache of one kind equal to what the API server has: lists once, then follows the watch, for ever.
import { backoffMs } from '../lib/backoff.ts';
import { sleep, type Clock, type Timer } from '../lib/clock.ts';
import { Fault, messageOf } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Random } from '../lib/random.ts';
import type { KubeClient, Selection } from '../kube/client.ts';
import type { KubeObject, ResourceType } from '../kube/object.ts';
import { ApiError, isGone, isNotFound } from '../kube/status-error.ts';
import { createOutage, type Outage } from './outage.ts';
import { createReflector, type Reflector, type StepObserver } from './reflector.ts';
import { untilAborted } from './until-aborted.ts';
import { createStore, type Indexers, type StoreReader } from './store.ts';

/** What is watched, and with what. */
export interface WatcherOptions<T extends KubeObject> extends Selection {
  readonly client: KubeClient;
  readonly resource: ResourceType<T>;
  /** Makes the object smaller before it is cached; `metadata.managedFields` has gone by then. */
  readonly transform?: (object: T) => T;
  readonly indexers?: Indexers<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/**
 * What a watcher is doing.
 * - `idle`: not started.
 * - `listing`: reads everything, by a watch that begins with the present objects or page by page.
 * - `watching`: the stream is open and the cache follows it.
 * - `waiting`: something failed; the next attempt comes after the backoff. The cache keeps what it has.
 * - `stopped`: for good.
 */
export type WatcherState = 'idle' | 'listing' | 'watching' | 'waiting' | 'stopped';

/**
 * The cache of one kind and what fills it.
 *
 * *Guarantees*: it never gives up; what was deleted while it couldn't see is reported as deleted, by UID; nothing is
 * reported as deleted because a listing failed or was cut short, or because the server doesn't know the kind.
 * *Caveat*: a cache lags. Who must be sure reads live.
 */
export interface Watcher<T extends KubeObject> {
  readonly store: StoreReader<T>;
  /** True from the first complete listing on. */
  readonly synced: boolean;
  readonly state: WatcherState;
  /** @throws the signal's reason, or Fault('internal', 'Stopping'). */
  whenSynced(signal?: AbortSignal): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

const backoff = { minMs: 800, maxMs: 30_000, factor: 2 };
/** Asking for a kind that isn't there yet costs little, and someone waits for it. */
const missingKindBackoff = { ...backoff, maxMs: 5_000 };
/** A stream that lived this long works; one that ended sooner counts as a failure, else a bad server is hammered. */
const HEALTHY_AFTER_MS = 1_000;

/** Creates a watcher; nothing is read before `start`. */
export const createWatcher = <T extends KubeObject>(options: WatcherOptions<T>): Watcher<T> => {
  const { client, resource, clock, random } = options;
  const resourceName = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
  const log = options.log.with({ component: 'watcher', resource: resourceName });
  const store = createStore<T>({ ...(options.indexers ? { indexers: options.indexers } : {}), log });
  const outage = createOutage(log, clock);
  const firstListing = createLatch();
  const stopping = new AbortController();
  const prepare = (object: T): T => slim(object, options.transform, log);
  const selection = selectionOf(options);
  const reflector = createReflector({ client, resource, selection, store, prepare, clock, random, log });
  let state: WatcherState = 'idle';
  const step = createStep({
    reflector,
    clock,
    outage,
    firstListing,
    counters: createCounters(options.metrics, resourceName),
    enter: (next) => (state = next),
  });
  const pause = async (failure: unknown, signal: AbortSignal): Promise<void> => {
    state = 'waiting';
    if (isUsual(failure, outage.failures)) outage.missed();
    else outage.failed(...describe(failure));
    const shape = isNotFound(failure) ? missingKindBackoff : backoff;
    const afterMs = Math.max(toldToWaitMs(failure) ?? 0, backoffMs(shape, outage.failures, random));
    await sleep(clock, afterMs, signal).catch(() => undefined); // stopped
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const failure = await step(signal);
      if (failure !== undefined && !signal.aborted) await pause(failure, signal);
    }
  };
  let running: Promise<void> | undefined;
  return {
    store,
    get synced() {
      return firstListing.isOpen;
    },
    get state() {
      return state;
    },
    whenSynced: (signal) => firstListing.wait(signal),
    start() {
      if (!stopping.signal.aborted) running ??= run(stopping.signal);
    },
    async stop() {
      stopping.abort();
      await running;
      state = 'stopped';
      firstListing.fail(new Fault('internal', 'Stopping', `the watcher of ${resourceName} was stopped`));
    },
  };
};

/** Makes one step; what it returns is the failure to wait for, undefined where the next step may follow at once. */
const createStep = (parts: {
  readonly reflector: Reflector;
  readonly clock: Clock;
  readonly outage: Outage;
  readonly firstListing: Latch;
  readonly counters: Counters;
  readonly enter: (state: WatcherState) => void;
}) => {
  const { reflector, clock, outage, firstListing, counters, enter } = parts;
  return async (signal: AbortSignal): Promise<unknown> => {
    const health = createHealth(clock, () => outage.recovered('the watch works again'));
    const observer: StepObserver = {
      listing() {
        enter('listing');
        health.reset();
      },
      listed() {
        if (firstListing.isOpen) counters.relisted();
        firstListing.open();
        if (health.state !== 'unopened') enter('watching');
      },
      opened(resumed) {
        health.opened();
        if (!resumed) return;
        counters.reconnected();
        enter('watching');
      },
    };
    try {
      await reflector.step(signal, observer);
      return health.state === 'opened' ? new Fault('internal', 'ApiUnavailable', 'the watch ended at once') : undefined;
    } catch (error) {
      return health.state === 'healthy' && reflector.resumes ? undefined : error;
    } finally {
      health.reset();
    }
  };
};

/** Whether a step's stream has lived long enough to count as one that works. */
const createHealth = (clock: Clock, onHealthy: () => void) => {
  let state: 'unopened' | 'opened' | 'healthy' = 'unopened';
  let timer: Timer | undefined;
  return {
    get state() {
      return state;
    },
    opened() {
      state = 'opened';
      timer = clock.after(HEALTHY_AFTER_MS, () => {
        state = 'healthy';
        onHealthy();
      });
    },
    reset() {
      state = 'unopened';
      timer?.cancel();
    },
  };
};

const selectionOf = ({ namespace, labelSelector, fieldSelector }: Selection): Selection => ({
  ...(namespace === undefined ? {} : { namespace }),
  ...(labelSelector === undefined ? {} : { labelSelector }),
  ...(fieldSelector === undefined ? {} : { fieldSelector }),
});

/** Takes out what nobody reads: `managedFields` alone is nearly half of an object in memory. */
const slim = <T extends KubeObject>(object: T, transform: ((object: T) => T) | undefined, log: Logger): T => {
  delete object.metadata.managedFields;
  if (!transform) return object;
  try {
    return transform(object);
  } catch (err) {
    log.error('an object could not be made smaller; it is cached whole', { key: object.metadata.name, err });
    return object;
  }
};

/** How often the server may tell us to wait, as it does for some seconds after a kind was defined. */
const PATIENCE = 5;

const toldToWaitMs = (failure: unknown): number | undefined =>
  failure instanceof ApiError && failure.code === 429 ? failure.retryAfterMs : undefined;

/** Whether a failure belongs to normal life: our place was forgotten while nobody watched, or we are told to wait. */
const isUsual = (failure: unknown, failures: number): boolean =>
  isGone(failure) ? failures === 0 : toldToWaitMs(failure) !== undefined && failures < PATIENCE;

const describe = (failure: unknown) => {
  const reason = failure instanceof ApiError ? `${failure.code} ${failure.reason}` : reasonOf(failure);
  const message = isNotFound(failure)
    ? 'the API server does not know this kind yet; it is asked again'
    : 'the watch is down; it is tried again until it works';
  const cause = toldToWaitMs(failure) === undefined ? { err: failure } : {};
  return [message, { reason, ...cause }] as const;
};

const reasonOf = (failure: unknown): string => (failure instanceof Fault ? failure.reason : messageOf(failure));

interface Counters {
  relisted(): void;
  reconnected(): void;
}

const createCounters = (metrics: Metrics, resource: string): Counters => {
  const labels = ['resource'];
  const relists = metrics.counter({
    name: 'watcher_relists_total',
    help: 'Complete listings after the first.',
    labels,
  });
  const reconnects = metrics.counter({
    name: 'watcher_reconnects_total',
    help: 'Watches opened from a known place.',
    labels,
  });
  return { relisted: () => relists.add({ resource }), reconnected: () => reconnects.add({ resource }) };
};

/** Opens once. */
interface Latch {
  readonly isOpen: boolean;
  open(): void;
  fail(error: Error): void;
  wait(signal?: AbortSignal): Promise<void>;
}

const createLatch = (): Latch => {
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => undefined); // who doesn't wait need not hear of the failure
  let isOpen = false;
  return {
    get isOpen() {
      return isOpen;
    },
    open() {
      isOpen = true;
      opened.resolve();
    },
    fail: (error: Error) => opened.reject(error),
    wait: (signal?: AbortSignal): Promise<void> => untilAborted(opened.promise, signal),
  };
};
