// The cache of one kind: objects by key, by UID and by index. Filled by a watcher, read by everyone.
import type { Logger } from '../lib/log.ts';
import { objectKey, type KubeObject } from '../kube/object.ts';

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

/**
 * The whole cache, for the watcher that fills it.
 *
 * *Guarantees*: an object with another UID under a known key is a deletion and an addition; what is already known (same
 * UID and `resourceVersion`) is no change; a deletion of an object that has since been replaced is ignored. A handler
 * or index function that throws is logged and disturbs nobody else.
 * *Assumption*: changes come in the API server's order, as a watch gives them. A `resourceVersion` is opaque, so an
 * older one can't be told from a newer one.
 */
export interface Store<T extends KubeObject> extends StoreReader<T> {
  put(object: T): void;
  /** Takes the object out; the change carries this last state of it. */
  remove(object: T): void;
  /** Makes `objects` the whole content: what is not among them is deleted. Handlers are called once all of it stands. */
  replace(objects: readonly T[]): void;
}

/** Creates an empty cache. */
export const createStore = <T extends KubeObject>(options: {
  readonly indexers?: Indexers<T>;
  readonly log: Logger;
}): Store<T> => {
  const byKey = new Map<string, T>();
  const byUid = new Map<string, T>();
  const index = createIndex(options);
  const publisher = createPublisher<T>(options.log);

  const insert = (key: string, object: T, old?: T): void => {
    byKey.set(key, object);
    if (old) forget(old);
    if (object.metadata.uid !== undefined) byUid.set(object.metadata.uid, object);
    index.insert(key, object);
  };
  const forget = (object: T): void => {
    if (object.metadata.uid !== undefined) byUid.delete(object.metadata.uid);
    index.remove(objectKey(object.metadata), object);
  };
  /** Puts the object in and says what that changed. */
  const place = (object: T): StoreChange<T>[] => {
    const key = objectKey(object.metadata);
    const old = byKey.get(key);
    if (old && isSame(old, object) && old.metadata.resourceVersion === object.metadata.resourceVersion) return [];
    insert(key, object, old);
    if (!old) return [{ type: 'added', object }];
    if (isSame(old, object)) return [{ type: 'modified', object, old }];
    return [
      { type: 'deleted', object: old, old },
      { type: 'added', object },
    ];
  };
  const take = (object: T): StoreChange<T>[] => {
    const key = objectKey(object.metadata);
    const old = byKey.get(key);
    if (!old || !isSame(old, object)) return [];
    byKey.delete(key);
    forget(old);
    return [{ type: 'deleted', object, old }];
  };
  return {
    get: (key) => byKey.get(key),
    byUid: (uid) => byUid.get(uid),
    byIndex: (name, value) => index.find(name, value),
    list: () => [...byKey.values()],
    get size() {
      return byKey.size;
    },
    subscribe: publisher.subscribe,
    put: (object) => publisher.publish(place(object)),
    remove: (object) => publisher.publish(take(object)),
    replace(objects) {
      const present = new Set(objects.map((object) => objectKey(object.metadata)));
      const vanished = [...byKey].filter(([key]) => !present.has(key)).map(([, object]) => object);
      publisher.publish([...vanished.flatMap(take), ...objects.flatMap(place)]);
    },
  };
};

const isSame = (one: KubeObject, other: KubeObject): boolean => one.metadata.uid === other.metadata.uid;

interface Index<T> {
  insert(key: string, object: T): void;
  remove(key: string, object: T): void;
  find(name: string, value: string): readonly T[];
}

/** Objects by index name, value and key. */
const createIndex = <T>(options: { readonly indexers?: Indexers<T>; readonly log: Logger }): Index<T> => {
  const byName = new Map(
    Object.entries(options.indexers ?? {}).map(([name, valuesOf]) => [
      name,
      { valuesOf, byValue: new Map<string, Map<string, T>>() },
    ]),
  );
  const each = (object: T, visit: (byValue: Map<string, Map<string, T>>, value: string) => void): void => {
    for (const [name, { valuesOf, byValue }] of byName) {
      try {
        for (const value of valuesOf(object)) visit(byValue, value);
      } catch (err) {
        options.log.error('an index function failed', { field: name, err });
      }
    }
  };
  return {
    insert: (key, object) =>
      each(object, (byValue, value) => {
        const found = byValue.get(value);
        if (found) found.set(key, object);
        else byValue.set(value, new Map([[key, object]]));
      }),
    remove: (key, object) =>
      each(object, (byValue, value) => {
        const found = byValue.get(value);
        found?.delete(key);
        if (found?.size === 0) byValue.delete(value);
      }),
    find(name, value) {
      const named = byName.get(name);
      if (!named) throw new Error(`there is no index named ${name}`);
      return [...(named.byValue.get(value)?.values() ?? [])];
    },
  };
};

interface Publisher<T> {
  subscribe(handler: (change: StoreChange<T>) => void): () => void;
  publish(changes: readonly StoreChange<T>[]): void;
}

const createPublisher = <T>(log: Logger): Publisher<T> => {
  // A list, so that one function subscribed twice is called twice and each subscription ends by itself.
  let subscriptions: readonly { readonly handler: (change: StoreChange<T>) => void }[] = [];
  const notify = (handler: (change: StoreChange<T>) => void, change: StoreChange<T>): void => {
    try {
      handler(change);
    } catch (err) {
      log.error('a handler of a cache change failed', { err });
    }
  };
  return {
    subscribe(handler) {
      const subscription = { handler };
      subscriptions = [...subscriptions, subscription];
      return () => {
        subscriptions = subscriptions.filter((other) => other !== subscription);
      };
    },
    publish(changes) {
      for (const change of changes) for (const { handler } of subscriptions) notify(handler, change);
    },
  };
};
