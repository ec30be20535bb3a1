// Namespaces that are to go: their contents are deleted first, and they wait until it is all gone.
import { rfc3339, type Clock, type Timer } from '../../../lib/clock.ts';
import type { DeleteObject } from '../objects/deletion.ts';
import { asArray, asObject, valueAt, type JsonObject } from '../json.ts';
import { resourceName, type ApiObject, type Kind } from '../kinds/kind.ts';
import type { Objects } from '../objects/objects.ts';
import type { Registry } from '../kinds/registry.ts';
import type { Change } from '../storage/shelf.ts';
import type { Storage } from '../storage/storage.ts';

interface Content {
  readonly kind: Kind;
  readonly object: ApiObject;
}

const counted = (names: readonly string[]): [string, number][] => [
  ...names.reduce((counts, name) => counts.set(name, (counts.get(name) ?? 0) + 1), new Map<string, number>()),
];

const condition = (time: string, type: string, says: { reason: string; message: string }): JsonObject => ({
  type,
  status: 'True',
  lastTransitionTime: time,
  ...says,
});

/** What still holds a namespace, as its conditions say it. */
const remainingConditions = (left: readonly Content[], time: string): JsonObject[] => {
  const byKind = counted(left.map(({ kind }) => resourceName(kind)));
  const byFinalizer = counted(left.flatMap(({ object }) => object.metadata.finalizers ?? []));
  const resources = byKind.map(([name, count]) => `${name} has ${count} resource instances`).join(', ');
  const finalizers = byFinalizer.map(([name, count]) => `${name} in ${count} resource instances`).join(', ');
  return [
    condition(time, 'NamespaceContentRemaining', {
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${resources}`,
    }),
    condition(time, 'NamespaceFinalizersRemaining', {
      reason: 'SomeFinalizersRemain',
      message: `Some content in the namespace has finalizers remaining: ${finalizers}`,
    }),
  ];
};

/** What the emptying of namespaces works with. */
export interface EmptyingParts {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly objects: Objects;
  readonly deleteObject: DeleteObject;
  readonly clock: Clock;
  /** How long a namespace keeps its contents after it was deleted, so that a client may delete them one by one. */
  readonly emptyAfterMs: number;
}

const createEmptier = ({ storage, registry, objects, deleteObject, clock }: EmptyingParts) => {
  const contentOf = (namespace: string): Content[] => {
    const kinds = new Map(registry.all().map((kind) => [resourceName(kind), kind]));
    return [...kinds]
      .filter(([, kind]) => kind.namespaced)
      .flatMap(([resource, kind]) => storage.list(resource, namespace).map((object) => ({ kind, object })));
  };

  const report = (kind: Kind, namespace: ApiObject, left: readonly Content[]): void => {
    const messages = (conditions: unknown): string =>
      asArray(conditions)
        .map((item) => valueAt(item, 'message'))
        .join();
    const conditions = remainingConditions(left, rfc3339(clock.now()));
    if (messages(conditions) === messages(valueAt(namespace, 'status', 'conditions'))) return;
    objects.update(kind, namespace.metadata, {
      subresource: 'status',
      change: (existing) => ({ ...existing, status: { ...asObject(existing['status']), conditions } }),
    });
  };

  const release = (kind: Kind, namespace: ApiObject): void => {
    const finalizers = asArray(valueAt(namespace, 'spec', 'finalizers')).filter((name) => name !== 'kubernetes');
    objects.update(kind, namespace.metadata, {
      subresource: 'finalize',
      change: (existing) => ({ ...existing, spec: { finalizers } }),
    });
  };

  /** Deletes what is left in a namespace that is to go; lets the namespace go when nothing is. */
  return (name: string): void => {
    const kind = registry.byResource('namespaces');
    const namespace = storage.get('namespaces', { name });
    if (!kind || !namespace?.metadata.deletionTimestamp) return;
    for (const content of contentOf(name)) {
      if (content.object.metadata.deletionTimestamp) continue;
      deleteObject(content.kind, content.object.metadata, { dryRun: false, propagation: 'Background' });
    }
    const left = contentOf(name);
    if (left.length === 0) release(kind, namespace);
    else report(kind, namespace, left);
  };
};

/** Starts emptying namespaces that are to go: `react` has to see every change, `stop` ends it. */
export const startNamespaceEmptying = (parts: EmptyingParts): { react: (change: Change) => void; stop(): void } => {
  const empty = createEmptier(parts);
  // By UID: a namespace that was made again under the same name has its own turn.
  const waiting = new Map<string, Timer>();
  const begun = new Set<string>();

  /** Looks at a namespace soon, and only once for all that changes until then. */
  const look = ({ metadata: { uid = '', name } }: ApiObject): void => {
    if (waiting.has(uid)) return;
    const timer = parts.clock.after(begun.has(uid) ? 0 : parts.emptyAfterMs, () => {
      waiting.delete(uid);
      begun.add(uid);
      empty(name);
    });
    waiting.set(uid, timer);
  };

  return {
    react({ resource, type, object }) {
      if (resource === 'namespaces' && type === 'DELETED') begun.delete(object.metadata.uid ?? '');
      const name = resource === 'namespaces' ? object.metadata.name : object.metadata.namespace;
      const namespace = name && type !== 'ADDED' ? parts.storage.get('namespaces', { name }) : undefined;
      if (namespace?.metadata.deletionTimestamp) look(namespace);
    },
    stop() {
      for (const timer of waiting.values()) timer.cancel();
      waiting.clear();
    },
  };
};
