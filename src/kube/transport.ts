// The connections to one API server: one attempt of one request, over a pool that is kept alive.
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { Fault, messageOf } from '../lib/fault.ts';
import type { Gate } from '../lib/gate.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createBearer, type Bearer } from './bearer.ts';
import type { ClusterAccess } from './kubeconfig.ts';

/** One request, as it goes on the wire. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, without the server's own path. */
  readonly path: string;
  /** The call's name at the gate: verb and resource, no object's name. */
  readonly callName: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** What the server answered, whatever the status. `retryAfterMs` comes from `Retry-After` in seconds. */
export interface TransportAnswer {
  readonly code: number;
  readonly retryAfterMs: number | undefined;
  readonly body: Buffer;
}

/** An answer that goes on. `chunks` throws `ConnectionError` when the connection breaks, or the signal's reason. */
export interface TransportStream {
  readonly chunks: AsyncIterable<Buffer>;
}

/**
 * No whole answer came. `sent` tells whether the server may have seen the request: false means that it certainly did
 * nothing.
 */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly sent: boolean;

  constructor(sent: boolean, cause: unknown) {
    super(messageOf(cause), { cause });
    this.sent = sent;
  }
}

/** One attempt at a time: retries and deadlines are the caller's. */
export interface Transport {
  /** @throws ConnectionError when no whole answer came, also because the signal aborted (its reason is the cause). */
  send(request: TransportRequest): Promise<TransportAnswer>;
  /** Opens an answer without end; any status but 200 is read whole and returned. @throws ConnectionError */
  open(request: TransportRequest): Promise<TransportAnswer | TransportStream>;
  close(): void;
}

/**
 * Has a say in what is connected to. `check` sees the host of each request, a name or an address, before anything is asked
 * about it; `lookup` gives the addresses of a name to the very connection that is made, so that no later answer can differ.
 * A Fault that they throw, or call back with, is passed on and ends the call.
 */
export interface Dialling {
  readonly check: (host: string) => void;
  readonly lookup: LookupFunction;
}

/** What a transport is made of. */
export interface TransportOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly gate: Gate;
  readonly metrics: Metrics;
  readonly userAgent: string;
  /** Largest answer that is read, in bytes. */
  readonly maxBodyBytes: number;
  /** For servers that a stranger has named; without it anything is connected to. */
  readonly dialling?: Dialling;
}

/** Calls side by side; more of them wait for a connection. Watches have connections of their own. */
const MAX_CALL_SOCKETS = 32;
/** Below the 90 s after which an API server drops an idle connection, so that a call rarely meets one just dropped. */
const IDLE_SOCKET_MS = 45_000;
/** The kernel asks a silent peer whether it is still there, so that a vanished server breaks a watch within a minute. */
const TCP_KEEP_ALIVE_MS = 30_000;

/** Creates the pools of one cluster. Nothing connects before the first request. */
export const createTransport = (options: TransportOptions): Transport => {
  const { access, clock, gate } = options;
  const base = new URL(access.server);
  const bearer = createBearer(access, clock);
  const count = createCounting(options.metrics, clock);
  const lookup = options.dialling ? { lookup: options.dialling.lookup } : {};
  const calls = createAgent(access, { maxSockets: MAX_CALL_SOCKETS, ...lookup });
  const watches = createAgent(access, lookup);
  const connected = new WeakSet<Duplex>();
  const host = base.hostname.replace(/^\[|\]$/g, '');

  const begin = async (request: TransportRequest, agent: http.Agent): Promise<Started> => {
    options.dialling?.check(host);
    const authorization = headerOf(bearer);
    try {
      return await start(request, {
        agent,
        connected,
        secure: base.protocol === 'https:',
        host,
        port: base.port === '' ? undefined : Number(base.port),
        path: `${base.pathname.replace(/\/$/, '')}${request.path}`,
        headers: {
          accept: 'application/json',
          'user-agent': options.userAgent,
          ...(authorization === undefined ? {} : { authorization }),
          ...bodyHeaders(request),
        },
      });
    } catch (error) {
      // A key or certificate that can't be read fails here, before anything was sent.
      throw error instanceof ConnectionError || error instanceof Fault ? error : new ConnectionError(false, error);
    }
  };
  const answerOf = async (incoming: IncomingMessage): Promise<TransportAnswer> => {
    if (incoming.statusCode === 401) bearer.refused();
    const body = await readBody(incoming, options.maxBodyBytes);
    return { code: incoming.statusCode ?? 0, retryAfterMs: retryAfterMs(incoming), body };
  };
  return {
    send: (request) =>
      gate({ to: 'api', name: request.callName }, () =>
        count(request, async (seen) => {
          const { incoming, broken } = await begin(request, calls);
          seen(incoming);
          return answerOf(incoming).catch(broken);
        }),
      ),
    open: (request) =>
      gate({ to: 'api', name: request.callName }, () =>
        count(request, async (seen) => {
          const { incoming, broken } = await begin(request, watches);
          seen(incoming);
          return incoming.statusCode === 200
            ? { chunks: chunksOf(incoming, broken) }
            : answerOf(incoming).catch(broken);
        }),
      ),
    close() {
      calls.destroy();
      watches.destroy();
    },
  };
};

/** A token file that can't be read counts as a server that can't be reached: it may be there in a moment. */
const headerOf = (bearer: Bearer): string | undefined => {
  try {
    return bearer.header();
  } catch (error) {
    throw new ConnectionError(false, error);
  }
};

/** The length is said explicitly: of a DELETE's body Node.js would say nothing, and the server would not read it. */
const bodyHeaders = ({ body, contentType }: TransportRequest): Record<string, string> =>
  body === undefined
    ? {}
    : { 'content-type': contentType ?? 'application/json', 'content-length': String(Buffer.byteLength(body)) };

interface AgentLimits {
  readonly maxSockets?: number;
  readonly lookup?: LookupFunction;
}

const createAgent = (access: ClusterAccess, limits: AgentLimits): http.Agent => {
  const pool = {
    keepAlive: true,
    keepAliveMsecs: TCP_KEEP_ALIVE_MS,
    timeout: IDLE_SOCKET_MS,
    scheduling: 'lifo' as const,
    ...limits,
  };
  if (!access.server.startsWith('https:')) return new http.Agent(pool);
  return new https.Agent({
    ...pool,
    ...(access.ca === undefined ? {} : { ca: access.ca }),
    ...(access.clientCertificate === undefined ? {} : { cert: access.clientCertificate }),
    ...(access.clientKey === undefined ? {} : { key: access.clientKey }),
    ...(access.tlsServerName === undefined || isIP(access.tlsServerName) ? {} : { servername: access.tlsServerName }),
    rejectUnauthorized: access.insecureSkipTlsVerify !== true,
    minVersion: 'TLSv1.2',
  });
};

interface Target {
  readonly agent: http.Agent;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number | undefined;
  readonly path: string;
  readonly headers: Record<string, string>;
  /** Sockets that were ready once: what is written to them may be seen by the server. */
  readonly connected: WeakSet<Duplex>;
}

/** A request whose answer has begun. `broken` turns an error in the middle of it into what the caller is told. */
interface Started {
  readonly incoming: IncomingMessage;
  readonly broken: (error: unknown) => never;
}

const start = (request: TransportRequest, target: Target): Promise<Started> =>
  new Promise((resolve, reject) => {
    const { signal } = request;
    let sent = false;
    const wrap = (error: unknown): unknown =>
      error instanceof Fault ? error : new ConnectionError(sent, signal.aborted ? signal.reason : error);
    const broken = (error: unknown): never => {
      throw wrap(error);
    };
    if (signal.aborted) return reject(wrap(signal.reason));
    const { agent, host, port, path, headers } = target;
    const address = { host, ...(port === undefined ? {} : { port }), path };
    const { request: requestOver } = target.secure ? https : http;
    const outgoing = requestOver({ ...address, agent, headers, method: request.method, signal });
    outgoing.on('socket', (socket) => {
      socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
      if (target.connected.has(socket)) sent = true;
      else {
        socket.once(target.secure ? 'secureConnect' : 'connect', () => {
          target.connected.add(socket);
          sent = true;
        });
      }
    });
    outgoing.on('error', (error) => reject(wrap(error))); // stays on: a break after the answer began is emitted here too
    outgoing.on('response', (incoming) => resolve({ incoming, broken }));
    outgoing.end(request.body);
  });

const readBody = async (incoming: IncomingMessage, maxBytes: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const source = incoming as AsyncIterable<Buffer>; // no encoding is set, so chunks are buffers
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      incoming.destroy();
      throw new Fault('internal', 'ApiAnswerUnreadable', `the API server's answer is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
};

async function* chunksOf(incoming: IncomingMessage, broken: (error: unknown) => never): AsyncGenerator<Buffer> {
  try {
    yield* incoming as AsyncIterable<Buffer>; // no encoding is set, so chunks are buffers
  } catch (error) {
    broken(error);
  } finally {
    incoming.destroy();
  }
}

const retryAfterMs = (incoming: IncomingMessage): number | undefined => {
  const header = incoming.headers['retry-after'];
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
};

type Counting = <T>(
  request: TransportRequest,
  attempt: (seen: (incoming: IncomingMessage) => void) => Promise<T>,
) => Promise<T>;

/** Counts attempts under client-go's names. Its label `host` is left out: hosts may be named by users. */
const createCounting = (metrics: Metrics, clock: Clock): Counting => {
  const total = metrics.counter({
    name: 'rest_client_requests_total',
    help: 'Requests to API servers, by HTTP status and method.',
    labels: ['code', 'method'],
  });
  const duration = metrics.histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Time until an API server began to answer, by method.',
    labels: ['verb'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
  });
  return async (request, attempt) => {
    const startMs = clock.monotonicMs();
    let code = '<error>';
    const record = (): void => {
      total.add({ code, method: request.method });
      duration.observe((clock.monotonicMs() - startMs) / 1000, { verb: request.method });
    };
    try {
      return await attempt((incoming) => (code = String(incoming.statusCode)));
    } finally {
      record();
    }
  };
};
