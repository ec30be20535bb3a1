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

/** The state of one mirror. */
interface Mirror<T extends KubeObject> extends ReflectorOptions<T> {
  position: Position;
  /** Until the server shows that it doesn't. */
  servesInitialEvents: boolean;
}

interface Step {
  readonly signal: AbortSignal;
  readonly observer: StepObserver;
}

/** Creates a mirror that knows nothing yet. */
export const createReflector = <T extends KubeObject>(options: ReflectorOptions<T>): Reflector => {
  const mirror: Mirror<T> = { ...options, position: { name: 'empty' }, servesInitialEvents: true };
  return {
    get resumes() {
      return mirror.position.name === 'following';
    },
    step: (signal, observer) =>
      mirror.position.name === 'empty' ? readAll(mirror, { signal, observer }) : follow(mirror, { signal, observer }),
  };
};

const readAll = async <T extends KubeObject>(mirror: Mirror<T>, step: Step): Promise<void> => {
  step.observer.listing();
  if (!mirror.servesInitialEvents) return list(mirror, step);
  try {
    return await follow(mirror, step);
  } catch (err) {
    if (!isUnserved(err)) throw err;
    mirror.servesInitialEvents = false;
    mirror.log.debug('the server serves no watch that begins with the present objects; they are listed', { err });
    step.observer.listing();
    return list(mirror, step);
  }
};

const list = async <T extends KubeObject>(mirror: Mirror<T>, { signal, observer }: Step): Promise<void> => {
  const { client, resource, selection } = mirror;
  const { objects, resourceVersion } = await listAll({ client, resource, selection, signal });
  mirror.store.replace(objects.map(mirror.prepare));
  mirror.position = { name: 'following', resourceVersion };
  observer.listed();
};

/** Follows one watch to its end: from where the mirror stands, or from nothing, beginning with the present objects. */
const follow = async <T extends KubeObject>(mirror: Mirror<T>, { signal, observer }: Step): Promise<void> => {
  const { client, resource, selection, clock, position } = mirror;
  const timeoutSeconds = Math.round(300 + 300 * mirror.random.next());
  const silenceMs = timeoutSeconds * 1000 + SLACK_MS;
  const guard = guardSilence({ clock, limitMs: silenceMs, signal, reasonOf: (limitMs) => intake.silence(limitMs) });
  const intake = createIntake(mirror, { guard, silenceMs, observer });
  const onOpen = (): void => {
    if (!intake.complete) guard.allow(INITIAL_SILENCE_MS);
    observer.opened(position.name === 'following');
  };
  try {
    const events = client.watch(resource, {
      ...selection,
      ...(position.name === 'following' ? { resourceVersion: position.resourceVersion } : { sendInitialEvents: true }),
      allowWatchBookmarks: true,
      timeoutSeconds,
      signal: guard.signal,
      onOpen,
    });
    for await (const event of events) {
      guard.heard();
      if (event.type === 'ERROR') throw new ErrorFrame(event.object.code ?? 500, event.object);
      mirror.position = intake.take(event) ?? mirror.position;
    }
  } catch (error) {
    if (losesPlace(error)) mirror.position = { name: 'empty' };
    throw error;
  } finally {
    guard.end();
  }
  if (!intake.complete)
    throw new Fault('internal', 'ApiAnswerUnreadable', 'the watch ended before the present objects');
};

type ObjectEvent<T> = Exclude<WatchEvent<T>, { type: 'ERROR' }>;

/** Takes the events of one watch. */
interface Intake<T> {
  /** Whether the store holds a complete listing. */
  readonly complete: boolean;
  /** Returns the place that the event leads to; undefined where it leads to none, as inside the present objects. */
  take(event: ObjectEvent<T>): Position | undefined;
  /** What it means that nothing came for so long. */
  silence(limitMs: number): Error;
}

const createIntake = <T extends KubeObject>(
  mirror: Mirror<T>,
  stream: { readonly guard: SilenceGuard; readonly silenceMs: number; readonly observer: StepObserver },
): Intake<T> => {
  const { store, prepare } = mirror;
  /** The present objects, until they are complete. */
  let initial = mirror.position.name === 'empty' ? new Map<string, T>() : undefined;
  const finish = (objects: Map<string, T>): void => {
    store.replace([...objects.values()]);
    initial = undefined;
    stream.guard.allow(stream.silenceMs);
    stream.observer.listed();
  };
  return {
    get complete() {
      return initial === undefined;
    },
    silence: (limitMs) => (initial ? new WishIgnored(`nothing came for ${limitMs} ms`) : silent(limitMs)),
    take(event) {
      if (initial && event.type !== 'BOOKMARK') {
        gather(initial, event, prepare);
        return undefined;
      }
      if (initial) {
        if (!isEndOfInitialEvents(event.object)) throw new WishIgnored('a bookmark came before their end');
        finish(initial);
      } else if (event.type === 'BOOKMARK') {
        stream.guard.allow(Math.min(BOOKMARK_SILENCE_MS, stream.silenceMs));
      } else if (event.type === 'DELETED') {
        store.remove(prepare(event.object));
      } else {
        store.put(prepare(event.object));
      }
      const { resourceVersion } = event.object.metadata;
      return resourceVersion ? { name: 'following', resourceVersion } : undefined;
    },
  };
};

const gather = <T extends KubeObject>(
  objects: Map<string, T>,
  event: ObjectEvent<T>,
  prepare: (object: T) => T,
): void => {
  const key = objectKey(event.object.metadata);
  if (event.type === 'DELETED') objects.delete(key);
  else objects.set(key, prepare(event.object));
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
