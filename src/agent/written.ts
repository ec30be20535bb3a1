// Objects that are read from a cache and also written here: the cache lags behind our own writes.
import type { CallOptions, KubeClient } from '../kube/client.ts';
import type { KubeObject, ObjectRef, ResourceType } from '../kube/object.ts';
import { waitingFault } from '../api/reasons.ts';
import { isNotFound } from '../kube/status-error.ts';
import type { Clock } from '../lib/clock.ts';
import { createOwnWrites } from '../runtime/own-writes.ts';
import type { StoreReader } from '../runtime/store.ts';

interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

/** A cache that knows what has been written since. */
export interface WrittenReader<T extends KubeObject> {
  /** The object: from the cache, unless that still has what a write here began from; then it is read live. */
  get(ref: NamespacedName, options?: CallOptions): Promise<T | undefined>;
  /** An object was written, on condition of `from` (undefined: it was made); `to` is undefined when it was deleted. */
  wrote(key: string, change: { readonly from: T | undefined; readonly to: T | undefined }): void;
}

/**
 * Creates the reader. Without it, a wish that is taken back at once would find the cache as it was before, and be taken
 * for done.
 */
export const createWrittenReader = <T extends KubeObject>(options: {
  readonly client: KubeClient;
  readonly resource: ResourceType<T>;
  readonly store: Pick<StoreReader<T>, 'get'>;
  readonly clock: Clock;
}): WrittenReader<T> => {
  const { client, resource, store, clock } = options;
  const written = createOwnWrites(clock);
  return {
    async get(ref, callOptions) {
      const key = `${ref.namespace}/${ref.name}`;
      const cached = store.get(key);
      if (written.last(key)?.behind.has(cached?.metadata.resourceVersion)) {
        return readLive({ client, resource }, ref, callOptions);
      }
      written.forget(key);
      return cached;
    },
    wrote: (key, { from, to }) =>
      written.add(key, { from: from?.metadata.resourceVersion, to: to?.metadata.resourceVersion }),
  };
};

/** The object as the API server has it; undefined where it has none. */
export const readLive = async <T extends KubeObject>(
  { client, resource }: { readonly client: KubeClient; readonly resource: ResourceType<T> },
  ref: ObjectRef,
  options?: CallOptions,
): Promise<T | undefined> => {
  try {
    return await client.get(resource, ref, options);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

const GONE_AGAIN_MS = 200;

/**
 * Writes to an object that was read before.
 * @throws Fault('waiting') when it has gone meanwhile: as quiet as a conflict, it is only to be looked at again.
 */
export const writePresent = async <T>(write: () => Promise<T>): Promise<T> => {
  try {
    return await write();
  } catch (error) {
    if (isNotFound(error)) throw waitingFault('StaleCache', '', GONE_AGAIN_MS);
    throw error;
  }
};
