// Health, readiness and metrics over plain HTTP, on listeners of their own.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from './config.ts';
import { Fault } from './fault.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Why something is not ready, in a few words; undefined when it is. */
export type ReadinessCheck = () => string | undefined;

/** The probes of a process. */
export interface Probes {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Adds a check to `/readyz`. */
  check(name: string, look: ReadinessCheck): void;
  /** The ports in use, once started. */
  readonly ports: { readonly health?: number; readonly metrics?: number };
}

/**
 * Creates the probes: `/healthz` (the process answers), `/readyz` (200, or 503 with one line for each check that is not
 * met), `/metrics`. Both listeners serve all three; one address for both is one listener.
 */
export const createProbes = (options: {
  readonly health: Address;
  readonly metricsAddress: Address;
  readonly metrics: Metrics;
  readonly log: Logger;
}): Probes => {
  const { health, metricsAddress, metrics, log } = options;
  const checks = new Map<string, ReadinessCheck>();
  const servers: Server[] = [];
  const ports: { health?: number; metrics?: number } = {};

  const answer = async (path: string): Promise<{ code: number; body: string }> => {
    if (path === '/healthz') return { code: 200, body: 'ok\n' };
    if (path === '/readyz') return readiness(checks);
    if (path === '/metrics') return { code: 200, body: await metrics.text() };
    return { code: 404, body: 'not found: /healthz, /readyz and /metrics are here\n' };
  };
  const listen = (address: Address, what: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const server = createServer((request, response) => {
        void answer(new URL(request.url ?? '/', 'http://probe').pathname).then(({ code, body }) => {
          response.writeHead(code, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body);
        });
      });
      server.once('error', (error) =>
        reject(
          new Fault(
            'user',
            'PortInUse',
            `the ${what} can't listen on ${address.host}:${address.port}: ${error.message}`,
          ),
        ),
      );
      server.listen(address.port, address.host, () => {
        servers.push(server);
        resolve((server.address() as AddressInfo).port); // a TCP listener's address has a port
      });
    });

  return {
    ports,
    check: (name, look) => void checks.set(name, look),
    async start() {
      const same =
        !health.off && health.host === metricsAddress.host && health.port === metricsAddress.port && health.port !== 0;
      if (!health.off) ports.health = await listen(health, 'health probe');
      if (same && ports.health !== undefined) ports.metrics = ports.health;
      else if (!metricsAddress.off) ports.metrics = await listen(metricsAddress, 'metrics endpoint');
      log.info('probes are up', { ...(ports.health === undefined ? {} : { port: ports.health }) });
    },
    async stop() {
      await Promise.all(
        servers.splice(0).map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeAllConnections();
            }),
        ),
      );
    },
  };
};

const readiness = (checks: ReadonlyMap<string, ReadinessCheck>): { code: number; body: string } => {
  const missing = [...checks].flatMap(([name, look]) => {
    const why = look();
    return why === undefined ? [] : [`${name}: ${why}`];
  });
  return missing.length === 0 ? { code: 200, body: 'ok\n' } : { code: 503, body: `${missing.join('\n')}\n` };
};
