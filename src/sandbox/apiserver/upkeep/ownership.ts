// Who owns what: an index over the ownerReferences of all objects.
import type { OwnerReference } from '../../../kube/object.ts';
import type { ApiObject } from '../kinds/kind.ts';
import type { Change } from '../storage/shelf.ts';

/** An object and the resource it is kept under. */
export interface Place {
  readonly resource: string;
  readonly object: ApiObject;
}

/** The index. It has to see every change, as it happens. */
export interface Ownership {
  follow(change: Change): void;
  /** The object of a UID as it is now. */
  find(uid: string | undefined): Place | undefined;
  /** The objects that name this UID as an owner. */
  ownedBy(uid: string): Place[];
  /** True when the owner is there. An owner in another namespace is none. */
  isThere(owner: OwnerReference, dependent: ApiObject): boolean;
}

/** Creates an empty index. */
export const createOwnership = (): Ownership => {
  const places = new Map<string, Place>();
  const dependents = new Map<string, Set<string>>();

  const link = (place: Place): void => {
    const { uid = '', ownerReferences = [] } = place.object.metadata;
    places.set(uid, place);
    for (const owner of ownerReferences) {
      const owned = dependents.get(owner.uid) ?? new Set();
      dependents.set(owner.uid, owned.add(uid));
    }
  };

  const unlink = (object: ApiObject): void => {
    const { uid = '', ownerReferences = [] } = object.metadata;
    places.delete(uid);
    for (const owner of ownerReferences) {
      const owned = dependents.get(owner.uid);
      owned?.delete(uid);
      if (owned?.size === 0) dependents.delete(owner.uid);
    }
  };

  return {
    follow({ resource, type, object, previous }) {
      if (previous) unlink(previous);
      if (type !== 'DELETED') link({ resource, object });
    },
    find: (uid = '') => places.get(uid),
    ownedBy: (uid) => [...(dependents.get(uid) ?? [])].flatMap((dependent) => places.get(dependent) ?? []),
    isThere(owner, dependent) {
      const place = places.get(owner.uid);
      const namespace = place?.object.metadata.namespace;
      return place !== undefined && (namespace === undefined || namespace === dependent.metadata.namespace);
    },
  };
};
