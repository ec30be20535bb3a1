// Step 1: what the watches see, as keys of lanes.
import type { KubeObject, Namespace } from '../kube/object.ts';
import type { Indexers, StoreChange, StoreReader } from '../runtime/store.ts';
import type { Absences } from './absences.ts';
import { laneKey, type LaneKind } from './lane.ts';

/** Finds objects by the name of their namespace. */
export const namespaceIndexer = {
  namespace: ({ metadata }: KubeObject) => [metadata.namespace ?? ''],
} satisfies Indexers<KubeObject>;

/** What turns changes into keys. */
export interface LaneSources<T extends KubeObject> {
  readonly kind: LaneKind;
  /** With `namespaceIndexer`. */
  readonly store: StoreReader<T>;
  readonly namespaces: StoreReader<Namespace>;
  readonly absences: Absences;
  /** Knows which changes are our own patches. */
  readonly status: {
    isEcho(object: T): boolean;
    /** The object is gone. */
    forget(uid: string): void;
  };
  readonly enqueue: (key: string) => void;
}

/**
 * Enqueues the lane of every object that changes, our own status patches excepted. An object whose namespace is not in
 * the cache yet waits for it: the namespace's arrival enqueues it. Returns the function that ends this.
 */
export const followLanes = <T extends KubeObject>(sources: LaneSources<T>): (() => void) => {
  const { kind, store, namespaces, absences, status, enqueue } = sources;
  // The namespace may have left the cache, or have been made again, before the deletion of what was in it is seen.
  const laneOfUid = new Map<string, string>();

  const changed = ({ type, object }: StoreChange<T>): void => {
    const { uid = '', namespace = '', name } = object.metadata;
    if (type === 'deleted') {
      const key = laneOfUid.get(uid);
      laneOfUid.delete(uid);
      absences.sawDeletion(uid);
      status.forget(uid);
      if (key !== undefined) enqueue(key);
      return;
    }
    absences.sawPresence(uid);
    const namespaceUid = namespaces.get(namespace)?.metadata.uid;
    if (namespaceUid === undefined) return;
    const key = laneKey(kind, { namespaceUid, name });
    // Under a key that it did not have before, it is news even when its last change was our own.
    const moved = laneOfUid.get(uid) !== key;
    laneOfUid.set(uid, key);
    if (moved || !status.isEcho(object)) enqueue(key);
  };
  const arrived = ({ type, object }: StoreChange<Namespace>): void => {
    if (type !== 'added') return;
    for (const one of store.byIndex('namespace', object.metadata.name)) changed({ type: 'modified', object: one });
  };

  const ends = [store.subscribe(changed), namespaces.subscribe(arrived)];
  for (const one of store.list()) changed({ type: 'added', object: one });
  return () => ends.forEach((end) => end());
};
