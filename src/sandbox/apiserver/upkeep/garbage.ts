// Garbage collection: what becomes of objects whose owners go (ownerReferences and the finalizers of a deletion).
import type { OwnerReference } from '../../../kube/object.ts';
import { isNotFound } from '../../../kube/status-error.ts';
import { foregroundFinalizer, orphanFinalizer, type DeleteObject } from '../objects/deletion.ts';
import type { ApiObject } from '../kinds/kind.ts';
import type { Objects } from '../objects/objects.ts';
import type { Ownership, Place } from './ownership.ts';
import type { Registry } from '../kinds/registry.ts';
import type { Change } from '../storage/shelf.ts';

type Metadata = ApiObject['metadata'];

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

/** What the collector does to objects. */
const createTools = (parts: { objects: Objects; registry: Registry; deleteObject: DeleteObject }) => {
  const { objects, registry, deleteObject } = parts;

  const edit = ({ resource, object }: Place, change: (metadata: Metadata) => Partial<Metadata>): void => {
    const kind = registry.byResource(resource);
    if (!kind) return;
    objects.update(kind, object.metadata, {
      change: (existing) => ({ ...existing, metadata: { ...existing.metadata, ...change(existing.metadata) } }),
    });
  };

  return {
    disown: (place: Place, ownerUid: string): void =>
      edit(place, ({ ownerReferences = [] }) => ({
        ownerReferences: ownerReferences.filter((owner) => owner.uid !== ownerUid),
      })),
    release: (place: Place, finalizer: string): void =>
      edit(place, ({ finalizers = [] }) => ({ finalizers: finalizers.filter((name) => name !== finalizer) })),
    remove({ resource, object }: Place, propagation: 'Background' | 'Foreground'): void {
      const kind = registry.byResource(resource);
      const { uid } = object.metadata;
      if (kind) deleteObject(kind, object.metadata, { dryRun: false, propagation, ...(uid ? { uid } : {}) });
    },
    isServed: (owner: OwnerReference): boolean => registry.byKind(groupOf(owner.apiVersion), owner.kind) !== undefined,
  };
};

/** Creates the reaction to each change that collects what is no longer owned. */
export const createGarbageCollector = (parts: {
  objects: Objects;
  registry: Registry;
  deleteObject: DeleteObject;
  ownership: Ownership;
}): ((change: Change) => void) => {
  const { ownership } = parts;
  const { disown, release, remove, isServed } = createTools(parts);

  /** Deletes an object whose owners have all gone; a reference to one that went is taken out where others are left. */
  const removeUnowned = (place: Place): void => {
    const { ownerReferences: owners = [], deletionTimestamp } = place.object.metadata;
    const gone = owners.filter((owner) => isServed(owner) && !ownership.isThere(owner, place.object));
    if (gone.length === 0 || deletionTimestamp) return;
    if (gone.length === owners.length) remove(place, 'Background');
    else for (const owner of gone) disown(place, owner.uid);
  };

  const deleteDependentsFirst = (place: Place, uid: string): void => {
    for (const dependent of ownership.ownedBy(uid)) {
      if (!dependent.object.metadata.deletionTimestamp) remove(dependent, 'Foreground');
    }
    const blocking = ownership
      .ownedBy(uid)
      .filter(({ object }) =>
        object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion),
      );
    if (blocking.length === 0) release(place, foregroundFinalizer);
  };

  const finishDeletion = (place: Place | undefined): void => {
    if (!place?.object.metadata.deletionTimestamp) return;
    const { uid = '', finalizers = [] } = place.object.metadata;
    if (finalizers.includes(orphanFinalizer)) {
      for (const dependent of ownership.ownedBy(uid)) disown(dependent, uid);
      release(place, orphanFinalizer);
    } else if (finalizers.includes(foregroundFinalizer)) deleteDependentsFirst(place, uid);
  };

  const collectAfter = ({ type, object }: Change): void => {
    const { uid = '', ownerReferences = [] } = object.metadata;
    if (type === 'DELETED') {
      for (const dependent of ownership.ownedBy(uid)) removeUnowned(dependent);
      for (const owner of ownerReferences) finishDeletion(ownership.find(owner.uid));
      return;
    }
    const place = ownership.find(uid);
    if (place) removeUnowned(place);
    finishDeletion(ownership.find(uid));
  };

  return (change) => {
    try {
      collectAfter(change);
    } catch (error) {
      // Somebody deleted it in between: that is what was wanted.
      if (!isNotFound(error)) throw error;
    }
  };
};
