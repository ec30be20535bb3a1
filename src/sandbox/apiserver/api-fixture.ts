// The API without a network, on a clock that the test moves: requests in, answers and watch events out.
import { createVirtualClock, type VirtualClock } from '../../../test/kit/virtual-clock.ts';
import { silentLog } from '../../../test/kit/captured-log.ts';
import { seededRandom } from '../../lib/random.ts';
import { createApi, type Api, type ApiOptions } from './api.ts';
import { widgetDefinition } from './widget-fixture.ts';

/** An answer, its body parsed. */
export interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A watch that is open. */
export interface OpenWatch {
  /** The events so far, oldest first. */
  readonly events: { readonly type: string; readonly object: unknown }[];
  readonly ended: boolean;
  stop(): void;
}

interface AskOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}

/** What a test asks of the API. */
export interface TestApi {
  readonly api: Api;
  readonly clock: VirtualClock;
  ask(method: string, path: string, options?: AskOptions): Answer;
  /** A merge patch. */
  merge(path: string, body: unknown): Answer;
  watch(path: string, accept?: string): OpenWatch;
  /** Lets the server do what follows from the requests so far. */
  settle(): Promise<void>;
}

/** Creates an API that serves widgets, with the namespace `team`. */
export const createTestApi = (options: Partial<ApiOptions> = {}): TestApi => {
  const clock = createVirtualClock();
  const api = createApi({
    clock,
    random: seededRandom(7),
    log: silentLog,
    token: 'token',
    crds: [widgetDefinition],
    namespaces: ['team'],
    ...options,
  });

  const respond = (method: string, path: string, asked: AskOptions) => {
    const url = new URL(path, 'https://sandbox');
    return api.respond({
      method,
      path: url.pathname,
      query: url.searchParams,
      accept: asked.accept ?? 'application/json',
      contentType: asked.contentType ?? (asked.body === undefined ? '' : 'application/json'),
      authorization: 'Bearer token',
      body: Buffer.isBuffer(asked.body) ? asked.body : Buffer.from(textOf(asked.body)),
    });
  };

  const ask: TestApi['ask'] = (method, path, asked = {}) => {
    const { status, headers, body } = respond(method, path, asked);
    if (typeof body !== 'string') throw new Error(`${method} ${path} answered a stream`);
    return { code: status, headers, body: headers['content-type']?.includes('json') ? JSON.parse(body) : body };
  };

  return {
    api,
    clock,
    ask,
    merge: (path, body) => ask('PATCH', path, { body, contentType: 'application/merge-patch+json' }),
    watch(path, accept) {
      const { body } = respond(
        'GET',
        `${path}${path.includes('?') ? '&' : '?'}watch=true`,
        accept === undefined ? {} : { accept },
      );
      if (typeof body === 'string') throw new Error(`watching ${path} was refused: ${body}`);
      const events: OpenWatch['events'] = [];
      let ended = false;
      const stop = body({
        write: (line) => events.push(JSON.parse(line)) > 0,
        end: () => void (ended = true),
      });
      return {
        events,
        get ended() {
          return ended;
        },
        stop,
      };
    },
    settle: () => clock.advance(1000),
  };
};

/** A text is sent as it stands, anything else as JSON. */
const textOf = (body: unknown): string =>
  typeof body === 'string' ? body : JSON.stringify(body ?? '').replace(/^""$/, '');

/** The path of the widgets in the namespace `team`. */
export const widgetsPath = '/apis/example.test/v1/namespaces/team/widgets';
/** The path of the config maps in the namespace `team`. */
export const configMapsPath = '/api/v1/namespaces/team/configmaps';

/** A widget to be sent. */
export const widget = (name: string, spec: unknown = { size: 1 }, metadata: object = {}): object => ({
  apiVersion: 'example.test/v1',
  kind: 'Widget',
  metadata: { name, ...metadata },
  spec,
});

/** A config map to be sent. */
export const configMap = (name: string, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
});
