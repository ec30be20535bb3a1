// Another cluster: an embedded API server with an administrator's token.
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startApiServer } from '../../src/sandbox/apiserver/server.ts';
import { silentLog } from './captured-log.ts';

/** Another cluster while it runs. */
export interface RemoteCluster {
  readonly url: string;
  /** The administrator's. */
  readonly token: string;
  readonly client: KubeClient;
  stop(): Promise<void>;
}

/** Starts another cluster with these namespaces. */
export const startRemoteCluster = async (namespaces: readonly string[] = []): Promise<RemoteCluster> => {
  const base = { clock: systemClock, random: systemRandom, gate: openGate, log: silentLog };
  const api = await startApiServer({ ...base, crds: [], namespaces: [...namespaces] });
  const access = parseKubeconfig(api.kubeconfig);
  const client = createKubeClient({ ...base, metrics: createMetrics(), access });
  return {
    url: api.url,
    token: access.token ?? '',
    client,
    async stop() {
      client.close();
      await api.stop();
    },
  };
};
