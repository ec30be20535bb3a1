// The sandbox's API server with clients for it, over real HTTPS.
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient, type KubeClientOptions } from '../../src/kube/http-client.ts';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { startApiServer, type ApiServer, type ApiServerOptions } from '../../src/sandbox/apiserver/server.ts';
import { silentLog } from './captured-log.ts';
import { recordSaid } from './said.ts';

/** A server, and clients that are closed with it. */
export interface SandboxApi {
  readonly server: ApiServer;
  connect(options?: Partial<KubeClientOptions>): KubeClient;
  stop(): Promise<void>;
}

/** Starts the server; its own clock is the machine's unless given. */
export const startSandboxApi = async (
  options: Partial<ApiServerOptions> & { readonly clock?: Clock } = {},
): Promise<SandboxApi> => {
  const clients: KubeClient[] = [];
  const server = await startApiServer({
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
    onAnswer: recordSaid(),
    ...options,
  });
  return {
    server,
    connect(clientOptions = {}) {
      const client = createKubeClient({
        access: parseKubeconfig(server.kubeconfig),
        clock: systemClock,
        random: seededRandom(2),
        gate: openGate,
        log: silentLog,
        metrics: createMetrics(),
        ...clientOptions,
      });
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.close();
      await server.stop();
    },
  };
};
