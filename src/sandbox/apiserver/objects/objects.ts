// Reading and writing single objects: every rule between a decoded request and the storage.
import type { ObjectRef } from '../../../kube/object.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import type { ApiObject, Kind } from '../kinds/kind.ts';
import type { Registry } from '../kinds/registry.ts';
import type { Storage } from '../storage/storage.ts';
import { createStaging, type CreateOptions, type StagedWrite, type Staging, type UpdateWrite } from './staging.ts';

/** Reads and writes objects of any kind. Every refusal is an `ApiError`. */
export interface Objects {
  get(kind: Kind, ref: ObjectRef): ApiObject;
  create(kind: Kind, source: unknown, options?: CreateOptions): ApiObject;
  /** Replaces an object by what `change` makes of it. Without a difference nothing is written. */
  update(kind: Kind, ref: ObjectRef, write: UpdateWrite): ApiObject;
  /** Keeps the object in its new state, or lets it go when it is being deleted and nothing holds it. */
  settle(kind: Kind, next: ApiObject): ApiObject;
  /** The same writes in steps. */
  readonly stage: Pick<Staging, 'create' | 'update'>;
}

/** Takes all steps of a write at once, asking nobody. */
export const keepAtOnce = (staged: StagedWrite): ApiObject => staged.keep(staged.complete(staged.asked));

/** Creates the reader and writer of objects over a storage. */
export const createObjects = (parts: {
  storage: Storage;
  registry: Registry;
  clock: Clock;
  random: Random;
}): Objects => {
  const stage = createStaging(parts);
  return {
    get: stage.get,
    create: (kind, source, options) => keepAtOnce(stage.create(kind, source, options)),
    update: (kind, ref, write) => keepAtOnce(stage.update(kind, ref, write)),
    settle: stage.settle,
    stage,
  };
};
