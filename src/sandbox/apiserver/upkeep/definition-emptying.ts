// Definitions that are to go: the objects of the kind are deleted first, and the definition waits until they are gone.
import { definitionFinalizer, definitionsResource } from '../kinds/definitions.ts';
import type { DeleteObject } from '../objects/deletion.ts';
import type { Objects } from '../objects/objects.ts';
import type { Registry } from '../kinds/registry.ts';
import type { Change } from '../storage/shelf.ts';
import type { Storage } from '../storage/storage.ts';

/** Creates the reaction to each change that empties definitions. */
export const createDefinitionEmptying = (parts: {
  storage: Storage;
  registry: Registry;
  objects: Objects;
  deleteObject: DeleteObject;
}): ((change: Change) => void) => {
  const { storage, registry, objects, deleteObject } = parts;

  const deleteContents = (name: string): void => {
    const defined = registry.byResource(name);
    for (const object of defined ? storage.list(name) : []) {
      if (!defined || object.metadata.deletionTimestamp) continue;
      deleteObject(defined, object.metadata, { dryRun: false, propagation: 'Background' });
    }
  };

  const release = (name: string): void => {
    const kind = registry.byResource(definitionsResource);
    if (!kind) return;
    objects.update(
      kind,
      { name },
      {
        change: (existing) => {
          const finalizers = (existing.metadata.finalizers ?? []).filter((held) => held !== definitionFinalizer);
          return { ...existing, metadata: { ...existing.metadata, finalizers } };
        },
      },
    );
  };

  return ({ resource, type, object }) => {
    const itself = resource === definitionsResource;
    const name = itself ? object.metadata.name : resource;
    if (!itself && type !== 'DELETED') return;
    const definition = storage.get(definitionsResource, { name });
    if (!definition?.metadata.deletionTimestamp) return;
    if (itself) deleteContents(name);
    if (storage.shelf(name).isEmpty() && definition.metadata.finalizers?.includes(definitionFinalizer)) release(name);
  };
};
