// Clients of scripted servers, all of which are ended after each test.
import { afterEach } from 'vitest';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient, type KubeClientOptions } from '../../src/kube/http-client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { silentLog } from './captured-log.ts';
import { startScriptedServer, type ScriptedServer } from './scripted-server.ts';

/** Starts servers and clients that end with the test. */
interface ScriptedClients {
  serve(...scripted: Parameters<typeof startScriptedServer>): Promise<ScriptedServer>;
  connect(server: { readonly url: string }, options?: Partial<KubeClientOptions>): KubeClient;
}

/** To be called once in a test file: registers what ends them. */
export const useScriptedClients = (): ScriptedClients => {
  const stops: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });
  return {
    async serve(...scripted) {
      const server = await startScriptedServer(...scripted);
      stops.push(() => server.stop());
      return server;
    },
    connect(server, options = {}) {
      const client = createKubeClient({
        access: { server: server.url },
        clock: systemClock,
        random: seededRandom(1),
        gate: openGate,
        log: silentLog,
        metrics: createMetrics(),
        ...options,
      });
      stops.push(() => client.close());
      return client;
    },
  };
};

/** Reads a stream to its end: how it ended (`end`, or the error's name) and what came. */
export const drain = async (events: AsyncIterable<unknown>): Promise<[string, unknown[]]> => {
  const seen: unknown[] = [];
  try {
    for await (const event of events) seen.push(event);
    return ['end', seen];
  } catch (error) {
    return [error instanceof Error ? error.name : String(error), seen];
  }
};
