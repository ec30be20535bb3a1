// The cache of one kind: objects by key, by UID and by index. Filled by a watcher, read by everyone.
import type { KubeObject } from '../kube/object.ts';

/** A change of the cache. `old` is what stood there before. */
export interface StoreChange<T> {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly object: T;
  readonly old?: T;
}

/** Index functions by name: each returns the values under which an object is found. */
export type Indexers<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** The read side of a cache. Objects are shared: nobody changes them. */
export interface StoreReader<T extends KubeObject> {
  /** By `namespace/name`, or `name` for cluster-scoped kinds. */
  get(key: string): T | undefined;
  byUid(uid: string): T | undefined;
  /** Objects under `value` of the index `name`. An unknown index is an error of the programmer and throws. */
  byIndex(name: string, value: string): readonly T[];
  list(): readonly T[];
  readonly size: number;
  /** Called after each change, in order. Returns the function that ends the subscription. */
  subscribe(handler: (change: StoreChange<T>) => void): () => void;
}
