import { request } from 'node:https';
import { createInterface } from 'node:readline';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../test/kit/captured-log.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { parseYaml } from '../../lib/yaml.ts';
import { asArray, asText, valueAt } from './json.ts';
import { startApiServer, type ApiServer } from './server.ts';
import { widgetDefinition } from './widget-fixture.ts';

let server: ApiServer;
let ca: string;
let token: string;

beforeAll(async () => {
  server = await startApiServer({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    crds: [widgetDefinition],
    namespaces: ['team-a'],
  });
  const config = parseYaml(server.kubeconfig);
  const cluster = asArray(valueAt(config, 'clusters'))[0];
  ca = Buffer.from(asText(valueAt(cluster, 'cluster', 'certificate-authority-data')), 'base64').toString();
  token = asText(valueAt(asArray(valueAt(config, 'users'))[0], 'user', 'token'));
});
afterAll(() => server.stop());

const open = (
  method: string,
  path: string,
  options: { body?: unknown; contentType?: string; token?: string } = {},
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${options.token ?? token}`,
      'content-type': options.contentType ?? 'application/json',
    };
    const sent = request(`${server.url}${path}`, { method, ca, headers }, resolve);
    sent.once('error', reject);
    sent.end(options.body === undefined ? undefined : JSON.stringify(options.body));
  });

const call = async (...parameters: Parameters<typeof open>): Promise<{ code: number; body: unknown }> => {
  const response = await open(...parameters);
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { code: response.statusCode ?? 0, body: JSON.parse(text) };
};

const widgets = '/apis/example.test/v1/namespaces/team-a/widgets';
const widget = (name: string, spec: object) => ({
  apiVersion: 'example.test/v1',
  kind: 'Widget',
  metadata: { name },
  spec,
});

describe('the API server over HTTPS', () => {
  it('takes a custom resource through create, get, list, patch and delete', async () => {
    const created = await call('POST', widgets, { body: widget('one', { size: 1 }) });
    expect(created.code).toBe(201);
    expect(valueAt(created.body, 'spec')).toEqual({ size: 1, colour: 'grey' });
    expect(valueAt(created.body, 'metadata', 'generation')).toBe(1);

    const patched = await call('PATCH', `${widgets}/one`, {
      body: { spec: { size: 2 } },
      contentType: 'application/merge-patch+json',
    });
    expect(valueAt(patched.body, 'metadata', 'generation')).toBe(2);
    const listed = await call('GET', widgets);
    expect(valueAt(listed.body, 'items')).toEqual([patched.body]);

    expect((await call('DELETE', `${widgets}/one`)).body).toMatchObject({ status: 'Success' });
    expect(await call('GET', `${widgets}/one`)).toMatchObject({
      code: 404,
      body: { reason: 'NotFound', message: 'widgets.example.test "one" not found' },
    });
  });

  it('says in every answer that it is the sandbox', async () => {
    const response = await open('GET', '/healthz');
    response.resume();
    expect(response.headers.server).toBe('managed-gitops-sandbox');
  });

  it('refuses a caller without the token', async () => {
    expect(await call('GET', '/api/v1/namespaces', { token: 'other' })).toMatchObject({
      code: 401,
      body: { reason: 'Unauthorized' },
    });
  });

  it('streams a watch and ends it when the server stops the resource', async () => {
    const list = await call('GET', '/api/v1/namespaces/team-a/configmaps');
    const since = asText(valueAt(list.body, 'metadata', 'resourceVersion'));
    const stream = await open('GET', `/api/v1/namespaces/team-a/configmaps?watch=true&resourceVersion=${since}`);
    const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
    await call('POST', '/api/v1/namespaces/team-a/configmaps', { body: { metadata: { name: 'seen' } } });
    const first = await lines.next();
    expect(JSON.parse(asText(first.value))).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'seen' } } });
    stream.destroy();
  });

  it('counts requests by verb and resource', async () => {
    const before = server.requests()['get secrets'] ?? 0;
    await call('GET', '/api/v1/namespaces/team-a/secrets/none');
    expect(server.requests()['get secrets']).toBe(before + 1);
  });

  it('answers in the process as it does over the network', async () => {
    const response = await server.handle(new Request(`${server.url}/api/v1/namespaces/default`));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual((await call('GET', '/api/v1/namespaces/default')).body);
  });

  it('refuses a body over the limit', async () => {
    const body = { metadata: { name: 'big' }, data: { text: 'x'.repeat(4 * 1024 * 1024) } };
    expect(await call('POST', '/api/v1/namespaces/team-a/configmaps', { body })).toMatchObject({ code: 413 });
  });
});
