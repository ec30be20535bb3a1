// Requests to an API server as a client sends them, with everything in the answer that a client may look at.
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { createInterface } from 'node:readline';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { isRecord } from '../../src/kube/json.ts';

/** A JSON object. */
export type Json = Record<string, unknown>;

/** An answer, its JSON parsed; `text` is the body as it came. */
export interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
  readonly text: string;
}

/** What goes with a request. A body that is text is sent as it stands, anything else as JSON. */
export interface Asked {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A line of a watch. */
export interface Event {
  readonly type: string;
  readonly object: Json;
}

/** A watch that is open. */
export interface Watch extends AsyncDisposable {
  /** The events so far, oldest first. */
  readonly events: readonly Event[];
  /** True once the server has ended it. */
  readonly ended: boolean;
}

/** The way to one API server. */
export interface Connection {
  ask(method: string, path: string, asked?: Asked): Promise<Answer>;
  /** Opens a watch of a collection; its query may stand in the path. Throws when it is refused. */
  watch(path: string, asked?: Asked): Promise<Watch>;
  close(): void;
}

const bodyOf = ({ body }: Asked): string | Buffer | undefined => {
  if (body === undefined) return undefined;
  return typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
};

const read = async (response: IncomingMessage): Promise<Answer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString('utf8');
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  // Not every JSON answer says that it is one: the index of OpenAPI documents is sent as plain text.
  const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
  return { code: response.statusCode ?? 0, headers, body: isRecord(parsed) ? parsed : {}, text };
};

const watchOf = (response: IncomingMessage): Watch => {
  const events: Event[] = [];
  let ended = false;
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  const lines = createInterface({ input: response });
  lines.on('line', (line) => events.push(JSON.parse(line) as Event)); // as the protocol has it; the tests look closer
  lines.on('close', () => (ended = true));
  return {
    events,
    get ended() {
      return ended;
    },
    async [Symbol.asyncDispose]() {
      response.destroy();
      await closed;
    },
  };
};

/** Connects as the kubeconfig (YAML, no references to files) says. */
export const connect = (kubeconfig: string): Connection => {
  const { server, ca, insecureSkipTlsVerify, tlsServerName, clientCertificate, clientKey, token, basic } =
    parseKubeconfig(kubeconfig);
  const secure = server.startsWith('https:');
  const agent = secure
    ? new https.Agent({
        keepAlive: true,
        ...(ca === undefined ? {} : { ca }),
        ...(insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
        ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
        ...(clientCertificate === undefined ? {} : { cert: clientCertificate }),
        ...(clientKey === undefined ? {} : { key: clientKey }),
      })
    : new http.Agent({ keepAlive: true });
  const pair = basic && Buffer.from(`${basic.username}:${basic.password}`).toString('base64');
  const credentials = token === undefined ? pair && `Basic ${pair}` : `Bearer ${token}`;

  const open = (method: string, path: string, asked: Asked): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const body = bodyOf(asked);
      const contentType = asked.contentType ?? (body === undefined ? undefined : 'application/json');
      const headers = {
        ...asked.headers,
        accept: asked.accept ?? 'application/json',
        ...(credentials ? { authorization: credentials } : {}),
        ...(contentType ? { 'content-type': contentType } : {}),
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      };
      const { request } = secure ? https : http;
      request(`${server}${path}`, { method, agent, headers }, resolve).once('error', reject).end(body);
    });

  return {
    ask: async (method, path, asked = {}) => read(await open(method, path, asked)),
    async watch(path, asked = {}) {
      const response = await open('GET', `${path}${path.includes('?') ? '&' : '?'}watch=true`, asked);
      if (response.statusCode === 200) return watchOf(response);
      const { code, text } = await read(response);
      throw new Error(`the watch of ${path} was refused with ${code}: ${text}`);
    },
    close: () => agent.destroy(),
  };
};
