// Where objects live: in memory, under one revision counter, with the recent history that watches and pages read.
import type { ObjectRef } from '../../kube/object.ts';
import type { ApiObject } from './kind.ts';

/** One change. For DELETED, `object` is the last state with the revision of the deletion. */
export interface Change {
  readonly resource: string;
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ApiObject;
  /** What stood there before; none for ADDED. */
  readonly previous?: ApiObject;
}

/** Told of every change of one resource; `ended` once the resource itself is gone. */
export interface Follower {
  changed(change: Change): void;
  ended(): void;
}

/** Objects by resource (`plural.group`), namespace ('' for cluster-scoped ones) and name. */
export interface Storage {
  /** The revision of the last write. */
  readonly revision: number;
  get(resource: string, ref: ObjectRef): ApiObject | undefined;
  /** All objects, or those of a namespace, ordered by namespace and name. */
  list(resource: string, namespace?: string): readonly ApiObject[];
  /** All objects as they were at `revision`, or undefined when the history no longer reaches back to it. */
  listAt(resource: string, revision: number): readonly ApiObject[] | undefined;
  /** Writes an object under the next revision and returns it as kept. */
  put(resource: string, object: ApiObject): ApiObject;
  /** Takes an object away; `object` is its last state, and is returned with the revision of the deletion. */
  remove(resource: string, object: ApiObject): ApiObject;
  /** The changes after `revision`, or undefined when the history no longer reaches back to it. */
  since(resource: string, revision: number): readonly Change[] | undefined;
  /** Follows one resource. Returns the function that ends it. */
  follow(resource: string, follower: Follower): () => void;
  /** Follows everything, before the followers of single resources. Returns the function that ends it. */
  followAll(changed: (change: Change) => void): () => void;
  /** Ends every follower of a resource that is no longer served. */
  endFollowers(resource: string): void;
}

interface Shelf {
  readonly byNamespace: Map<string, Map<string, ApiObject>>;
  readonly followers: Set<Follower>;
  history: Change[];
  /** Revisions up to this one are no longer in the history. */
  forgotten: number;
}

const byOrder = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

const sortedByName = (objects: Map<string, ApiObject>): ApiObject[] =>
  [...objects].sort(([left], [right]) => byOrder(left, right)).map(([, object]) => object);

const keyOf = (object: ApiObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

const everything = (shelf: Shelf): ApiObject[] =>
  [...shelf.byNamespace]
    .sort(([left], [right]) => byOrder(left, right))
    .flatMap(([, objects]) => sortedByName(objects));

/** Takes back the changes made after a revision, newest first. */
const undo = (objects: readonly ApiObject[], changes: readonly Change[]): ApiObject[] => {
  const byKey = new Map(objects.map((object) => [keyOf(object), object]));
  for (const change of changes.toReversed()) {
    if (change.previous) byKey.set(keyOf(change.previous), change.previous);
    else byKey.delete(keyOf(change.object));
  }
  return [...byKey].sort(([left], [right]) => byOrder(left, right)).map(([, object]) => object);
};

/**
 * Creates an empty storage. `firstRevision` is where counting starts; of each resource at least `historyLimit` changes
 * are remembered, at most twice as many.
 */
export const createStorage = (options: { firstRevision: number; historyLimit: number }): Storage => {
  const { firstRevision, historyLimit } = options;
  const shelves = new Map<string, Shelf>();
  const watchers = new Set<(change: Change) => void>();
  let revision = firstRevision;

  const shelfOf = (resource: string): Shelf => {
    const present = shelves.get(resource);
    if (present) return present;
    const made = { byNamespace: new Map(), followers: new Set<Follower>(), history: [], forgotten: firstRevision };
    shelves.set(resource, made);
    return made;
  };

  const remember = (shelf: Shelf, change: Change): void => {
    shelf.history.push(change);
    if (shelf.history.length > 2 * historyLimit) {
      shelf.forgotten = shelf.history[historyLimit - 1]?.revision ?? shelf.forgotten;
      shelf.history = shelf.history.slice(historyLimit);
    }
    for (const changed of watchers) changed(change);
    for (const follower of shelf.followers) follower.changed(change);
  };

  const stamped = (object: ApiObject): ApiObject => {
    revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
  };

  const place = (shelf: Shelf, namespace: string): Map<string, ApiObject> => {
    const present = shelf.byNamespace.get(namespace);
    if (present) return present;
    const made = new Map<string, ApiObject>();
    shelf.byNamespace.set(namespace, made);
    return made;
  };

  const since = (resource: string, after: number): readonly Change[] | undefined => {
    const shelf = shelfOf(resource);
    return after < shelf.forgotten ? undefined : shelf.history.filter((change) => change.revision > after);
  };

  return {
    get revision() {
      return revision;
    },
    get: (resource, ref) =>
      shelfOf(resource)
        .byNamespace.get(ref.namespace ?? '')
        ?.get(ref.name),
    list(resource, namespace) {
      const shelf = shelfOf(resource);
      return namespace === undefined ? everything(shelf) : sortedByName(shelf.byNamespace.get(namespace) ?? new Map());
    },
    listAt(resource, at) {
      const changes = since(resource, at);
      return changes && undo(everything(shelfOf(resource)), changes);
    },
    put(resource, object) {
      const shelf = shelfOf(resource);
      const objects = place(shelf, object.metadata.namespace ?? '');
      const previous = objects.get(object.metadata.name);
      const kept = stamped(object);
      objects.set(kept.metadata.name, kept);
      remember(shelf, {
        resource,
        revision,
        object: kept,
        ...(previous ? { type: 'MODIFIED', previous } : { type: 'ADDED' }),
      });
      return kept;
    },
    remove(resource, object) {
      const shelf = shelfOf(resource);
      const namespace = object.metadata.namespace ?? '';
      const objects = place(shelf, namespace);
      const previous = objects.get(object.metadata.name) ?? object;
      objects.delete(object.metadata.name);
      if (objects.size === 0) shelf.byNamespace.delete(namespace);
      const last = stamped(object);
      remember(shelf, { resource, revision, type: 'DELETED', object: last, previous });
      return last;
    },
    since,
    follow(resource, follower) {
      const { followers } = shelfOf(resource);
      followers.add(follower);
      return () => void followers.delete(follower);
    },
    followAll(changed) {
      watchers.add(changed);
      return () => void watchers.delete(changed);
    },
    endFollowers(resource) {
      const { followers } = shelfOf(resource);
      for (const follower of [...followers]) follower.ended();
      followers.clear();
    },
  };
};
