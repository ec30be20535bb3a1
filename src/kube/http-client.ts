// The client of one API server over HTTP: verbs to requests, answers to values and errors.
import { DeadlineExceeded, withDeadline } from '../lib/abort.ts';
import { sleep, type Clock } from '../lib/clock.ts';
import type { Gate } from '../lib/gate.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Random } from '../lib/random.ts';
import { outward, refusalOf, unreadable, valueOf } from './answer.ts';
import type {
  CallOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  PatchBody,
  WatchEvent,
  WatchOptions,
} from './client.ts';
import { isRecord } from './json.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { apiVersionOf, type KubeList, type KubeObject, type ResourceType } from './object.ts';
import { resourcePath, subjectOfPath, withQuery } from './path.ts';
import { retryDelayMs } from './retry.ts';
import { ApiError, isNotFound } from './status-error.ts';
import {
  createTransport,
  type Dialling,
  type Transport,
  type TransportOptions,
  type TransportRequest,
} from './transport.ts';
import { watchEvents } from './watch.ts';

/** What a client is made of. */
export interface KubeClientOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly random: Random;
  readonly gate: Gate;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Its part before the slash is the field manager of our writes. */
  readonly userAgent?: string;
  /** Largest answer that is read, in bytes. */
  readonly maxBodyBytes?: number;
  /** For servers that a stranger has named; without it anything is connected to. */
  readonly dialling?: Dialling;
  /** Makes what carries the requests; over the network unless given. */
  readonly transport?: (options: TransportOptions) => Transport;
}

const DEADLINE_MS = 15_000;
/** Until a watch is accepted; the server may first have to fill its own cache. */
const OPEN_DEADLINE_MS = 30_000;
const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** Creates the client of one API server. Nothing connects before the first call. */
export const createKubeClient = (options: KubeClientOptions): KubeClient => {
  const { transport: makeTransport = createTransport } = options;
  const transport = makeTransport({ userAgent: 'managed-gitops', maxBodyBytes: MAX_BODY_BYTES, ...options });
  const call = createCall(transport, options);
  return {
    get: (resource, ref, callOptions) => call({ ...callOptions, method: 'GET', path: resourcePath(resource, ref) }),
    list: (resource, listOptions) => list(call, resource, listOptions),
    create: (resource, object, callOptions) =>
      call({ ...callOptions, method: 'POST', path: collectionPath(resource, object), body: object }),
    update: (resource, object, callOptions) =>
      call({ ...callOptions, method: 'PUT', path: resourcePath(resource, object.metadata), body: object }),
    patch(resource, ref, { type, subresource, ...rest }) {
      const path = resourcePath(resource, subresource ? { ...ref, subresource } : ref);
      return call({ ...rest, method: 'PATCH', path, contentType: patchTypes[type] });
    },
    delete: (resource, ref, deleteOptions) => remove(call, resourcePath(resource, ref), deleteOptions),
    async deleteLabelled(resource, { namespace, labelSelector }, callOptions) {
      if (!labelSelector.includes('=')) throw new TypeError('deleteLabelled needs a label with a value');
      const path = withQuery(resourcePath(resource, { namespace }), { labelSelector });
      await call({ ...callOptions, method: 'DELETE', verb: 'DELETECOLLECTION', path });
    },
    watch: (resource, watchOptions) => watch({ transport, clock: options.clock }, resource, watchOptions),
    raw: ({ query, ...rest }) => call({ ...rest, path: withQuery(rest.path, query ?? {}) }),
    close: () => transport.close(),
  };
};

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const satisfies Record<PatchBody['type'], string>;

const collectionPath = (resource: ResourceType, object: KubeObject): string => {
  const { namespace } = object.metadata;
  return resourcePath(resource, namespace === undefined ? {} : { namespace });
};

const list = async <T extends KubeObject>(
  call: CallFunction,
  resource: ResourceType<T>,
  options: ListOptions = {},
): Promise<KubeList<T>> => {
  const { namespace, labelSelector, fieldSelector, limit, resourceVersion, resourceVersionMatch, ...rest } = options;
  const query = { labelSelector, fieldSelector, limit, resourceVersion, resourceVersionMatch, continue: rest.continue };
  const path = withQuery(resourcePath(resource, namespace === undefined ? {} : { namespace }), query);
  const answer = await call<unknown>({ ...rest, method: 'GET', verb: 'LIST', path });
  if (!isList<T>(answer)) throw unreadable(`LIST ${resource.plural}`, 'a list');
  const items = answer.items ?? [];
  // The items of built-in kinds come without the two members that the list itself carries.
  for (const item of items) {
    item.apiVersion ??= apiVersionOf(resource);
    item.kind ??= resource.kind;
  }
  return { metadata: answer.metadata, items };
};

/** Whatever else answers with 200 must not look like an empty list: what is missing in a list may get deleted. */
const isList = <T>(answer: unknown): answer is Pick<KubeList<T>, 'metadata'> & { items: T[] | null } =>
  isRecord(answer) &&
  String(answer['kind']).endsWith('List') &&
  isRecord(answer['metadata']) &&
  (Array.isArray(answer['items']) || answer['items'] === null);

const remove = async (call: CallFunction, path: string, options: DeleteOptions = {}): Promise<void> => {
  const { uid, resourceVersion, propagationPolicy, ...rest } = options;
  const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(Object.keys(preconditions).length > 0 ? { preconditions } : {}),
    ...(propagationPolicy ? { propagationPolicy } : {}),
  };
  await call({ ...rest, method: 'DELETE', path, body });
};

const watch = async function* <T extends KubeObject>(
  { transport, clock }: { readonly transport: Transport; readonly clock: Clock },
  resource: ResourceType<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { namespace, signal, onOpen, ...query } = options;
  const path = withQuery(resourcePath(resource, namespace === undefined ? {} : { namespace }), {
    ...query,
    watch: true,
    // The API server takes sendInitialEvents together with this only.
    ...(query.sendInitialEvents ? { resourceVersionMatch: 'NotOlderThan' } : {}),
  });
  const callName = `WATCH ${subjectOfPath(path)}`;
  // One signal for opening and for the stream; the deadline holds for opening only.
  const stream = new AbortController();
  const follow = (): void => stream.abort(signal.reason);
  if (signal.aborted) follow();
  signal.addEventListener('abort', follow, { once: true });
  const tooLate = clock.after(OPEN_DEADLINE_MS, () =>
    stream.abort(new DeadlineExceeded(`${callName} was not accepted within ${OPEN_DEADLINE_MS} ms`)),
  );
  try {
    const opened = await transport.open({ method: 'GET', path, callName, signal: stream.signal });
    tooLate.cancel();
    if (!('chunks' in opened)) throw refusalOf(opened) ?? unreadable(callName, 'a stream');
    onOpen?.();
    yield* watchEvents<T>(opened.chunks);
  } catch (error) {
    throw signal.aborted ? signal.reason : outward(error, { method: 'GET', callName });
  } finally {
    tooLate.cancel();
    signal.removeEventListener('abort', follow);
    stream.abort();
  }
};

interface Call extends CallOptions {
  readonly method: TransportRequest['method'];
  readonly path: string;
  /** Named in place of the method: a list is a GET too. */
  readonly verb?: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

type CallFunction = <T>(call: Call) => Promise<T>;

/** A call with its attempts: the deadline spans all of them, and a wait that would outlast it is not begun. */
const createCall = (transport: Transport, { clock, random, log }: KubeClientOptions): CallFunction => {
  const attempts = async (call: Call, request: TransportRequest, untilMs: number): Promise<unknown> => {
    for (let attempt = 1, unsure = false; ; attempt += 1) {
      try {
        return valueOf(await transport.send(request), request.callName);
      } catch (error) {
        // The attempt before may have deleted it without our hearing so.
        if (unsure && call.method === 'DELETE' && isNotFound(error)) return undefined;
        unsure ||= !(error instanceof ApiError) || error.code >= 500;
        const afterMs =
          call.retry === false ? undefined : retryDelayMs(error, { method: call.method, attempt }, random);
        if (request.signal.aborted || afterMs === undefined || clock.monotonicMs() + afterMs >= untilMs) throw error;
        log.debug('the call is made again', { resource: request.callName, attempt, afterMs, err: error });
        await sleep(clock, afterMs, request.signal);
      }
    }
  };
  return async <T>(call: Call): Promise<T> => {
    const { method, path, signal, deadlineMs = DEADLINE_MS } = call;
    const callName = `${call.verb ?? method} ${subjectOfPath(path)}`;
    const untilMs = clock.monotonicMs() + deadlineMs;
    const payload = call.body === undefined ? {} : { body: JSON.stringify(call.body) };
    const contentType = call.contentType === undefined ? {} : { contentType: call.contentType };
    const deadline = { clock, deadlineMs, what: callName, ...(signal ? { signal } : {}) };
    try {
      return (await withDeadline(deadline, (both) =>
        attempts(call, { method, path, callName, signal: both, ...payload, ...contentType }, untilMs),
      )) as T; // the shape of the answer is the API server's promise
    } catch (error) {
      throw signal?.aborted ? signal.reason : outward(error, { method, callName });
    }
  };
};
