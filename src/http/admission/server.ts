// Serves admission to the API server over HTTPS, with a certificate that may be renewed while it runs.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ServerResponse } from 'node:http';
import { endsWithin } from '../../lib/abort.ts';
import { sleep, type Clock } from '../../lib/clock.ts';
import type { Address } from '../../lib/config.ts';
import { Fault, messageOf } from '../../lib/fault.ts';
import type { Logger } from '../../lib/log.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { createAnswering, type Answer } from './answer.ts';
import { createCertificateFolder, type KeyPair } from './certificate.ts';

/** What the server is made on. */
export interface AdmissionServerOptions {
  readonly address: Address;
  /** Holds `tls.crt` and `tls.key`. */
  readonly certificateFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** A server of admission webhooks. */
export interface AdmissionServer {
  /**
   * Listens, or returns at once where there is no certificate yet, and listens when there is one.
   * @throws Fault('user', 'PortInUse')
   */
  start(): Promise<void>;
  /** Lets requests under way end, closes the rest, waits for the port to be free. */
  stop(): Promise<void>;
  /** The port in use; 0 while it does not listen. */
  readonly port: number;
}

/** How often the certificate is looked at. */
const LOOK_EVERY_MS = 2_000;
/** How long requests under way may take once the server stops: a user's write hangs on each. */
const GRACE_MS = 2_000;
/** The longest that the API server waits for a webhook. */
const REQUEST_MS = 30_000;

const TLS_OPTIONS = { minVersion: 'TLSv1.2' } as const;

const listen = (server: Server, { host, port }: Address): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => {
      server.close();
      reject(new Fault('user', 'PortInUse', `admission can't listen on ${host}:${port}: ${messageOf(error)}`));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port)); // a TCP listener's address has a port
  });

const send = (response: ServerResponse, { code, headers, body }: Answer): void => {
  response.writeHead(code, headers).end(body);
};

/** Creates the server of the eight paths (`doors.ts`). */
export const createAdmissionServer = (options: AdmissionServerOptions): AdmissionServer => {
  const { address, certificateFolder, clock, log } = options;
  const answer = createAnswering(options);
  const certificate = createCertificateFolder({ folder: certificateFolder, log });
  const ending = new AbortController();
  let server: Server | undefined;
  let port = 0;
  let watching: Promise<void> | undefined;
  let usable: KeyPair | undefined;

  const open = async (pair: KeyPair): Promise<void> => {
    const made = createServer({ ...TLS_OPTIONS, ...pair, requestTimeout: REQUEST_MS }, (request, response) => {
      response.on('error', () => undefined); // the other side went away
      void answer(request).then((one) => send(response, one));
    });
    port = await listen(made, address);
    server = made;
    log.info('admission is served', { port });
  };

  /** Takes a new certificate, and listens once there is one. */
  const look = async (): Promise<void> => {
    const found = await certificate.look();
    usable = found ?? usable;
    if (found && server) server.setSecureContext({ ...TLS_OPTIONS, ...found });
    if (usable && !server) await open(usable);
  };

  const lookAgain = async (): Promise<void> => {
    let said = '';
    while (!ending.signal.aborted) {
      await sleep(clock, LOOK_EVERY_MS, ending.signal);
      await look().catch((error: unknown) => {
        if (said !== messageOf(error)) log.error(messageOf(error));
        said = messageOf(error);
      });
    }
  };

  return {
    get port() {
      return port;
    },
    async start() {
      await look();
      watching = lookAgain().catch((error: unknown) => {
        if (!ending.signal.aborted) throw error;
      });
    },
    async stop() {
      ending.abort();
      await watching;
      const last = server;
      if (!last) return;
      const closed = new Promise<void>((resolve) => last.close(() => resolve()));
      last.closeIdleConnections();
      if (!(await endsWithin({ clock, deadlineMs: GRACE_MS }, () => closed))) last.closeAllConnections();
      await closed;
      port = 0;
    },
  };
};
