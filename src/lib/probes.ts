// Health, readiness and metrics over plain HTTP, on listeners of their own.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from './config.ts';
import { Fault, messageOf } from './fault.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Why something is not ready, in a few words; undefined when it is. */
export type ReadinessCheck = () => string | undefined;

/** The probes of a process. */
export interface Probes {
  /** Returns once the listeners are open. @throws Fault('user', 'PortInUse') */
  start(): Promise<void>;
  /** Closes what a start has opened or is opening. */
  stop(): Promise<void>;
  /** Adds a check to `/readyz`. */
  check(name: string, look: ReadinessCheck): void;
  /** The ports in use, once started. */
  readonly ports: { readonly health?: number; readonly metrics?: number };
}

interface Answer {
  readonly code: number;
  readonly body: string;
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
  let starting: Promise<void> | undefined;

  const answer = async (path: string | undefined): Promise<Answer> => {
    if (path === '/healthz') return { code: 200, body: 'ok\n' };
    if (path === '/readyz') return readiness(checks);
    if (path === '/metrics') return { code: 200, body: await metrics.text() };
    return { code: 404, body: 'not found: /healthz, /readyz and /metrics are here\n' };
  };
  const failed = (error: unknown): Answer => {
    log.error('a probe could not be answered', { err: error });
    return { code: 500, body: 'internal error\n' };
  };
  const open = (address: Address, what: string): Promise<number> => {
    const server = createServer((request, response) => {
      void answer(request.url?.split('?', 1)[0])
        .catch(failed)
        .then(({ code, body }) => response.writeHead(code, { 'content-type': TEXT }).end(body));
    });
    servers.push(server);
    return listen(server, address, what);
  };
  const openBoth = async (): Promise<void> => {
    if (!health.off) ports.health = await open(health, 'health probe');
    if (ports.health !== undefined && isSame(health, metricsAddress)) ports.metrics = ports.health;
    else if (!metricsAddress.off) ports.metrics = await open(metricsAddress, 'metrics endpoint');
    log.info('probes are up', ports.health === undefined ? {} : { port: ports.health });
  };

  return {
    ports,
    check: (name, look) => void checks.set(name, look),
    start: () => (starting ??= openBoth()),
    async stop() {
      await starting?.catch(() => undefined); // told to who started
      await Promise.all(servers.splice(0).map(close));
    },
  };
};

/** The text format of Prometheus; kubelets don't look. */
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

/** Port 0 is a port of its own each time. */
const isSame = (one: Address, other: Address): boolean =>
  !other.off && one.host === other.host && one.port === other.port && one.port !== 0;

const listen = (server: Server, { host, port }: Address, what: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.on('error', (error) =>
      reject(new Fault('user', 'PortInUse', `the ${what} can't listen on ${host}:${port}: ${messageOf(error)}`)),
    );
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port)); // a TCP listener's address has a port
  });

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve()); // also when it never came to listen
    server.closeAllConnections();
  });

const readiness = (checks: ReadonlyMap<string, ReadinessCheck>): Answer => {
  const missing = [...checks].flatMap(([name, look]) => {
    const why = look();
    return why === undefined ? [] : [`${name}: ${why}`];
  });
  return missing.length === 0 ? { code: 200, body: 'ok\n' } : { code: 503, body: `${missing.join('\n')}\n` };
};
