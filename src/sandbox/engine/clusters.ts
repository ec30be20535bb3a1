// The clusters that Applications are deployed to: the engine's own, and those of Argo CD's cluster Secrets.
import type { Clock } from '../../lib/clock.ts';
import { openGate } from '../../lib/gate.ts';
import type { Logger } from '../../lib/log.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Random } from '../../lib/random.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createKubeClient } from '../../kube/http-client.ts';
import type { Secret } from '../../kube/object.ts';
import { isEqualJson } from '../../kube/patch.ts';
import type { StoreChange } from '../../runtime/store.ts';
import { createWatcher } from '../../runtime/watcher.ts';
import { readClusterSecret } from './cluster-secret.ts';
import { createComparer, type Comparer, type Sources } from './comparison.ts';
import { createKinds, type Kinds } from './kinds.ts';
import { createLiveObjects } from './live.ts';
import { chooseCluster, inCluster, type ClusterNames } from './project.ts';
import { wholeCluster, type Scope } from './scope.ts';
import type { Destination } from './shapes.ts';
import { createSync, type Sync } from './sync.ts';
import { createWorkloads } from './workloads.ts';

/** A cluster, and what is done there. */
export interface Cluster extends ClusterNames {
  readonly client: KubeClient;
  readonly kinds: Kinds;
  readonly comparer: Comparer;
  readonly sync: Sync;
}

/** The clusters. */
export interface Clusters {
  start(): void;
  /** The one that a destination names, or Argo CD's words for why there is none. */
  find(destination: Destination): Cluster | string;
  /** Takes in what became of a cluster Secret; true when a cluster came, changed or went. */
  see(change: StoreChange<Secret>): boolean;
  stop(): Promise<void>;
}

/** What clusters stand on. */
export interface ClusterParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly sources: Sources;
  readonly readyAfterMs: number;
  /** Called with the name of an Application of which an object has come, changed or gone. */
  readonly onChange: (application: string) => void;
}

interface OpenCluster extends Cluster {
  start(): void;
  stop(): Promise<void>;
}

/** Makes what is needed to work on one cluster. Nothing connects before it is used. */
const openCluster = (
  parts: ClusterParts,
  { name, server }: ClusterNames,
  { client, scope }: { readonly client: KubeClient; readonly scope: Scope },
): OpenCluster => {
  const { sources, onChange } = parts;
  const cluster = { name, server };
  const workloads = createWorkloads({ ...parts, client });
  const live = createLiveObjects({
    client,
    scope,
    watch: (resource, selection) => createWatcher({ ...parts, client, resource, ...selection }),
    onChange(change) {
      onChange(change.application);
      workloads.see(change);
    },
  });
  const kinds = createKinds(client);
  return {
    ...cluster,
    client,
    kinds,
    comparer: createComparer({ ...sources, cluster, scope, kinds, live }),
    sync: createSync({ cluster, client, kinds, live }),
    start: () => workloads.start(),
    async stop() {
      await workloads.stop();
      await live.stop();
    },
  };
};

/** Creates the clusters, of which the first is the engine's own, with its client. */
export const createClusters = (parts: ClusterParts, client: KubeClient): Clusters => {
  const { log } = parts;
  const own = openCluster(parts, inCluster, { client, scope: wholeCluster });
  const others = new Map<string, OpenCluster>();
  const closing = new Set<Promise<void>>();

  const close = (secretName: string): void => {
    const cluster = others.get(secretName);
    if (!cluster) return;
    others.delete(secretName);
    const closed = cluster.stop().finally(() => cluster.client.close());
    closing.add(closed);
    void closed.finally(() => closing.delete(closed));
  };

  const open = (secret: Secret): void => {
    const found = readClusterSecret(secret);
    if (!found) {
      log.error(`could not unmarshal cluster secret ${secret.metadata.name}`);
      return;
    }
    const { scope, access } = found;
    const cluster = openCluster(parts, found, {
      client: createKubeClient({ ...parts, gate: openGate, access }),
      scope,
    });
    others.set(secret.metadata.name, cluster);
    cluster.start();
  };

  return {
    start: () => own.start(),
    find: (destination) => chooseCluster<Cluster>(destination, [own, ...others.values()]),
    see({ type, object, old }) {
      if (type !== 'deleted' && old && isEqualJson(object.data ?? {}, old.data ?? {})) return false;
      close(object.metadata.name);
      if (type !== 'deleted') open(object);
      return true;
    },
    async stop() {
      for (const name of others.keys()) close(name);
      await Promise.all([own.stop(), ...closing]);
    },
  };
};
