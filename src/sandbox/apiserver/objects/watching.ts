// Watches: the events of a scope from a revision on, as a stream of lines, with bookmarks and a natural end.
import { apiVersionOf } from '../../../kube/object.ts';
import type { Clock, Timer } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import { forbidden } from '../schema/field-error.ts';
import { resourceName, type ApiObject } from '../kinds/kind.ts';
import { readRevision, type Scope } from './listing.ts';
import { present } from './staging.ts';
import { expired, invalidObject } from '../refusal.ts';
import type { Change } from '../storage/shelf.ts';
import type { Storage } from '../storage/storage.ts';

/** What takes a stream. `write` says false once the reader is too far behind, which ends the stream. */
export interface Sink {
  write(text: string): boolean;
  end(): void;
}

/** Starts a stream into a sink. Returns the function that ends it, as when the reader goes away. */
export type Stream = (sink: Sink) => () => void;

/** Times of a watch, in milliseconds. */
export interface WatchTimes {
  /** How often a bookmark is sent to those who allow it. */
  readonly bookmarkEveryMs: number;
  /** The shortest life of a watch that names none; up to as much again is added. */
  readonly watchForMs: number;
}

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

interface WatchRequest {
  /** The changes after this revision are sent; undefined begins with what is there. */
  readonly after: number | undefined;
  readonly initialEnd: boolean;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
}

const readRequest = (query: URLSearchParams, now: number, forMs: number): WatchRequest => {
  const sendInitialEvents = query.get('sendInitialEvents') === 'true';
  if (query.has('sendInitialEvents') && query.get('resourceVersionMatch') !== 'NotOlderThan') {
    throw invalidObject({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      forbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    ]);
  }
  const asked = readRevision(query);
  const timeoutSeconds = Number(query.get('timeoutSeconds') ?? 0);
  const bookmarks = query.get('allowWatchBookmarks') === 'true';
  const fromStart = sendInitialEvents || ((asked === undefined || asked === 0) && !query.has('sendInitialEvents'));
  return {
    after: fromStart ? undefined : asked || now,
    initialEnd: sendInitialEvents && bookmarks,
    bookmarks,
    timeoutMs: timeoutSeconds > 0 ? timeoutSeconds * 1000 : forMs,
  };
};

const bookmarkOf = (scope: Scope, revision: number, annotations?: Record<string, string>): Record<string, unknown> => ({
  apiVersion: apiVersionOf(scope.kind),
  kind: scope.kind.kind,
  metadata: { resourceVersion: String(revision), creationTimestamp: null, ...(annotations ? { annotations } : {}) },
});

/** What a change means to a scope: an object that leaves the selection is deleted from it, one that enters is added. */
const eventOf = (scope: Scope, change: Change): { type: EventType; object: ApiObject } | undefined => {
  const { object, previous } = change;
  if (scope.namespace !== undefined && object.metadata.namespace !== scope.namespace) return undefined;
  const is = change.type !== 'DELETED' && scope.selects(object);
  const was = previous !== undefined && scope.selects(previous);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object };
  return was
    ? { type: 'DELETED', object: change.type === 'DELETED' ? object : atRevision(previous, change) }
    : undefined;
};

const atRevision = (object: ApiObject, change: Change): ApiObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(change.revision) },
});

/** Creates the maker of watches. */
export const createWatching = (parts: { storage: Storage; clock: Clock; random: Random; times: WatchTimes }) => {
  const { storage, clock, random, times } = parts;

  const tooOld = (revision: number): unknown =>
    expired(`too old resource version: ${revision} (${storage.revision})`).status;

  /** The stream of a watch; `write` makes of each object the JSON that the reader asked for. Throws on a bad request. */
  const watch = (scope: Scope, query: URLSearchParams, write: (object: ApiObject) => string): Stream => {
    const request = readRequest(query, storage.revision, times.watchForMs * (1 + random.next()));
    const resource = resourceName(scope.kind);
    return (sink) => {
      const timers = new Set<Timer>();
      let over = false;
      let unfollow = (): void => undefined;
      const stop = (): void => {
        over = true;
        unfollow();
        for (const timer of timers) timer.cancel();
      };
      const end = (): void => {
        if (over) return;
        stop();
        sink.end();
      };
      const send = (type: EventType, json: string): void => {
        if (!over && !sink.write(`{"type":"${type}","object":${json}}\n`)) end();
      };
      const sendChange = (change: Change): void => {
        const event = eventOf(scope, change);
        if (event) send(event.type, write(present(scope.kind, event.object)));
      };
      const bookmark = (annotations?: Record<string, string>): void =>
        send('BOOKMARK', JSON.stringify(bookmarkOf(scope, storage.revision, annotations)));
      const keepBookmarking = (): void => {
        const timer = clock.after(times.bookmarkEveryMs, () => {
          timers.delete(timer);
          bookmark();
          if (!over) keepBookmarking();
        });
        timers.add(timer);
      };

      const missed = request.after === undefined ? [] : storage.shelf(resource).since(request.after);
      const unreachable = missed === undefined || (request.after ?? 0) > storage.revision;
      if (unreachable) {
        send('ERROR', JSON.stringify(tooOld(request.after ?? 0)));
        end();
        return stop;
      }
      if (request.after === undefined) {
        for (const object of storage.list(resource, scope.namespace).filter(scope.selects)) {
          send('ADDED', write(present(scope.kind, object)));
        }
        if (request.initialEnd) bookmark({ 'k8s.io/initial-events-end': 'true' });
      }
      for (const change of missed) sendChange(change);
      if (over) return stop;
      unfollow = storage.follow(resource, { changed: sendChange, ended: end });
      if (request.bookmarks) keepBookmarking();
      timers.add(
        clock.after(request.timeoutMs, () => {
          if (request.bookmarks) bookmark();
          end();
        }),
      );
      return stop;
    };
  };

  return watch;
};
