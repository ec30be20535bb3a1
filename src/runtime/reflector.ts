// One step of mirroring a kind into a store: read everything, or follow the watch from where we stand.
import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { KubeClient, Selection, WatchEvent } from '../kube/client.ts';
import { objectKey, type KubeObject, type ResourceType } from '../kube/object.ts';
import { ApiError, isGone, isInvalid } from '../kube/status-error.ts';
import { listAll } from './list-all.ts';
import { guardSilence, type SilenceGuard } from './silence.ts';
import type { Store } from './store.ts';

/**
 * Where the mirror stands.
 * - `empty`: there is no resourceVersion to go on from, so everything must be read.
 * - `following`: the store is what the server had at `resourceVersion`; a watch goes on from there.
 *
 * ```
 *            pages, or initial events          end of stream, broken connection
 *   empty ───────────────────────────▶ following ──────┐
 *     ▲                                   │    ▲───────┘
 *     └── 410, ERROR frame, bad request ──┘
 * ```
 */
type Position = { readonly name: 'empty' } | { readonly name: 'following'; readonly resourceVersion: string };

/** What a step tells on its way. */
export interface StepObserver {
  /** Everything is being read; what was opened before counts no more. */
  listing(): void;
  /** The store holds a complete listing. */
  listed(): void;
  /** The server accepted a watch; `resumed` when it goes on from a known place. */
  opened(resumed: boolean): void;
}

/** Mirrors one kind into a store, step by step; the caller paces the steps. */
export interface Reflector {
  /** Whether the next step goes on from where this one ended, without reading everything. */
  readonly resumes: boolean;
  /**
   * Reads everything, or follows one watch to its end. Throws what ended it otherwise; the next step goes on from the
   * last event, or reads everything where the server no longer knows our place.
   */
  step(signal: AbortSignal, observer: StepObserver): Promise<void>;
}

/** What is mirrored, and with what. */
export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly resource: ResourceType<T>;
  readonly selection: Selection;
  readonly store: Store<T>;
  /** Makes an object ready for the store. */
  readonly prepare: (object: T) => T;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Silence that is allowed in a watch that should begin with the present objects, before they are complete. */
const INITIAL_SILENCE_MS = 10_000;
/** Beyond `timeoutSeconds`, after which the server should have ended the watch. */
const SLACK_MS = 30_000;
/** After a bookmark: an API server sends one about each minute, so this long without a word is a dead stream. */
const BOOKMARK_SILENCE_MS = 180_000;

/** Creates a mirror that knows nothing yet. */
export const createReflector = <T extends KubeObject>(options: ReflectorOptions<T>): Reflector => {
  const { client, resource, selection, store, prepare, random, log } = options;
  let position: Position = { name: 'empty' };
  let servesInitialEvents = true;

  const list = async (signal: AbortSignal, observer: StepObserver): Promise<void> => {
    const { objects, resourceVersion } = await listAll({ client, resource, selection, signal });
    store.replace(objects.map(prepare));
    position = { name: 'following', resourceVersion };
    observer.listed();
  };

  /** Takes the events of one watch; `initial` gathers the present objects until they are complete. */
  const createIntake = (guard: SilenceGuard, silenceMs: number, observer: StepObserver) => {
    let initial = position.name === 'empty' ? new Map<string, T>() : undefined;
    return {
      complete: () => initial === undefined,
      take(event: Exclude<WatchEvent<T>, { type: 'ERROR' }>): void {
        guard.heard();
        const { resourceVersion = '' } = event.object.metadata;
        if (!initial) {
          applyTo(store, event, prepare);
          if (event.type === 'BOOKMARK') guard.allow(Math.min(BOOKMARK_SILENCE_MS, silenceMs));
        } else if (event.type !== 'BOOKMARK') {
          gather(initial, event, prepare);
          return; // a place before the end of the present objects is none to go on from
        } else {
          if (!isEndOfInitialEvents(event.object))
            throw new WishIgnored('a bookmark came before the present objects ended');
          store.replace([...initial.values()]);
          initial = undefined;
          guard.allow(silenceMs);
          observer.listed();
        }
        position = { name: 'following', resourceVersion };
      },
    };
  };

  const follow = async (signal: AbortSignal, observer: StepObserver): Promise<void> => {
    const timeoutSeconds = Math.round(300 + 300 * random.next());
    const silenceMs = timeoutSeconds * 1000 + SLACK_MS;
    const from = position;
    const guard = guardSilence({
      clock: options.clock,
      limitMs: silenceMs,
      signal,
      reasonOf: (limitMs) =>
        intake.complete()
          ? silent(limitMs)
          : new WishIgnored(`nothing came for ${limitMs} ms before the present objects ended`),
    });
    const intake = createIntake(guard, silenceMs, observer);
    const onOpen = (): void => {
      if (!intake.complete()) guard.allow(INITIAL_SILENCE_MS);
      observer.opened(from.name === 'following');
    };
    try {
      const events = client.watch(resource, {
        ...selection,
        ...(from.name === 'following' ? { resourceVersion: from.resourceVersion } : { sendInitialEvents: true }),
        allowWatchBookmarks: true,
        timeoutSeconds,
        signal: guard.signal,
        onOpen,
      });
      for await (const event of events) {
        if (event.type === 'ERROR') throw new ErrorFrame(event.object.code ?? 500, event.object);
        intake.take(event);
      }
    } catch (error) {
      if (losesPlace(error)) position = { name: 'empty' };
      throw error;
    } finally {
      guard.end();
    }
    if (!intake.complete())
      throw new Fault('internal', 'ApiAnswerUnreadable', 'the watch ended before the present objects did');
  };

  const resumes = (): boolean => position.name === 'following';
  return {
    get resumes() {
      return resumes();
    },
    async step(signal, observer) {
      if (position.name === 'following') return follow(signal, observer);
      observer.listing();
      if (!servesInitialEvents) return list(signal, observer);
      try {
        return await follow(signal, observer);
      } catch (err) {
        if (resumes() || !isUnserved(err)) throw err;
        servesInitialEvents = false;
        log.debug('the server serves no watch that begins with the present objects; they are listed', { err });
        observer.listing();
        return list(signal, observer);
      }
    },
  };
};

/** The server ended the watch by an ERROR event: whatever the code, our place is lost. */
class ErrorFrame extends ApiError {}

const losesPlace = (error: unknown): boolean => error instanceof ErrorFrame || isGone(error) || isInvalid(error);

const isUnserved = (error: unknown): boolean =>
  isInvalid(error) || (error instanceof ApiError && error.code === 415) || error instanceof WishIgnored;

/** The server took the wish to begin with the present objects, and didn't fulfil it. */
class WishIgnored extends Error {
  override readonly name = 'WishIgnored';
}

const silent = (limitMs: number): Fault =>
  new Fault('internal', 'ApiUnavailable', `nothing came on the watch for ${limitMs} ms`);

const isEndOfInitialEvents = (object: KubeObject): boolean =>
  object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';

const applyTo = <T extends KubeObject>(
  store: Store<T>,
  event: Exclude<WatchEvent<T>, { type: 'ERROR' }>,
  prepare: (object: T) => T,
): void => {
  if (event.type === 'DELETED') store.remove(prepare(event.object));
  else if (event.type !== 'BOOKMARK') store.put(prepare(event.object));
};

const gather = <T extends KubeObject>(
  objects: Map<string, T>,
  event: Exclude<WatchEvent<T>, { type: 'ERROR' }>,
  prepare: (object: T) => T,
): void => {
  const key = objectKey(event.object.metadata);
  if (event.type === 'DELETED') objects.delete(key);
  else objects.set(key, prepare(event.object));
};
