// Garbage collection: what becomes of objects whose owners go (ownerReferences and the finalizers of a deletion).
import type { OwnerReference } from '../../kube/object.ts';
import { isNotFound } from '../../kube/status-error.ts';
import { foregroundFinalizer, orphanFinalizer, type DeleteObject } from './deletion.ts';
import type { ApiObject } from './kind.ts';
import type { Objects } from './objects.ts';
import type { Registry } from './registry.ts';
import type { Change } from './storage.ts';

/** Where an object is kept. */
interface Place {
  readonly resource: string;
  readonly object: ApiObject;
}

/** Looks at each change and does what follows from it. */
export type React = (change: Change) => void;

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

/** Creates the collector. It keeps an index of who owns what, so it has to see every change. */
export const createGarbageCollector = (parts: {
  objects: Objects;
  registry: Registry;
  deleteObject: DeleteObject;
}): { index: React; collect: React } => {
  const { objects, registry, deleteObject } = parts;
  const live = new Map<string, Place>();
  const dependents = new Map<string, Set<string>>();

  const link = (place: Place): void => {
    const uid = place.object.metadata.uid ?? '';
    live.set(uid, place);
    for (const owner of place.object.metadata.ownerReferences ?? []) {
      const owned = dependents.get(owner.uid) ?? new Set();
      dependents.set(owner.uid, owned.add(uid));
    }
  };

  const unlink = (object: ApiObject): void => {
    const uid = object.metadata.uid ?? '';
    live.delete(uid);
    for (const owner of object.metadata.ownerReferences ?? []) {
      const owned = dependents.get(owner.uid);
      owned?.delete(uid);
      if (owned?.size === 0) dependents.delete(owner.uid);
    }
  };

  /** An owner in another namespace is no owner: such a reference counts as broken. */
  const isThere = (owner: OwnerReference, dependent: ApiObject): boolean => {
    const place = live.get(owner.uid);
    const namespace = place?.object.metadata.namespace;
    return place !== undefined && (namespace === undefined || namespace === dependent.metadata.namespace);
  };

  const isKnown = (owner: OwnerReference): boolean =>
    registry.byKind(groupOf(owner.apiVersion), owner.kind) !== undefined;

  const edit = (place: Place, change: (metadata: ApiObject['metadata']) => Partial<ApiObject['metadata']>): void => {
    const kind = registry.byResource(place.resource);
    if (!kind) return;
    objects.update(kind, place.object.metadata, {
      change: (existing) => ({ ...existing, metadata: { ...existing.metadata, ...change(existing.metadata) } }),
    });
  };

  const disown = (place: Place, ownerUid: string): void =>
    edit(place, (metadata) => ({
      ownerReferences: (metadata.ownerReferences ?? []).filter((owner) => owner.uid !== ownerUid),
    }));

  const release = (place: Place, finalizer: string): void =>
    edit(place, (metadata) => ({ finalizers: (metadata.finalizers ?? []).filter((name) => name !== finalizer) }));

  const remove = (place: Place, propagation: 'Background' | 'Foreground'): void => {
    const kind = registry.byResource(place.resource);
    const { uid } = place.object.metadata;
    if (kind) deleteObject(kind, place.object.metadata, { dryRun: false, propagation, ...(uid ? { uid } : {}) });
  };

  const ownedBy = (uid: string): Place[] => [...(dependents.get(uid) ?? [])].flatMap((id) => live.get(id) ?? []);

  /** Deletes an object whose owners have all gone; a reference to one that went is taken out where others are left. */
  const removeUnowned = (place: Place): void => {
    const owners = place.object.metadata.ownerReferences ?? [];
    const gone = owners.filter((owner) => isKnown(owner) && !isThere(owner, place.object));
    if (gone.length === 0 || place.object.metadata.deletionTimestamp) return;
    if (gone.length === owners.length) remove(place, 'Background');
    else for (const owner of gone) disown(place, owner.uid);
  };

  const deleteDependentsFirst = (place: Place, uid: string): void => {
    for (const dependent of ownedBy(uid)) {
      if (!dependent.object.metadata.deletionTimestamp) remove(dependent, 'Foreground');
    }
    const blocking = ownedBy(uid).filter((dependent) =>
      dependent.object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion),
    );
    if (blocking.length === 0) release(place, foregroundFinalizer);
  };

  const finishDeletion = (place: Place): void => {
    const { uid = '', deletionTimestamp, finalizers = [] } = place.object.metadata;
    if (!deletionTimestamp) return;
    if (finalizers.includes(orphanFinalizer)) {
      for (const dependent of ownedBy(uid)) disown(dependent, uid);
      release(place, orphanFinalizer);
    } else if (finalizers.includes(foregroundFinalizer)) deleteDependentsFirst(place, uid);
  };

  const current = (object: ApiObject): Place | undefined => live.get(object.metadata.uid ?? '');

  const collectAfter = ({ type, object }: Change): void => {
    const place = current(object);
    if (type === 'DELETED') {
      for (const dependent of ownedBy(object.metadata.uid ?? '')) removeUnowned(dependent);
      for (const owner of object.metadata.ownerReferences ?? []) {
        const waiting = live.get(owner.uid);
        if (waiting) finishDeletion(waiting);
      }
    } else if (place) {
      removeUnowned(place);
      const still = current(object);
      if (still) finishDeletion(still);
    }
  };

  return {
    index({ resource, type, object, previous }) {
      if (previous) unlink(previous);
      if (type !== 'DELETED') link({ resource, object });
    },
    collect(change) {
      try {
        collectAfter(change);
      } catch (error) {
        // Somebody deleted it in between: that is what was wanted.
        if (!isNotFound(error)) throw error;
      }
    },
  };
};
