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

  const empty = (name: string): void => {
    const kind = registry.byResource(definitionsResource);
    const definition = storage.get(definitionsResource, { name });
    const { deletionTimestamp, finalizers = [] } = definition?.metadata ?? {};
    if (!kind || !deletionTimestamp || !finalizers.includes(definitionFinalizer)) return;
    const defined = registry.byResource(name);
    for (const object of defined ? storage.list(name) : []) {
      if (!defined || object.metadata.deletionTimestamp) continue;
      deleteObject(defined, object.metadata, { dryRun: false, propagation: 'Background' });
    }
    if (defined && storage.list(name).length > 0) return;
    const others = finalizers.filter((finalizer) => finalizer !== definitionFinalizer);
    objects.update(
      kind,
      { name },
      {
        change: (existing) => ({ ...existing, metadata: { ...existing.metadata, finalizers: others } }),
      },
    );
  };

  return ({ resource, type, object }) => {
    if (resource === definitionsResource) empty(object.metadata.name);
    else if (type !== 'ADDED') empty(resource);
  };
};
