// The API server of a simulation: in the same process, reached by the service's own client, with faults on the way.
import {
  ConnectionError,
  type Transport,
  type TransportAnswer,
  type TransportRequest,
} from '../../src/kube/transport.ts';
import { isRecord } from '../../src/kube/json.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Gate } from '../../src/lib/gate.ts';
import type { Api } from '../../src/sandbox/apiserver/api.ts';
import type { ApiResponse } from '../../src/sandbox/apiserver/http/exchange.ts';
import type { Stream } from '../../src/sandbox/apiserver/objects/watching.ts';
import type { ApiFault, Faults } from './faults-plan.ts';
import { openFaultyWatch } from './faulty-watch.ts';

/** A request that a process of the service makes. */
export interface ServiceRequest {
  readonly actor: string;
  readonly method: TransportRequest['method'];
  /** Plural of the kind. */
  readonly resource: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly body: unknown;
}

/** Who looks on, and who lies. */
export interface Bystanders {
  /** Called before a request of the service is carried out. */
  readonly before: (request: ServiceRequest) => void;
  /** Whether a read is to be answered with "not found", though the object is there: a bug that can be switched on. */
  readonly denies: (request: ServiceRequest) => boolean;
  /** What is to be made of a watch's line. */
  readonly falsify: (actor: string, line: string) => string;
}

/** What the transport of one process is made of. */
export interface FaultyTransportOptions {
  readonly api: Api;
  readonly token: string;
  readonly actor: string;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly bystanders: Bystanders;
}

/** Creates what carries the requests of one process. */
export const createFaultyTransport = (options: FaultyTransportOptions): Transport => {
  const { gate, faults, bystanders, actor } = options;
  const placesLost = new Set<string>();

  const carryOut = (request: TransportRequest, told: ServiceRequest): ApiResponse => {
    if (bystanders.denies(told)) return notFound;
    bystanders.before(told);
    return respondTo(options, request);
  };
  /** The answer to the opening of a watch: a stream, or what is said instead. */
  const accept = (request: TransportRequest, resource: string): ApiResponse => {
    const resumes = /[?&]resourceVersion=/.test(request.path);
    return placesLost.delete(resource) && resumes ? tooOld : respondTo(options, request);
  };
  const falsify = (line: string): string => bystanders.falsify(actor, line);
  return {
    async send(request) {
      const told = describe(actor, request);
      const end = await gate({ to: 'api', name: nameOf(request, told) }, async (): Promise<End> => {
        if (request.signal.aborted) return refuse;
        const fault = faults.api({ writes: request.method !== 'GET' });
        return isDone(fault) ? endOf(fault, answerOf(carryOut(request, told))) : endOf(fault);
      });
      return end(request.signal);
    },
    async open(request) {
      const told = describe(actor, request);
      const { resource } = told;
      const lost = (): void => void placesLost.add(resource);
      const opened = await gate({ to: 'api', name: nameOf(request, told) }, async (): Promise<Opened> => {
        if (request.signal.aborted) return { end: refuse };
        const fault = faults.api({ writes: false });
        if (fault !== 'none') return { end: endOf(fault) };
        const answer = accept(request, resource);
        if (typeof answer.body === 'string') return { end: endOf('none', answerOf(answer)) };
        return { stream: answer.body };
      });
      if ('end' in opened) return opened.end(request.signal);
      return openFaultyWatch(opened.stream, { ...options, resource, signal: request.signal, lost, falsify });
    },
    close: () => undefined,
  };
};

/** Creates what carries requests as they are: for who stands outside of the simulation. */
export const createPlainTransport = (server: Pick<FaultyTransportOptions, 'api' | 'token'>): Transport => ({
  send: async (request) => answerOf(respondTo(server, request)),
  open: () => Promise.reject(new Error('nobody outside of the simulation watches')),
  close: () => undefined,
});

/** How a request ends for who made it; the signal is that of the request. */
type End = (signal: AbortSignal) => Promise<TransportAnswer>;

type Opened = { readonly end: End } | { readonly stream: Stream };

const isDone = (fault: ApiFault): boolean => fault === 'none' || fault.startsWith('done-');

const refuse: End = async () => {
  throw new ConnectionError(false, new Error('connect ECONNREFUSED'));
};
const cut: End = async () => {
  throw new ConnectionError(true, new Error('socket hang up'));
};
/** The client's deadline ends it. */
const unanswered: End = (signal) =>
  new Promise((_, reject) => {
    const giveUp = (): void => reject(new ConnectionError(true, signal.reason));
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
  });

const says =
  (code: number, reason: string, retryAfterMs?: number): End =>
  async () => {
    const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'injected', reason, code };
    return { code, retryAfterMs, body: Buffer.from(JSON.stringify(status)) };
  };

const ends: Readonly<Record<Exclude<ApiFault, 'none'>, End>> = {
  '429': says(429, 'TooManyRequests', 1000),
  '500': says(500, 'InternalError'),
  '503': says(503, 'ServiceUnavailable'),
  '503-later': says(503, 'ServiceUnavailable', 2000),
  refused: refuse,
  cut,
  unanswered,
  'done-500': says(500, 'InternalError'),
  'done-503': says(503, 'ServiceUnavailable'),
  'done-cut': cut,
  'done-unanswered': unanswered,
};

const endOf = (fault: ApiFault, answer?: TransportAnswer): End =>
  fault === 'none' ? async () => answer ?? { code: 500, retryAfterMs: undefined, body: Buffer.of() } : ends[fault];

const refusal = (status: number, reason: string): ApiResponse => ({
  status,
  headers: {},
  body: JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code: status, message: reason }),
});
const notFound = refusal(404, 'NotFound');
const tooOld = refusal(410, 'Expired');

const answerOf = ({ status, headers, body }: ApiResponse): TransportAnswer => ({
  code: status,
  retryAfterMs: headers['retry-after'] === undefined ? undefined : Number(headers['retry-after']) * 1000,
  body: Buffer.from(typeof body === 'string' ? body : ''),
});

const respondTo = (
  { api, token }: Pick<FaultyTransportOptions, 'api' | 'token'>,
  request: TransportRequest,
): ApiResponse => {
  const url = new URL(request.path, 'https://simulation');
  return api.respond({
    method: request.method,
    path: url.pathname,
    query: url.searchParams,
    accept: 'application/json',
    contentType: request.body === undefined ? '' : (request.contentType ?? 'application/json'),
    authorization: `Bearer ${token}`,
    body: Buffer.from(request.body ?? ''),
  });
};

/** Told apart by the object too, whose name a new one has in its body: the order of two calls is then a matter of the seed. */
const nameOf = ({ callName, path }: TransportRequest, { name, body }: ServiceRequest): string => {
  const [place = ''] = path.split('?');
  const metadata = name === undefined && isRecord(body) ? body['metadata'] : undefined;
  return `${callName} ${place}${isRecord(metadata) ? `/${String(metadata['name'])}` : ''}`;
};

const describe = (actor: string, { method, path, body, callName }: TransportRequest): ServiceRequest => {
  const resource = /^\S+ (\S+)/.exec(callName)?.[1] ?? '';
  const [plural = '', subresource] = resource.split('/');
  const segments = (path.split('?')[0] ?? '').split('/');
  const name = segments[segments.lastIndexOf(plural) + 1];
  return {
    actor,
    method,
    resource: plural,
    name: name || undefined,
    subresource,
    body: body === undefined ? undefined : JSON.parse(body),
  };
};
