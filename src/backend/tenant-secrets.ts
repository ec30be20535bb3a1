// The Secrets of tenants that the service reads: those of its two types, watched; any other only to say what is wrong.
import type { SecretFacts } from '../domain/secret-facts.ts';
import type { KubeClient } from '../kube/client.ts';
import { secrets, type KubeObject, type Secret } from '../kube/object.ts';
import type { StoreChange, StoreReader } from '../runtime/store.ts';
import { readObject } from './identity.ts';
import { laneKey, type LaneKind } from './lane.ts';

/** Where Secrets are read. */
export interface SecretSources {
  readonly client: KubeClient;
  readonly lost: AbortSignal;
  /** Those of the type that is wanted. */
  readonly secrets: StoreReader<Secret>;
}

/** A Secret of a tenant; undefined where there is none. One that is not in the cache is read live: it may be of another type. */
export const readSecret = async (
  sources: SecretSources,
  ref: { readonly namespace: string; readonly name: string },
): Promise<SecretFacts | undefined> => {
  if (ref.name === '') return undefined;
  const found =
    sources.secrets.get(`${ref.namespace}/${ref.name}`) ?? (await readObject({ ...sources, resource: secrets }, ref));
  return found && { type: found.type ?? '', data: found.data ?? {} };
};

/** Whose lanes a Secret wakes. */
export interface SecretFollowers<T extends KubeObject> {
  readonly kind: LaneKind;
  readonly secrets: StoreReader<Secret>;
  /** With an index `secret`: `<namespace>/<name of the Secret>`. */
  readonly store: StoreReader<T>;
  readonly namespaceUidOf: (namespace: string) => string | undefined;
  readonly enqueue: (key: string) => void;
}

/** Enqueues the lanes of the objects that name a Secret whenever it changes. Returns the function that ends this. */
export const followSecrets = <T extends KubeObject>(followers: SecretFollowers<T>): (() => void) => {
  const { kind, store, namespaceUidOf, enqueue } = followers;
  return followers.secrets.subscribe(({ object: { metadata } }: StoreChange<Secret>) => {
    const namespace = metadata.namespace ?? '';
    const namespaceUid = namespaceUidOf(namespace);
    if (namespaceUid === undefined) return;
    for (const one of store.byIndex('secret', `${namespace}/${metadata.name}`)) {
      enqueue(laneKey(kind, { namespaceUid, name: one.metadata.name }));
    }
  });
};
