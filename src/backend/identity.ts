// Who bears a name now, and who of those that bore it is certainly gone.
import type { NamespaceFacts } from '../domain/deployment-facts.ts';
import type { KubeClient } from '../kube/client.ts';
import { namespaces, type KubeObject, type ObjectRef, type ResourceType } from '../kube/object.ts';
import { ApiError, isNotFound } from '../kube/status-error.ts';
import { Fault } from '../lib/fault.ts';
import type { StoreReader } from '../runtime/store.ts';
import type { Absences } from './absences.ts';
import type { Lane } from './lane.ts';

/** The row that links an object to what was made for it. */
export interface SeenLink {
  readonly uid: string;
  /** The generation that the rows were planned from; null where that is not kept. */
  readonly generation: number | null;
  /** Name of the namespace. */
  readonly namespace: string;
}

/** What caches and rows say about a lane. */
export interface Seen<T extends KubeObject> {
  readonly lane: Lane;
  readonly namespace: NamespaceFacts | undefined;
  readonly cached: T | undefined;
  readonly links: readonly SeenLink[];
}

/** Who bears the name of a lane. */
export interface Identity<T extends KubeObject> {
  /** The object of this name, deleting or not, as far as it is known to exist. */
  readonly object: T | undefined;
  /** Of the linked UIDs, those whose object is proven to be gone or being deleted. */
  readonly gone: ReadonlySet<string>;
  /** True when `object` was read from the API server just now, not from a cache. */
  readonly live: boolean;
}

/** What proving takes. */
export interface IdentitySources<T extends KubeObject> {
  readonly client: KubeClient;
  readonly lost: AbortSignal;
  readonly resource: ResourceType<T>;
  readonly store: StoreReader<T>;
  readonly absences: Absences;
}

const nobody: ReadonlySet<string> = new Set();

/**
 * Who bears this name now. The cache is believed as long as it agrees with the rows. What would have rows removed, or
 * made for the first time, is read live: a cache may lag, and a namespace may have been made again.
 */
export const proveIdentity = async <T extends KubeObject>(
  sources: IdentitySources<T>,
  seen: Seen<T>,
): Promise<Identity<T>> => {
  const { lane, namespace, cached, links } = seen;
  if (agree(seen)) return { object: cached, gone: nobody, live: false };
  const name = namespace?.name ?? links[0]?.namespace ?? '';
  const here = (await readNamespace(sources, name)) === lane.namespaceUid;
  if (links.length === 0) return { object: here ? cached : undefined, gone: nobody, live: false };
  const object = here ? await readObject(sources, { namespace: name, name: lane.name }) : undefined;
  return { object, gone: provenGone(sources, object, links), live: true };
};

/** True when neither the rows nor the object ask for more than a look at the status. */
const agree = ({ cached, links }: Seen<KubeObject>): boolean => {
  if (!cached) return links.length === 0;
  if (cached.metadata.deletionTimestamp) return links.length === 0;
  const { uid, generation = 0 } = cached.metadata;
  return links.length > 0 && links.every((link) => link.uid === uid && (link.generation ?? 0) <= generation);
};

/**
 * Of the linked UIDs, those whose object is certainly gone or being deleted. A live object of this name under another
 * UID is proof by itself, since a name is borne once; otherwise an absence counts only as `Absences` says. Who is alive
 * elsewhere in the cache is not gone.
 */
const provenGone = (
  { absences, store }: Pick<IdentitySources<KubeObject>, 'absences' | 'store'>,
  live: KubeObject | undefined,
  links: readonly SeenLink[],
): ReadonlySet<string> => {
  if (live?.metadata.uid) absences.sawPresence(live.metadata.uid);
  const isGone = ({ uid }: SeenLink): boolean => {
    if (uid === live?.metadata.uid) return live.metadata.deletionTimestamp !== undefined;
    if (live) return true;
    return store.byUid(uid) === undefined && absences.isGone(uid);
  };
  return new Set(links.filter(isGone).map((link) => link.uid));
};

type Reader = Pick<IdentitySources<KubeObject>, 'client' | 'lost'>;

/** The UID of the namespace that bears this name now; undefined when there is none. @throws as `readObject`. */
export const readNamespace = async ({ client, lost }: Reader, name: string): Promise<string | undefined> =>
  (await readObject({ client, lost, resource: namespaces }, { name }))?.metadata.uid;

/**
 * The object that bears this name now; undefined when there is none.
 * @throws Fault('internal', 'ApiRefused') when the API server will not say.
 */
export const readObject = async <T extends KubeObject>(
  { client, lost, resource }: Reader & Pick<IdentitySources<T>, 'resource'>,
  ref: ObjectRef,
): Promise<T | undefined> => {
  try {
    return await client.get(resource, ref, { signal: lost });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (!(error instanceof ApiError)) throw error;
    throw new Fault('internal', 'ApiRefused', `${resource.kind} '${ref.name}': ${error.message}`, { cause: error });
  }
};
