// Stands in for the kubelets: nothing runs pods here, so each new one is said to run and to be ready.
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import { isNotFound } from '../../src/kube/status-error.ts';
import { rfc3339 } from '../../src/lib/clock.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { createWatcher } from '../../src/runtime/watcher.ts';
import { platform } from '../bench/platform.ts';

interface Pod extends KubeObject {
  readonly status?: { readonly phase?: string };
}

const pods: ResourceType<Pod> = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

const aspects = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'];

const run = async (client: KubeClient, { metadata: { namespace = '', name } }: Pod): Promise<void> => {
  const now = rfc3339(platform.clock.now());
  const conditions = aspects.map((type) => ({ type, status: 'True', lastTransitionTime: now }));
  const body = { status: { phase: 'Running', startTime: now, conditions } };
  try {
    await client.patch(pods, { namespace, name }, { type: 'merge', body, subresource: 'status' });
  } catch (error) {
    if (!isNotFound(error)) throw error; // deleted meanwhile
  }
};

/** Says so of all pods; what it returns stops it. */
export const startPodStub = (kubeconfig: string): (() => Promise<void>) => {
  const metrics = createMetrics();
  const client = createKubeClient({ ...platform, access: parseKubeconfig(kubeconfig), metrics });
  const watcher = createWatcher({ ...platform, metrics, client, resource: pods });
  watcher.store.subscribe(({ object }) => {
    if (object.status?.phase === 'Pending') void run(client, object);
  });
  watcher.start();
  return async () => {
    await watcher.stop();
    client.close();
  };
};
