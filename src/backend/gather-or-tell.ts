// What prevents a pass from gathering is told to the user as well.
import type { KubeObject, Namespace } from '../kube/object.ts';
import { asError } from '../lib/fault.ts';
import type { StoreReader } from '../runtime/store.ts';
import { laneOf } from './lane.ts';

/** The object of a lane, as the caches have it. */
export const cachedObject = <T extends KubeObject>(
  namespaces: StoreReader<Namespace>,
  objects: StoreReader<T>,
  key: string,
): T | undefined => {
  const { namespaceUid, name } = laneOf(key);
  const namespace = namespaces.byUid(namespaceUid)?.metadata.name;
  return namespace === undefined ? undefined : objects.get(`${namespace}/${name}`);
};

/** The steps that this takes from a reconciler. */
interface Steps<T, Facts> {
  readonly gather: (key: string) => Promise<Facts>;
  readonly status: {
    reportTrouble(object: T, trouble: { readonly fault: Error; readonly runId: string }): Promise<void>;
  };
}

/**
 * Gathers the facts about a key. When that fails, the user is told first; the telling may fail as well, since the API
 * server may be away too. `object` finds whom to tell.
 * @throws what gathering threw.
 */
export const gatherOrTell = async <T, Facts>(
  { gather, status }: Steps<T, Facts>,
  { key, runId, object }: { readonly key: string; readonly runId: string; readonly object: () => T | undefined },
): Promise<Facts> => {
  try {
    return await gather(key);
  } catch (error) {
    const fault = asError(error);
    const told = object();
    if (told) await status.reportTrouble(told, { fault, runId }).catch(() => undefined); // the first fault counts
    throw fault;
  }
};
