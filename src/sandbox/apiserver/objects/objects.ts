// Reading and writing single objects: every rule between a decoded request and the storage.
import type { ObjectRef } from '../../../kube/object.ts';
import { apiVersionOf } from '../../../kube/object.ts';
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

/** Reads and writes objects of any kind. Every refusal is an `ApiError`. */
export interface Objects {
  get(kind: Kind, ref: ObjectRef): ApiObject;
  create(kind: Kind, source: unknown, options?: WriteOptions & { namespace?: string }): ApiObject;
  /** Replaces an object by what `change` makes of it. Without a difference nothing is written. */
  update(kind: Kind, ref: ObjectRef, write: UpdateOptions & { change: (existing: ApiObject) => unknown }): ApiObject;
  /** Keeps the object in its new state, or lets it go when it is being deleted and nothing holds it. */
  settle(kind: Kind, next: ApiObject): ApiObject;
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

/** The object with what the server gives every new one. */
const newborn = (
  kind: Kind,
  source: ApiObject,
  given: { namespace?: string; time: string; random: Random },
): ApiObject => {
  const { namespace: written, resourceVersion, ...metadata } = source.metadata;
  if (kind.namespaced && written !== undefined && written !== given.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (resourceVersion) throw versionOfNothing();
  const name = metadata.name || (metadata.generateName ? generatedName(metadata.generateName, given.random) : '');
  return {
    ...without(source, kind.statusSubresource ? 'status' : ''),
    apiVersion: source.apiVersion,
    kind: source.kind,
    metadata: {
      ...metadata,
      name,
      ...(kind.namespaced && given.namespace ? { namespace: given.namespace } : {}),
      uid: given.random.uuid(),
      creationTimestamp: given.time,
      ...(kind.generation ? { generation: 1 } : {}),
    },
  };
};

/** Creates the reader and writer of objects over a storage. */
export const createObjects = (parts: {
  storage: Storage;
  registry: Registry;
  clock: Clock;
  random: Random;
}): Objects => {
  const { storage, registry, clock, random } = parts;

  const get = (kind: Kind, ref: ObjectRef): ApiObject => {
    const found = storage.get(resourceName(kind), ref);
    if (!found) throw notFound(kind, ref.name);
    return present(kind, found);
  };

  const refuseClosedNamespace = (kind: Kind, namespace: string, name: string): void => {
    const found = storage.get('namespaces', { name: namespace });
    const namespaces = registry.byResource('namespaces');
    if (!found && namespaces) throw notFound(namespaces, namespace);
    if (found?.metadata.deletionTimestamp) throw terminating(kind, namespace, name);
  };

  const refuseClosedKind = (kind: Kind, name: string): void => {
    const definition = storage.get('customresourcedefinitions.apiextensions.k8s.io', { name: resourceName(kind) });
    if (kind.custom && definition?.metadata.deletionTimestamp) {
      throw forbiddenAction(kind, name, 'create not allowed while custom resource definition is terminating');
    }
  };

  const create: Objects['create'] = (kind, source, options = {}) => {
    const decoded = decodeObject(kind, source, options.refuse ?? ((why) => undecodable(kind, why)));
    options.onUnknown?.(decoded.unknown);
    const { namespace } = options;
    const given = { time: rfc3339(clock.now()), random, ...(namespace === undefined ? {} : { namespace }) };
    const born = newborn(kind, decoded.object, given);
    const object = kind.strategy.prepare?.(born) ?? born;
    if (object.metadata.namespace) refuseClosedNamespace(kind, object.metadata.namespace, object.metadata.name);
    refuseClosedKind(kind, object.metadata.name);
    refuseInvalid(kind, object);
    const taken = storage.get(resourceName(kind), object.metadata);
    if (taken) throw alreadyExists(kind, object.metadata.name, taken.metadata.deletionTimestamp !== undefined);
    return options.dryRun ? object : storage.put(resourceName(kind), object);
  };

  const settle: Objects['settle'] = (kind, next) =>
    next.metadata.deletionTimestamp && isReleased(next)
      ? storage.remove(resourceName(kind), next)
      : storage.put(resourceName(kind), next);

  const update: Objects['update'] = (kind, ref, write) => {
    const existing = get(kind, ref);
    const decoded = decodeObject(kind, write.change(existing), write.refuse ?? ((why) => undecodable(kind, why)));
    write.onUnknown?.(decoded.unknown);
    const asked = { kind, existing, written: decoded.object, options: write };
    refuseOtherObject(asked);
    const merged = bySubresource(asked);
    const completed = write.subresource ? merged : (kind.strategy.prepare?.(merged, existing) ?? merged);
    const changed = kind.generation && !isEqualJson(versionedPart(kind, completed), versionedPart(kind, existing));
    const generation = (existing.metadata.generation ?? 0) + (changed ? 1 : 0);
    const next = kind.generation ? { ...completed, metadata: { ...completed.metadata, generation } } : completed;
    refuseInvalid(kind, next, existing);
    const goes = next.metadata.deletionTimestamp !== undefined && isReleased(next);
    if (write.dryRun || (!goes && isEqualJson(next, existing))) return write.dryRun ? next : existing;
    return settle(kind, next);
  };

  return { get, create, update, settle };
};
