// The sandbox's API server over HTTPS: a stand-in for a Kubernetes API server, in memory, on this machine only.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import { toYaml } from '../../lib/yaml.ts';
import type { ResolveService } from './admission/call.ts';
import { createApi, type Api, type ApiSettings } from './api.ts';
import { createServerCertificate } from './http/certificate.ts';
import { mediaType, refusalResponse, type ApiResponse, type RawRequest } from './http/exchange.ts';
import { answerInProcess } from './http/in-process.ts';
import { tooLarge } from './refusal.ts';

/** What the server starts with. */
export interface ApiServerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The port on 127.0.0.1; any free one unless given. */
  readonly port?: number;
  /** CustomResourceDefinitions that are there from the start. */
  readonly crds?: readonly unknown[];
  /** Namespaces that are there from the start, besides the system's own. */
  readonly namespaces?: readonly string[];
  readonly settings?: Partial<ApiSettings>;
  /** Where webhooks are that are named by a Service; nowhere unless given. */
  readonly resolveService?: ResolveService;
  /** Told of each answer before it is sent, with its request. */
  readonly onAnswer?: (request: RawRequest, answer: ApiResponse) => void;
}

/** A running API server. */
export interface ApiServer {
  /** `https://127.0.0.1:<port>`. */
  readonly url: string;
  /** A kubeconfig (YAML) with which one may do everything. */
  readonly kubeconfig: string;
  /** How often each verb was asked of each resource so far, by `<verb> <plural>[/<subresource>]`. */
  requests(): Readonly<Record<string, number>>;
  /** Answers a request without the network, as the administrator. */
  handle(request: Request): Promise<Response>;
  /** Ends every watch and connection, and waits until the port is free. */
  stop(): Promise<void>;
}

/** The most that a body may hold; the limit of the real API server. */
const bodyLimitBytes = 3 * 1024 * 1024;
/** How much a slow reader of a watch may leave unread before it is cut off. */
const unreadLimitBytes = 64 * 1024 * 1024;
/** Longer than clients keep idle connections, so that it is they who close them. */
const keepAliveMs = 150_000;

const readBody = async (message: IncomingMessage): Promise<Buffer | undefined> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    if (size <= bodyLimitBytes) chunks.push(bytes);
  }
  return size > bodyLimitBytes ? undefined : Buffer.concat(chunks);
};

const requestOf = (message: IncomingMessage, body: Buffer): RawRequest => {
  const url = new URL(message.url ?? '/', 'https://127.0.0.1');
  return {
    method: message.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    accept: message.headers.accept ?? '',
    contentType: mediaType(message.headers['content-type']),
    authorization: message.headers.authorization ?? '',
    body,
  };
};

const send = (answer: ApiResponse, response: ServerResponse): void => {
  response.writeHead(answer.status, { server: 'managed-gitops-sandbox', ...answer.headers });
  if (typeof answer.body === 'string') {
    response.end(answer.body);
    return;
  }
  response.flushHeaders();
  const stop = answer.body({
    write(text) {
      response.write(text);
      return response.writableLength < unreadLimitBytes;
    },
    end: () => void response.end(),
  });
  response.on('close', stop);
};

const kubeconfigFor = (access: { url: string; ca: string; token: string }): string =>
  toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'sandbox',
    clusters: [
      {
        name: 'sandbox',
        cluster: { server: access.url, 'certificate-authority-data': Buffer.from(access.ca).toString('base64') },
      },
    ],
    users: [{ name: 'admin', user: { token: access.token } }],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'admin', namespace: 'default' } }],
  });

/** Starts the server. It holds everything in memory; nothing outlives it. */
export const startApiServer = async (options: ApiServerOptions): Promise<ApiServer> => {
  const { clock, random, log, port = 0, crds = [], namespaces = [], settings = {}, resolveService } = options;
  const token = random.uuid();
  const api = createApi({ clock, random, log, token, crds, namespaces, resolveService, ...settings });
  const answer: Api['answer'] = async (request) => {
    const answered = await api.answer(request);
    options.onAnswer?.(request, answered);
    return answered;
  };
  const { ca, certificate, key } = createServerCertificate({ hosts: ['127.0.0.1', 'localhost'], random });

  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(message);
    const isTooLarge = body === undefined;
    send(isTooLarge ? refusalResponse(tooLarge(bodyLimitBytes)) : await answer(requestOf(message, body)), response);
  };
  const server = createServer({ key, cert: certificate + ca, keepAliveTimeout: keepAliveMs }, (message, response) => {
    serve(message, response).catch((error: unknown) => {
      log.debug('a request to the sandbox API server broke off', { err: error });
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port, not on a pipe
  log.info('the sandbox API server, a stand-in for Kubernetes, is listening', { url });

  return {
    url,
    kubeconfig: kubeconfigFor({ url, ca, token }),
    requests: () => api.requests(),
    handle: (request) => answerInProcess({ api: { ...api, answer }, token, request }),
    async stop() {
      api.stop();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
};
