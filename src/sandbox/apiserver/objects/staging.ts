// A write in steps: what was asked for, what would be kept, what is kept. Between the steps others may have their say.
import { apiVersionOf, type ObjectRef } from '../../../kube/object.ts';
import { isEqualJson } from '../../../kube/patch.ts';
import { rfc3339, type Clock } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import { decodeObject, refuseInvalid, type RefuseObject } from './admit.ts';
import { invalid } from '../schema/field-error.ts';
import { asArray, valueAt, without } from '../json.ts';
import { resourceName, type ApiObject, type Kind } from '../kinds/kind.ts';
import { carriedOver, generatedName } from './metadata.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  invalidObject,
  forbiddenAction,
  notFound,
  terminating,
  undecodable,
  versionOfNothing,
} from '../refusal.ts';
import type { Registry } from '../kinds/registry.ts';
import type { Storage } from '../storage/storage.ts';

/** How a write is asked for. */
export interface WriteOptions {
  /** Everything is checked, nothing is kept. */
  readonly dryRun?: boolean;
  /** Told of the fields that were left out; may throw to refuse them. */
  readonly onUnknown?: (fields: readonly string[]) => void;
  /** Makes the refusal of what can't be decoded; a 400 unless given. */
  readonly refuse?: RefuseObject;
}

/** How an object is replaced. */
export interface UpdateOptions extends WriteOptions {
  readonly subresource?: 'status' | 'finalize';
  /** True for a full replacement: of some kinds it has to name the version it replaces, and its UID is a precondition. */
  readonly replaces?: boolean;
}

/** How an object is created. */
export type CreateOptions = WriteOptions & { readonly namespace?: string };

/** How an object becomes what `change` makes of it. */
export type UpdateWrite = UpdateOptions & { readonly change: (existing: ApiObject) => unknown };

/** A write on its way. What refuses it is an `ApiError`. */
export interface StagedWrite {
  /** What is asked for. */
  readonly asked: ApiObject;
  /** What stood there when the write was staged; none for a new object. */
  readonly existing?: ApiObject;
  /** What somebody made of the object, as the kind has it. */
  decode(changed: unknown): ApiObject;
  /** What would be kept: the object completed, and checked. */
  complete(object: ApiObject): ApiObject;
  /** False once another write has come in between: this one has to be staged anew. */
  isCurrent(): boolean;
  /** Keeps what was completed. */
  keep(completed: ApiObject): ApiObject;
}

/** Stages writes. */
export interface Staging {
  create(kind: Kind, source: unknown, options?: CreateOptions): StagedWrite;
  update(kind: Kind, ref: ObjectRef, write: UpdateWrite): StagedWrite;
  /** Keeps the object in its new state, or lets it go when it is being deleted and nothing holds it. */
  settle(kind: Kind, next: ApiObject): ApiObject;
  get(kind: Kind, ref: ObjectRef): ApiObject;
}

/** The object as the given version of its kind shows it: versions differ in `apiVersion` only (conversion `None`). */
export const present = (kind: Kind, object: ApiObject): ApiObject =>
  object.apiVersion === apiVersionOf(kind) ? object : { ...object, apiVersion: apiVersionOf(kind) };

/** True when nothing keeps an object that is to go. A namespace is also kept by `spec.finalizers`. */
export const isReleased = (object: ApiObject): boolean =>
  (object.metadata.finalizers ?? []).length === 0 &&
  !(
    object.kind === 'Namespace' &&
    object.apiVersion === 'v1' &&
    asArray(valueAt(object, 'spec', 'finalizers')).length > 0
  );

const versionedPart = (kind: Kind, object: ApiObject): object =>
  without(object, 'metadata', 'apiVersion', ...(kind.statusSubresource ? ['status'] : []));

interface Write {
  readonly kind: Kind;
  readonly existing: ApiObject;
  readonly written: ApiObject;
  readonly options: UpdateOptions;
}

/** What a write to the object, or to one of its subresources, makes of it. */
const bySubresource = ({ kind, existing, written, options }: Write): ApiObject => {
  const metadata = { ...written.metadata, ...carriedOver(existing.metadata), name: existing.metadata.name };
  if (options.subresource === 'status') return { ...existing, status: written['status'] };
  if (options.subresource === 'finalize') return { ...existing, spec: written['spec'] };
  return { ...written, metadata, ...(kind.statusSubresource ? { status: existing['status'] } : {}) };
};

const refuseOtherObject = ({ kind, existing, written, options }: Write): void => {
  const { name, namespace = '', uid, resourceVersion } = existing.metadata;
  const { metadata } = written;
  if (metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if ((metadata.namespace ?? namespace) !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (metadata.uid && metadata.uid !== uid && !options.replaces) {
    throw invalidObject(kind, name, [invalid('metadata.uid', metadata.uid, 'field is immutable')]);
  }
  if (metadata.uid && metadata.uid !== uid) {
    throw conflict(kind, name, `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${uid}`);
  }
  if (metadata.resourceVersion && metadata.resourceVersion !== resourceVersion) throw conflict(kind, name);
  if (options.replaces && kind.needsVersion && !metadata.resourceVersion) {
    throw invalidObject({ group: '', kind: resourceName(kind) }, name, [
      invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
};

/** A new object in the namespace that its path names. */
const placed = (kind: Kind, source: ApiObject, given: string | undefined): ApiObject => {
  const { namespace: written, ...metadata } = source.metadata;
  if (kind.namespaced && written !== undefined && written !== given) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (metadata.resourceVersion) throw versionOfNothing();
  const isPlaced = kind.namespaced && given;
  return { ...source, metadata: { ...metadata, ...(isPlaced ? { namespace: given } : {}) } };
};

/** The object with what the server gives every new one. */
const newborn = (kind: Kind, source: ApiObject, given: { time: string; random: Random }): ApiObject => {
  const { namespace, ...metadata } = source.metadata;
  const name = metadata.name || (metadata.generateName ? generatedName(metadata.generateName, given.random) : '');
  return {
    ...without(source, kind.statusSubresource ? 'status' : ''),
    apiVersion: source.apiVersion,
    kind: source.kind,
    metadata: {
      ...metadata,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: given.random.uuid(),
      creationTimestamp: given.time,
      ...(kind.generation ? { generation: 1 } : {}),
    },
  };
};

interface StagingParts {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
}

/** Refuses what can't be created now, because its namespace or its kind is going away. */
const closedRefusals = ({ storage, registry }: StagingParts) => ({
  refuseClosedNamespace(kind: Kind, { namespace, name }: ApiObject['metadata']): void {
    if (!namespace) return;
    const found = storage.get('namespaces', { name: namespace });
    const namespaces = registry.byResource('namespaces');
    if (!found && namespaces) throw notFound(namespaces, namespace);
    if (found?.metadata.deletionTimestamp) throw terminating(kind, namespace, name);
  },
  refuseClosedKind(kind: Kind, { name }: ApiObject['metadata']): void {
    const definition = storage.get('customresourcedefinitions.apiextensions.k8s.io', { name: resourceName(kind) });
    if (kind.custom && definition?.metadata.deletionTimestamp) {
      throw forbiddenAction(kind, name, 'create not allowed while custom resource definition is terminating');
    }
  },
});

/** Creates the stager of writes to a storage. */
export const createStaging = (parts: StagingParts): Staging => {
  const { storage, clock, random } = parts;
  const { refuseClosedNamespace, refuseClosedKind } = closedRefusals(parts);

  const get: Staging['get'] = (kind, ref) => {
    const found = storage.get(resourceName(kind), ref);
    if (!found) throw notFound(kind, ref.name);
    return present(kind, found);
  };

  const settle: Staging['settle'] = (kind, next) =>
    next.metadata.deletionTimestamp && isReleased(next)
      ? storage.remove(resourceName(kind), next)
      : storage.put(resourceName(kind), next);

  const create: Staging['create'] = (kind, source, options = {}) => {
    const refuse = options.refuse ?? ((why) => undecodable(kind, why));
    const decoded = decodeObject(kind, source, refuse);
    options.onUnknown?.(decoded.unknown);
    const asked = placed(kind, decoded.object, options.namespace);
    refuseClosedNamespace(kind, asked.metadata);
    return {
      asked,
      decode: (changed) => placed(kind, decodeObject(kind, changed, refuse).object, options.namespace),
      complete(object) {
        const born = newborn(kind, object, { time: rfc3339(clock.now()), random });
        const completed = kind.strategy.prepare?.(born) ?? born;
        refuseClosedKind(kind, completed.metadata);
        refuseInvalid(kind, completed);
        return completed;
      },
      isCurrent: () => true, // that the name is free, and the namespace open, is looked at when the object is kept
      keep(completed) {
        refuseClosedNamespace(kind, completed.metadata);
        const taken = storage.get(resourceName(kind), completed.metadata);
        if (taken) throw alreadyExists(kind, completed.metadata.name, taken.metadata.deletionTimestamp !== undefined);
        return options.dryRun ? completed : storage.put(resourceName(kind), completed);
      },
    };
  };

  const update: Staging['update'] = (kind, ref, write) => {
    const existing = get(kind, ref);
    const refuse = write.refuse ?? ((why) => undecodable(kind, why));
    const decoded = decodeObject(kind, write.change(existing), refuse);
    write.onUnknown?.(decoded.unknown);
    refuseOtherObject({ kind, existing, written: decoded.object, options: write });
    return {
      asked: decoded.object,
      existing,
      decode: (changed) => decodeObject(kind, changed, refuse).object,
      complete(written) {
        const merged = bySubresource({ kind, existing, written, options: write });
        const completed = write.subresource ? merged : (kind.strategy.prepare?.(merged, existing) ?? merged);
        const changed = kind.generation && !isEqualJson(versionedPart(kind, completed), versionedPart(kind, existing));
        const generation = (existing.metadata.generation ?? 0) + (changed ? 1 : 0);
        const next = kind.generation ? { ...completed, metadata: { ...completed.metadata, generation } } : completed;
        refuseInvalid(kind, next, existing);
        return next;
      },
      isCurrent: () =>
        storage.get(resourceName(kind), ref)?.metadata.resourceVersion === existing.metadata.resourceVersion,
      keep(next) {
        const goes = next.metadata.deletionTimestamp !== undefined && isReleased(next);
        if (write.dryRun || (!goes && isEqualJson(next, existing))) return write.dryRun ? next : existing;
        return settle(kind, next);
      },
    };
  };

  return { create, update, settle, get };
};
