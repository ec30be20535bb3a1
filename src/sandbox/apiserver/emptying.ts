// Namespaces and definitions that are to go: their contents are deleted first, and they wait until it is all gone.
import { rfc3339, type Clock } from '../../lib/clock.ts';
import { definitionFinalizer, definitionsResource } from './definitions.ts';
import type { DeleteObject } from './deletion.ts';
import { asArray, asObject, valueAt, type JsonObject } from './json.ts';
import { resourceName, type ApiObject, type Kind } from './kind.ts';
import type { Objects } from './objects.ts';
import type { Registry } from './registry.ts';
import type { Change, Storage } from './storage.ts';

interface Content {
  readonly kind: Kind;
  readonly object: ApiObject;
}

const counted = (names: readonly string[]): [string, number][] => [
  ...names.reduce((counts, name) => counts.set(name, (counts.get(name) ?? 0) + 1), new Map<string, number>()),
];

/** What still holds a namespace, as its conditions say it. */
const remainingConditions = (left: readonly Content[], time: string): JsonObject[] => {
  const byKind = counted(left.map(({ kind }) => resourceName(kind)));
  const byFinalizer = counted(left.flatMap(({ object }) => object.metadata.finalizers ?? []));
  const resources = byKind.map(([name, count]) => `${name} has ${count} resource instances`).join(', ');
  const finalizers = byFinalizer.map(([name, count]) => `${name} in ${count} resource instances`).join(', ');
  const shared = { status: 'True', lastTransitionTime: time };
  return [
    {
      ...shared,
      type: 'NamespaceContentRemaining',
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${resources}`,
    },
    {
      ...shared,
      type: 'NamespaceFinalizersRemaining',
      reason: 'SomeFinalizersRemain',
      message: `Some content in the namespace has finalizers remaining: ${finalizers}`,
    },
  ];
};

/** Creates the reaction that empties namespaces and definitions. */
export const createEmptying = (parts: {
  storage: Storage;
  registry: Registry;
  objects: Objects;
  deleteObject: DeleteObject;
  clock: Clock;
}): ((change: Change) => void) => {
  const { storage, registry, objects, deleteObject, clock } = parts;

  const contentOf = (namespace: string): Content[] => {
    const kinds = new Map(
      registry
        .all()
        .filter((kind) => kind.namespaced)
        .map((kind) => [resourceName(kind), kind]),
    );
    return [...kinds].flatMap(([resource, kind]) =>
      storage.list(resource, namespace).map((object) => ({ kind, object })),
    );
  };

  const deleteAll = (content: readonly Content[]): void => {
    for (const { kind, object } of content) {
      if (!object.metadata.deletionTimestamp)
        deleteObject(kind, object.metadata, { dryRun: false, propagation: 'Background' });
    }
  };

  const emptyNamespace = (namespace: ApiObject): void => {
    const kind = registry.byResource('namespaces');
    const { name } = namespace.metadata;
    if (!kind) return;
    deleteAll(contentOf(name));
    const left = contentOf(name);
    if (left.length === 0) {
      const rest = asArray(valueAt(namespace, 'spec', 'finalizers')).filter((finalizer) => finalizer !== 'kubernetes');
      objects.update(
        kind,
        { name },
        { subresource: 'finalize', change: (existing) => ({ ...existing, spec: { finalizers: rest } }) },
      );
      return;
    }
    const messages = (conditions: unknown): string =>
      asArray(conditions)
        .map((item) => valueAt(item, 'message'))
        .join();
    const conditions = remainingConditions(left, rfc3339(clock.now()));
    if (messages(conditions) === messages(valueAt(namespace, 'status', 'conditions'))) return;
    objects.update(
      kind,
      { name },
      {
        subresource: 'status',
        change: (existing) => ({ ...existing, status: { ...asObject(existing['status']), conditions } }),
      },
    );
  };

  const emptyDefinition = (definition: ApiObject): void => {
    const kind = registry.byResource(definitionsResource);
    const { name, finalizers = [] } = definition.metadata;
    if (!kind || !finalizers.includes(definitionFinalizer)) return;
    const defined = registry.byResource(name);
    const content = (): Content[] => (defined ? storage.list(name).map((object) => ({ kind: defined, object })) : []);
    deleteAll(content());
    if (content().length > 0) return;
    objects.update(
      kind,
      { name },
      {
        change: (existing) => ({
          ...existing,
          metadata: {
            ...existing.metadata,
            finalizers: finalizers.filter((finalizer) => finalizer !== definitionFinalizer),
          },
        }),
      },
    );
  };

  const look = (resource: string, name: string): void => {
    const object = storage.get(resource, { name });
    if (!object?.metadata.deletionTimestamp) return;
    if (resource === 'namespaces') emptyNamespace(object);
    else emptyDefinition(object);
  };

  return ({ resource, type, object }) => {
    if (resource === 'namespaces' || resource === definitionsResource) {
      if (type === 'MODIFIED') look(resource, object.metadata.name);
      return;
    }
    if (type === 'ADDED') return;
    if (object.metadata.namespace) look('namespaces', object.metadata.namespace);
    look(definitionsResource, resource);
  };
};
