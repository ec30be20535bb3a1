// A webhook of tests: answers AdmissionReviews over TLS on loopback, and remembers what it was asked.
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isRecord } from '../../src/kube/json.ts';
import { localCertificate } from './admission.ts';

type Json = Record<string, unknown>;

/** The `response` of a review without its uid; or a raw answer. */
export type WebhookAnswer =
  Json | { readonly raw: { readonly code: number; readonly type: string; readonly body: string } };

/** What is answered at one path. */
export type Webhook = (request: Json) => WebhookAnswer | Promise<WebhookAnswer>;

/** A running server. */
export interface WebhookServer extends AsyncDisposable {
  readonly url: string;
  /** Base64, for `clientConfig.caBundle`. */
  readonly caBundle: string;
  /** Answers at a path; gives the requests that have come there, oldest first. */
  serve(path: string, webhook: Webhook): readonly Json[];
}

const readJson = async (message: IncomingMessage): Promise<Json> => {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  return isRecord(parsed) ? parsed : {};
};

/** Starts a server on any port of 127.0.0.1. */
export const startWebhookServer = async (): Promise<WebhookServer> => {
  const webhooks = new Map<string, { readonly answer: Webhook; readonly asked: Json[] }>();
  const respond = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const found = webhooks.get(message.url?.split('?', 1)[0] ?? '');
    const review = await readJson(message);
    const request = isRecord(review['request']) ? review['request'] : {};
    found?.asked.push(request);
    const answer = (await found?.answer(request)) ?? { raw: { code: 404, type: 'text/plain', body: '' } };
    if (isRecord(answer['raw'])) {
      const { code, type, body } = answer['raw'];
      response.writeHead(Number(code), { 'content-type': String(type) }).end(body);
      return;
    }
    const { apiVersion, kind } = review;
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ apiVersion, kind, response: { uid: request['uid'], ...answer } }));
  };
  const { ca, certificate, key } = localCertificate();
  const server = createServer({ cert: certificate, key }, (message, response) => {
    respond(message, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on a port, not on a pipe
    caBundle: Buffer.from(ca).toString('base64'),
    serve(path, answer) {
      const asked: Json[] = [];
      webhooks.set(path, { answer, asked });
      return asked;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
};
