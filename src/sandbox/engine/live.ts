// The live side: the objects that carry an Application's tracking label, and a word when one of them changes.
import { instanceLabel } from '../../api/labels.ts';
import type { KubeClient, Selection } from '../../kube/client.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from '../../kube/object.ts';
import { isNotFound } from '../../kube/status-error.ts';
import type { Watcher } from '../../runtime/watcher.ts';
import { placesOf, type Scope } from './scope.ts';

/** A tracked object changed, came or went. */
export interface LiveChange {
  readonly application: string;
  readonly resource: ResourceType;
  readonly object: KubeObject;
  readonly gone: boolean;
}

/** The objects that Applications have in the cluster. Reads are live: a sync must not act on an old picture. */
export interface LiveObjects {
  /** The objects of the kinds that carry the Application's label, wherever they are. */
  tracked(application: string, kinds: readonly ResourceType[], signal: AbortSignal): Promise<readonly KubeObject[]>;
  /** One object, tracked or not. */
  find(resource: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** From now on changes of tracked objects of this kind are told. */
  follow(resource: ResourceType): void;
  stop(): Promise<void>;
}

/** The items of a list carry neither kind nor apiVersion on the wire of a real server. */
const typed = (object: KubeObject, resource: ResourceType): KubeObject => ({
  ...object,
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
});

const orUndefined = async <T>(reading: Promise<T>): Promise<T | undefined> => {
  try {
    return await reading;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

/** Creates the reader of what `scope` has; it watches each kind from its first use on, with watchers made by `watch`. */
export const createLiveObjects = (parts: {
  readonly client: KubeClient;
  readonly scope: Scope;
  readonly watch: (resource: ResourceType, selection: Selection) => Watcher<KubeObject>;
  readonly onChange: (change: LiveChange) => void;
}): LiveObjects => {
  const { client, scope, watch, onChange } = parts;
  const followed = new Set<string>();
  const watchers: Watcher<KubeObject>[] = [];
  let stopped = false;

  const watchPlace = (resource: ResourceType, place: Selection): void => {
    const watcher = watch(resource, { ...place, labelSelector: instanceLabel });
    watcher.store.subscribe(({ type, object, old }) => {
      for (const application of new Set([object, old].map((each) => each?.metadata.labels?.[instanceLabel])))
        if (application) onChange({ application, resource, object: typed(object, resource), gone: type === 'deleted' });
    });
    watchers.push(watcher);
    watcher.start();
  };

  const follow = (resource: ResourceType): void => {
    const key = `${resource.group}/${resource.plural}`;
    if (stopped || followed.has(key)) return;
    followed.add(key);
    for (const place of placesOf(scope, resource)) watchPlace(resource, place);
  };

  return {
    follow,
    async tracked(application, kinds, signal) {
      const labelSelector = `${instanceLabel}=${application}`;
      const lists = kinds.flatMap((resource) =>
        placesOf(scope, resource).map(async (place) => {
          const list = await orUndefined(client.list(resource, { ...place, labelSelector, signal }));
          return (list?.items ?? []).map((object) => typed(object, resource));
        }),
      );
      return (await Promise.all(lists)).flat();
    },
    async find(resource, { metadata: { name, namespace } }, signal) {
      const ref = namespace ? { name, namespace } : { name };
      const object = await orUndefined(client.get(resource, ref, { signal }));
      return object && typed(object, resource);
    },
    async stop() {
      stopped = true;
      await Promise.all(watchers.map((watcher) => watcher.stop()));
    },
  };
};
