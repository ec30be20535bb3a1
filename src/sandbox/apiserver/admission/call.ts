// Calls a webhook over HTTPS, and says what fails in the words of the real API server, which is written in Go.
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { withDeadline, DeadlineExceeded } from '../../../lib/abort.ts';
import type { Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/fault.ts';
import { connectCause } from '../../../lib/go-connect-cause.ts';
import { asObject, asText, valueAt, type JsonObject } from '../json.ts';

/** Where a Service can be reached; undefined where there is none. */
export type ResolveService = (service: {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}) => { readonly host: string; readonly port: number } | undefined;

/** The call failed: the message says how. */
export class CallFailed extends Error {}

/** The most that an answer may hold. */
const ANSWER_LIMIT_BYTES = 3 * 1024 * 1024;

interface Way {
  /** As it is shown. */
  readonly url: string;
  readonly options: RequestOptions;
  /** The header of this name, where it is not the address. */
  readonly host: { readonly host?: string };
}

const wayTo = (hook: JsonObject, resolveService: ResolveService): Way => {
  const client = asObject(hook['clientConfig']);
  const query = `?timeout=${Number(hook['timeoutSeconds'])}s`;
  const bundle = asText(client['caBundle']);
  const trust = bundle === '' ? {} : { ca: Buffer.from(bundle, 'base64') };
  if (typeof client['url'] === 'string') {
    const { host, hostname, port, pathname } = new URL(client['url']);
    const path = `${pathname}${query}`;
    const to = { host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port || 443), path };
    return { url: `https://${host}${path}`, options: { ...to, ...trust }, host: {} };
  }
  const text = (field: string): string => asText(valueAt(client, 'service', field));
  const [namespace, name, path] = [text('namespace'), text('name'), `${text('path') || '/'}${query}`];
  const port = Number(valueAt(client, 'service', 'port'));
  const servername = `${name}.${namespace}.svc`;
  const url = `https://${servername}:${port}${path}`;
  const found = resolveService({ namespace, name, port });
  if (!found) throw new CallFailed(`failed to call webhook: Post "${url}": service "${name}" not found`);
  return { url, options: { ...found, path, servername, ...trust }, host: { host: `${servername}:${port}` } };
};

/** Why nothing came back, as Go has it. */
const causeOf = (error: unknown): string =>
  error instanceof DeadlineExceeded ? 'context deadline exceeded' : (connectCause(error) ?? messageOf(error));

interface HttpAnswer {
  readonly code: number;
  readonly isText: boolean;
  readonly body: string;
}

const post = ({ options, host }: Way, body: string, signal: AbortSignal): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    const headers = {
      ...host,
      'content-type': 'application/json',
      accept: 'application/json, */*',
      'content-length': Buffer.byteLength(body),
    };
    const sent = httpsRequest({ ...options, method: 'POST', agent: false, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > ANSWER_LIMIT_BYTES) response.destroy(new Error('the answer is too long'));
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          code: response.statusCode ?? 0,
          isText: (response.headers['content-type'] ?? '').startsWith('text/'),
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    sent.once('error', (error) => reject(signal.aborted ? signal.reason : error));
    sent.end(body);
  });

const refusals: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};

/** What a client makes of an answer that is no success. */
const refusalOf = ({ code, isText, body }: HttpAnswer): string => {
  const said = isText ? body.trim() : 'unknown';
  if (code === 403 || code === 406 || code === 415) return said;
  if (refusals[code] !== undefined) return refusals[code];
  return code >= 500
    ? `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`
    : `the server responded with the status code ${code} but did not return more information`;
};

/** Creates the caller of webhooks: posts a review, and gives the answer as JSON. It throws `CallFailed`. */
export const createCaller = ({
  clock,
  resolveService = () => undefined,
}: {
  readonly clock: Clock;
  readonly resolveService?: ResolveService | undefined;
}) => {
  const ending = new AbortController();
  return {
    async call(hook: JsonObject, review: JsonObject): Promise<unknown> {
      const way = wayTo(hook, resolveService);
      const deadlineMs = Number(hook['timeoutSeconds']) * 1000;
      let answer: HttpAnswer;
      try {
        answer = await withDeadline({ clock, deadlineMs, what: 'a webhook', signal: ending.signal }, (signal) =>
          post(way, JSON.stringify(review), signal),
        );
      } catch (error) {
        throw new CallFailed(`failed to call webhook: Post "${way.url}": ${causeOf(error)}`);
      }
      if (answer.code < 200 || answer.code > 206) throw new CallFailed(`failed to call webhook: ${refusalOf(answer)}`);
      try {
        return JSON.parse(answer.body);
      } catch (error) {
        throw new CallFailed(
          `failed to call webhook: couldn't get version/kind; json parse error: ${messageOf(error)}`,
        );
      }
    },
    /** Ends every call under way. */
    stop: () => ending.abort(),
  };
};
