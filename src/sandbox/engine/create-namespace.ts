// The namespace that a sync with `CreateNamespace=true` makes. It gets no label: it outlives the Application.
import type { KubeClient } from '../../kube/client.ts';
import { namespaces } from '../../kube/object.ts';
import { isAlreadyExists } from '../../kube/status-error.ts';
import { resultLine, spokenName } from './apply.ts';
import type { LiveObjects } from './live.ts';
import type { SyncedResource } from './shapes.ts';
import { hasOption, objectOf, type Pair } from './sync-plan.ts';
import type { SyncRequest } from './sync-request.ts';

/** Makes the destination's namespace. */
export interface NamespaceMaker {
  /** The namespace, if it is asked for and nobody has made it. */
  wanted(request: SyncRequest): Promise<readonly Pair[]>;
  create(pair: Pair, request: SyncRequest): Promise<SyncedResource>;
}

/** Creates the maker of namespaces. */
export const createNamespaceMaker = (parts: {
  readonly client: KubeClient;
  readonly live: LiveObjects;
}): NamespaceMaker => {
  const { client, live } = parts;
  return {
    async wanted({ application, order, comparison, signal }) {
      const name = application.spec.destination.namespace ?? '';
      if (name === '' || !hasOption(order, 'CreateNamespace=true')) return [];
      const isIt = ({ desired }: Pair): boolean => desired?.kind === 'Namespace' && desired.metadata.name === name;
      if (comparison.pairs.some(isIt)) return [];
      const desired = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      const present = await live.find(namespaces, desired, signal);
      return present ? [] : [{ desired, resource: namespaces, synced: false }];
    },
    async create(pair, { order, signal }) {
      const object = objectOf(pair);
      if (!order.dryRun)
        await client.create(namespaces, object, { signal }).catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error;
        });
      return {
        ...resultLine(pair, { status: 'Synced', message: `${spokenName(object)} created` }),
        syncPhase: 'PreSync',
      };
    },
  };
};
