// Deleting: preconditions, finalizers, and what is to become of the objects that the deleted one owns.
import { isRecord } from '../../../kube/json.ts';
import type { ObjectRef } from '../../../kube/object.ts';
import { rfc3339, type Clock } from '../../../lib/clock.ts';
import { unsupported } from '../schema/field-error.ts';
import { asText, asObject, type JsonObject } from '../json.ts';
import { resourceName, type ApiObject, type Kind } from '../kinds/kind.ts';
import type { Objects } from './objects.ts';
import { isReleased } from './staging.ts';
import { conflict, forbiddenAction, invalidObject } from '../refusal.ts';
import type { Storage } from '../storage/storage.ts';

/** The finalizer that holds an owner until its dependents are gone. */
export const foregroundFinalizer = 'foregroundDeletion';
/** The finalizer that holds an owner until its dependents no longer name it. */
export const orphanFinalizer = 'orphan';

/** `metav1.DeleteOptions`, as far as they are honoured. */
export interface Deletion {
  readonly dryRun: boolean;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation: 'Background' | 'Foreground' | 'Orphan';
}

const propagations = ['Background', 'Foreground', 'Orphan'] as const;

/** Reads the options of a delete from its body, or from the query where the body has none. */
export const readDeletion = (body: unknown, query: URLSearchParams): Deletion => {
  const options = asObject(body);
  const preconditions = asObject(options['preconditions']);
  const asked = asText(options['propagationPolicy']) || query.get('propagationPolicy') || 'Background';
  const propagation = options['orphanDependents'] === true ? 'Orphan' : propagations.find((policy) => policy === asked);
  if (!propagation) {
    throw invalidObject({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [
      unsupported('propagationPolicy', asked, ['Foreground', 'Background', 'Orphan', 'nil']),
    ]);
  }
  const dryRun = query.has('dryRun') || isDryRun(options);
  return { dryRun, propagation, ...texts(preconditions, 'uid'), ...texts(preconditions, 'resourceVersion') };
};

const isDryRun = (options: JsonObject): boolean => Array.isArray(options['dryRun']) && options['dryRun'].length > 0;

const texts = (source: JsonObject, field: 'uid' | 'resourceVersion'): { uid?: string; resourceVersion?: string } =>
  isRecord(source) && typeof source[field] === 'string' ? { [field]: source[field] } : {};

const refuseUnmet = (kind: Kind, object: ApiObject, deletion: Deletion): void => {
  const { name, uid, resourceVersion } = object.metadata;
  if (deletion.uid !== undefined && deletion.uid !== uid) {
    throw conflict(
      kind,
      name,
      `the UID in the precondition (${deletion.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  }
  if (deletion.resourceVersion !== undefined && deletion.resourceVersion !== resourceVersion) {
    throw conflict(
      kind,
      name,
      `the ResourceVersion in the precondition (${deletion.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
  }
};

const protectedNamespaces = ['default', 'kube-system', 'kube-public'];

const finalizersFor = (object: ApiObject, propagation: Deletion['propagation']): string[] => {
  const others = (object.metadata.finalizers ?? []).filter(
    (name) => name !== foregroundFinalizer && name !== orphanFinalizer,
  );
  if (propagation === 'Foreground') return [...others, foregroundFinalizer];
  return propagation === 'Orphan' ? [...others, orphanFinalizer] : others;
};

const markedDeleted = (kind: Kind, object: ApiObject, deletedAt: string): ApiObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    deletionTimestamp: deletedAt,
    deletionGracePeriodSeconds: 0,
    ...(kind.generation ? { generation: (object.metadata.generation ?? 0) + 1 } : {}),
  },
  ...(object.kind === 'Namespace' ? { status: { ...asObject(object['status']), phase: 'Terminating' } } : {}),
});

/** Deletes objects. `gone` is false when finalizers still hold the object, which is then only marked. */
export type DeleteObject = (kind: Kind, ref: ObjectRef, deletion: Deletion) => { object: ApiObject; gone: boolean };

/** Creates the deleter over a storage. */
export const createDeleter = (parts: { storage: Storage; objects: Objects; clock: Clock }): DeleteObject => {
  const { storage, objects, clock } = parts;
  return (kind, ref, deletion) => {
    const existing = objects.get(kind, ref);
    refuseUnmet(kind, existing, deletion);
    if (kind.kind === 'Namespace' && protectedNamespaces.includes(ref.name)) {
      throw forbiddenAction(kind, ref.name, 'this namespace may not be deleted');
    }
    const finalizers = finalizersFor(existing, deletion.propagation);
    const held: ApiObject = { ...existing, metadata: { ...existing.metadata, finalizers } };
    if (isReleased(held)) {
      return { object: deletion.dryRun ? existing : storage.remove(resourceName(kind), existing), gone: true };
    }
    const marked = existing.metadata.deletionTimestamp ? held : markedDeleted(kind, held, rfc3339(clock.now()));
    const unchanged =
      existing.metadata.deletionTimestamp && finalizers.length === (existing.metadata.finalizers ?? []).length;
    return { object: unchanged || deletion.dryRun ? existing : objects.settle(kind, marked), gone: false };
  };
};
