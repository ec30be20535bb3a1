// A real HTTP server on loopback whose every answer a test writes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A request as it arrived, with its whole body. */
export interface SeenRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Writes one answer. */
export type Responder = (request: SeenRequest, response: ServerResponse) => void;

/** The server, what it saw, and what it answers next. */
export interface ScriptedServer {
  readonly url: string;
  readonly requests: SeenRequest[];
  /** TCP connections accepted so far. */
  readonly connections: number;
  /** May be replaced at any time; a request takes the one that stands when it has arrived. */
  respond: Responder;
  /** Cuts every open connection. */
  cut(): void;
  stop(): Promise<void>;
}

/** Starts a server that answers by `respond`; over TLS when a certificate is given. */
export const startScriptedServer = async (respond: Responder, tls?: ServerOptions): Promise<ScriptedServer> => {
  const requests: SeenRequest[] = [];
  let connections = 0;
  const listener = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk); // no encoding is set
    const url = new URL(incoming.url ?? '/', 'http://server');
    const request = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    requests.push(request);
    scripted.respond(request, response);
  };
  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    listener(incoming, response).catch(() => response.destroy()); // the client went away
  };
  const server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const scripted: ScriptedServer = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    respond,
    get connections() {
      return connections;
    },
    cut: () => server.closeAllConnections(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return scripted;
};

/** Answers with JSON. */
export const answerJson = (response: ServerResponse, code: number, body: unknown): void => {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

/** Answers with a `metav1.Status` of failure. */
export const answerStatus = (
  response: ServerResponse,
  status: { code: number; reason: string; message?: string },
  headers: Record<string, string> = {},
): void => {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: status.reason, ...status };
  response.writeHead(status.code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
