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
import { createOutage } from './outage.ts';
import { createReflector, type StepObserver } from './reflector.ts';
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
  const counters = createCounters(options.metrics, resourceName);
  const outage = createOutage(log, clock);
  const firstListing = createLatch();
  const stopping = new AbortController();
  const reflector = createReflector({
    ...{ client, resource, store, clock, random, log },
    selection: selectionOf(options),
    prepare: (object) => slim(object, options.transform, log),
  });
  let state: WatcherState = 'idle';
  let running: Promise<void> | undefined;

  /** One step; undefined when it ended as steps do, so that the next follows at once. */
  const step = async (signal: AbortSignal): Promise<unknown> => {
    const stream: { health: 'unopened' | 'opened' | 'healthy'; timer?: Timer } = { health: 'unopened' };
    const observer: StepObserver = {
      listing() {
        state = 'listing';
        stream.health = 'unopened';
        stream.timer?.cancel();
      },
      listed() {
        if (firstListing.isOpen) counters.relisted();
        firstListing.open();
        if (stream.health !== 'unopened') state = 'watching';
      },
      opened(resumed) {
        if (resumed) counters.reconnected();
        if (resumed) state = 'watching';
        stream.health = 'opened';
        stream.timer = clock.after(HEALTHY_AFTER_MS, () => {
          stream.health = 'healthy';
          outage.recovered('the watch works again');
        });
      },
    };
    try {
      await reflector.step(signal, observer);
      return stream.health === 'opened'
        ? new Fault('internal', 'ApiUnavailable', 'the watch ended as soon as it began')
        : undefined;
    } catch (error) {
      return stream.health === 'healthy' && reflector.resumes ? undefined : error;
    } finally {
      stream.timer?.cancel();
    }
  };

  const pause = async (failure: unknown, signal: AbortSignal): Promise<void> => {
    state = 'waiting';
    if (isGone(failure) && outage.failures === 0) outage.missed();
    else outage.failed(...describe(failure));
    const shape = isNotFound(failure) ? missingKindBackoff : backoff;
    await sleep(clock, backoffMs(shape, outage.failures, random), signal);
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const failure = await step(signal);
      if (failure !== undefined && !signal.aborted) await pause(failure, signal).catch(() => undefined); // stopped
    }
  };

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
      if (stopping.signal.aborted) return;
      running ??= run(stopping.signal);
    },
    async stop() {
      stopping.abort();
      await running;
      state = 'stopped';
      firstListing.fail(new Fault('internal', 'Stopping', `the watcher of ${resourceName} was stopped`));
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

const describe = (failure: unknown) => {
  const reason = failure instanceof ApiError ? `${failure.code} ${failure.reason}` : reasonOf(failure);
  const message = isNotFound(failure)
    ? 'the API server does not know this kind yet; it is asked again'
    : 'the watch is down; it is tried again until it works';
  return [message, { reason, err: failure }] as const;
};

const reasonOf = (failure: unknown): string => (failure instanceof Fault ? failure.reason : messageOf(failure));

const createCounters = (metrics: Metrics, resource: string) => {
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
const createLatch = () => {
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
