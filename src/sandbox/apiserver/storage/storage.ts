// Where objects live: in memory, on one shelf for each resource, under one revision counter.
import type { ObjectRef } from '../../../kube/object.ts';
import type { ApiObject } from '../kinds/kind.ts';
import { createShelf, type Change, type Shelf } from './shelf.ts';

/** Told of every change of one resource; `ended` once the resource itself is gone. */
export interface Follower {
  changed(change: Change): void;
  ended(): void;
}

/** The objects of all resources (`plural.group`). What is kept is shared: nobody changes it. */
export interface Storage {
  /** The revision of the last write. */
  readonly revision: number;
  get(resource: string, ref: ObjectRef): ApiObject | undefined;
  list(resource: string, namespace?: string): readonly ApiObject[];
  /** Reading only: lists and histories of a resource. */
  shelf(resource: string): Omit<Shelf, 'apply'>;
  /** Writes an object under the next revision and returns it as kept. */
  put(resource: string, object: ApiObject): ApiObject;
  /** Takes an object away; `object` is its last state, and is returned with the revision of the deletion. */
  remove(resource: string, object: ApiObject): ApiObject;
  /** Follows one resource. Returns the function that ends it. */
  follow(resource: string, follower: Follower): () => void;
  /** Follows everything, before the followers of single resources. Returns the function that ends it. */
  followAll(changed: (change: Change) => void): () => void;
  /** Ends every follower of a resource that is no longer served. */
  endFollowers(resource: string): void;
}

/** The entry of a map, made when it is first asked for. */
const entry = <V>(map: Map<string, V>, key: string, make: () => V): V => {
  const present = map.get(key) ?? make();
  map.set(key, present);
  return present;
};

/** Creates an empty storage that counts from `firstRevision` on. */
export const createStorage = (options: { firstRevision: number; historyLimit: number }): Storage => {
  const shelves = new Map<string, Shelf>();
  const followers = new Map<string, Set<Follower>>();
  const watchers = new Set<(change: Change) => void>();
  let revision = options.firstRevision;

  const shelf = (resource: string): Shelf => entry(shelves, resource, () => createShelf(options));
  const followersOf = (resource: string): Set<Follower> => entry(followers, resource, () => new Set());

  const stamped = (object: ApiObject): ApiObject => {
    revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
  };

  const apply = (change: Change): ApiObject => {
    shelf(change.resource).apply(change);
    for (const changed of watchers) changed(change);
    for (const follower of followersOf(change.resource)) follower.changed(change);
    return change.object;
  };

  return {
    get revision() {
      return revision;
    },
    get: (resource, ref) => shelf(resource).get(ref),
    list: (resource, namespace) => shelf(resource).list(namespace),
    shelf,
    put(resource, source) {
      const previous = shelf(resource).get(source.metadata);
      const object = stamped(source);
      const before = previous ? ({ type: 'MODIFIED', previous } as const) : ({ type: 'ADDED' } as const);
      return apply({ resource, revision, object, ...before });
    },
    remove(resource, source) {
      const previous = shelf(resource).get(source.metadata) ?? source;
      const object = stamped(source);
      return apply({ resource, revision, type: 'DELETED', object, previous });
    },
    follow(resource, follower) {
      followersOf(resource).add(follower);
      return () => void followersOf(resource).delete(follower);
    },
    followAll(changed) {
      watchers.add(changed);
      return () => void watchers.delete(changed);
    },
    endFollowers(resource) {
      for (const follower of followersOf(resource)) follower.ended();
      followers.delete(resource);
    },
  };
};
