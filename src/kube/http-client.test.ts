import { describe, expect, test } from 'vitest';
import { eventually } from '../../test/kit/eventually.ts';
import { drain, useScriptedClients } from '../../test/kit/scripted-clients.ts';
import { answerJson } from '../../test/kit/scripted-server.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import type { Gate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { namespaces, secrets, type Secret } from './object.ts';
import { ApiError } from './status-error.ts';

const secret = (name: string, extra: object = {}): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'team', resourceVersion: '7' },
  ...extra,
});

const emptyList = { kind: 'SecretList', metadata: { resourceVersion: '1' }, items: [] };

const { serve, connect } = useScriptedClients();

describe('requests', () => {
  test('each verb is one request to the path that Kubernetes has for it', async () => {
    const server = await serve((_request, response) => answerJson(response, 200, secret('a')));
    const client = connect(server);
    const ref = { namespace: 'team', name: 'a' };
    await client.get(secrets, ref);
    await client.create(secrets, secret('a'));
    await client.update(secrets, secret('a'));
    await client.patch(secrets, ref, { type: 'merge', body: { data: null } });
    await client.patch(secrets, ref, { type: 'json', body: [], subresource: 'status' });
    await client.delete(secrets, ref, { uid: 'u', propagationPolicy: 'Foreground' });
    await client.get(namespaces, { name: 'team' });
    await client.raw({ method: 'GET', path: '/apis', query: { timeout: '3s', none: undefined } });
    expect(
      server.requests.map(({ method, path, query }) => `${method} ${path}${query.size ? `?${query.toString()}` : ''}`),
    ).toEqual([
      'GET /api/v1/namespaces/team/secrets/a',
      'POST /api/v1/namespaces/team/secrets',
      'PUT /api/v1/namespaces/team/secrets/a',
      'PATCH /api/v1/namespaces/team/secrets/a',
      'PATCH /api/v1/namespaces/team/secrets/a/status',
      'DELETE /api/v1/namespaces/team/secrets/a',
      'GET /api/v1/namespaces/team',
      'GET /apis?timeout=3s',
    ]);
    expect(server.requests[3]?.headers['content-type']).toBe('application/merge-patch+json');
    expect(server.requests[4]?.headers['content-type']).toBe('application/json-patch+json');
    expect(JSON.parse(server.requests[5]?.body ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: 'u' },
      propagationPolicy: 'Foreground',
    });
  });

  test('an object comes back as the server sent it, with fields that nobody here knows', async () => {
    const sent = secret('a', { future: { deep: [1, { x: null }] } });
    const server = await serve((_request, response) => answerJson(response, 200, sent));
    expect(await connect(server).get(secrets, { namespace: 'team', name: 'a' })).toEqual(sent);
  });

  test("a list's items carry apiVersion and kind, which the server leaves out for built-in kinds", async () => {
    const { apiVersion: _v, kind: _k, ...bare } = secret('a');
    const server = await serve((_request, response) =>
      answerJson(response, 200, {
        kind: 'SecretList',
        metadata: { resourceVersion: '9', continue: 'c' },
        items: [bare],
      }),
    );
    const list = await connect(server).list(secrets, { fieldSelector: 'type=x', limit: 2, continue: 'b' });
    expect(list).toEqual({ metadata: { resourceVersion: '9', continue: 'c' }, items: [secret('a')] });
    expect(Object.fromEntries(server.requests[0]?.query ?? [])).toEqual({
      fieldSelector: 'type=x',
      limit: '2',
      continue: 'b',
    });
  });

  test('many calls share few connections', async () => {
    const server = await serve((_request, response) => answerJson(response, 200, secret('a')));
    const client = connect(server);
    for (let round = 0; round < 20; round += 1) await client.get(secrets, { namespace: 'team', name: 'a' });
    expect(server.connections).toBe(1);
    await Promise.all(Array.from({ length: 200 }, () => client.get(secrets, { namespace: 'team', name: 'a' })));
    expect(server.connections).toBeLessThanOrEqual(32);
  });

  test('watches never take the connections of calls', async () => {
    const server = await serve((request, response) => {
      if (request.query.get('watch')) response.writeHead(200).flushHeaders();
      else answerJson(response, 200, secret('a'));
    });
    const client = connect(server);
    const controller = new AbortController();
    const { signal } = controller;
    const streams = Array.from({ length: 40 }, () => drain(client.watch(secrets, { signal })));
    await eventually('40 watches', () => server.requests.length === 40);
    await client.get(secrets, { namespace: 'team', name: 'a' });
    controller.abort();
    expect(await Promise.all(streams)).toEqual(Array.from({ length: 40 }, () => ['AbortError', []]));
  });

  test('each attempt passes the gate under a name without any object', async () => {
    const calls: string[] = [];
    const gate: Gate = (call, run) => (calls.push(`${call.to} ${call.name}`), run());
    const server = await serve((_request, response) => answerJson(response, 200, emptyList));
    const client = connect(server, { gate });
    const ref = { namespace: 'team', name: 'a' };
    await client.get(secrets, ref);
    await client.list(secrets, {});
    await client.patch(secrets, ref, { type: 'merge', body: {}, subresource: 'status' });
    await client.raw({ method: 'GET', path: '/apis/apps/v1/namespaces/team/deployments/web/scale' });
    await client.raw({ method: 'PUT', path: '/api/v1/namespaces/team/finalize', body: {} });
    await client.raw({ method: 'GET', path: '/version' });
    await drain(client.watch(secrets, { signal: new AbortController().signal }));
    expect(calls).toEqual([
      'api GET secrets',
      'api LIST secrets',
      'api PATCH secrets/status',
      'api GET deployments/scale',
      'api PUT namespaces/finalize',
      'api GET version',
      'api WATCH secrets',
    ]);
  });
});

describe('who we are', () => {
  test('a token file is read again after a minute, and at once after a 401', async () => {
    let token = 'one';
    let code = 200;
    const server = await serve((_request, response) => answerJson(response, code, secret('a')));
    const clock = createVirtualClock();
    const client = connect(server, { access: { server: server.url, readToken: () => token }, clock });
    const get = (): Promise<unknown> => client.get(secrets, { namespace: 'team', name: 'a' }).catch(() => undefined);
    await get();
    token = 'two';
    await get();
    await clock.advance(60_000);
    await get();
    token = 'three';
    code = 401;
    await get();
    await get();
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(
      ['one', 'one', 'two', 'two', 'three'].map((text) => `Bearer ${text}`),
    );
  });

  test('a token file that vanishes for a moment leaves the last token in use', async () => {
    let readable = true;
    const readToken = (): string => {
      if (!readable) throw new Error('ENOENT');
      return 'one';
    };
    const server = await serve((_request, response) => answerJson(response, 200, secret('a')));
    const clock = createVirtualClock();
    const client = connect(server, { access: { server: server.url, readToken }, clock });
    await client.get(secrets, { namespace: 'team', name: 'a' });
    readable = false;
    await clock.advance(120_000);
    await client.get(secrets, { namespace: 'team', name: 'a' });
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer one']);
  });

  test('a user name and password go as basic authentication', async () => {
    const server = await serve((_request, response) => answerJson(response, 200, secret('a')));
    const access = { server: server.url, basic: { username: 'ann', password: 'ö:x' } };
    await connect(server, { access, userAgent: 'tester/1' }).get(secrets, { namespace: 'team', name: 'a' });
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Basic YW5uOsO2Ong=',
      'user-agent': 'tester/1',
    });
  });

  test('the path that the API is served under is kept', async () => {
    const server = await serve((_request, response) => answerJson(response, 200, secret('a')));
    const access = { server: `${server.url}/k8s/clusters/c-1` };
    await connect(server, { access }).get(secrets, { namespace: 'team', name: 'a' });
    expect(server.requests[0]?.path).toBe('/k8s/clusters/c-1/api/v1/namespaces/team/secrets/a');
  });
});

describe('refusals', () => {
  test('a refusal is an ApiError with its code, reason and details', async () => {
    const server = await serve((_request, response) =>
      answerJson(response, 409, {
        kind: 'Status',
        reason: 'Conflict',
        message: 'changed meanwhile',
        details: { uid: 'u' },
      }),
    );
    const refused = connect(server).update(secrets, secret('a'));
    await expect(refused).rejects.toMatchObject({ code: 409, reason: 'Conflict', message: 'changed meanwhile' });
    await expect(refused).rejects.toBeInstanceOf(ApiError);
  });

  test('a refusal in plain text keeps its first words', async () => {
    const server = await serve((_request, response) => response.writeHead(403).end('<h1>no\n entry</h1>'));
    await expect(connect(server).list(secrets)).rejects.toMatchObject({
      code: 403,
      reason: '',
      message: 'the API server answered 403: <h1>no entry</h1>',
    });
  });

  test('whatever is no list is never taken for an empty one', async () => {
    const server = await serve((_request, response) => answerJson(response, 200, { kind: 'Status', metadata: {} }));
    const client = connect(server);
    const unreadable = { kind: 'internal', reason: 'ApiAnswerUnreadable' };
    await expect(client.list(secrets)).rejects.toMatchObject(unreadable);
    for (const body of [{}, [], null, { kind: 'SecretList', items: [] }, { kind: 'SecretList', metadata: {} }]) {
      server.respond = (_request, response) => answerJson(response, 200, body);
      await expect(client.list(secrets)).rejects.toMatchObject(unreadable);
    }
    server.respond = (_request, response) =>
      answerJson(response, 200, { kind: 'SecretList', metadata: {}, items: null });
    expect(await client.list(secrets)).toEqual({ metadata: {}, items: [] });
  });

  test('an answer that is no JSON, or larger than allowed, is an internal fault', async () => {
    const server = await serve((_request, response) => response.writeHead(200).end('{"kind":'));
    const client = connect(server, { maxBodyBytes: 10 });
    await expect(client.list(secrets)).rejects.toMatchObject({ kind: 'internal', reason: 'ApiAnswerUnreadable' });
    server.respond = (_request, response) => response.writeHead(200).end('x'.repeat(11));
    await expect(client.list(secrets)).rejects.toMatchObject({
      kind: 'internal',
      reason: 'ApiAnswerUnreadable',
      message: expect.stringContaining('larger'),
    });
  });
});

test('attempts are counted by status and method, under the names that dashboards know', async () => {
  const metrics = createMetrics();
  const server = await serve((_request, response) => answerJson(response, 200, emptyList));
  const client = connect(server, { metrics });
  await client.list(secrets);
  await server.stop();
  await client.list(secrets, { retry: false }).catch(() => undefined);
  const text = await metrics.text();
  expect(text).toContain('rest_client_requests_total{code="200",method="GET"} 1');
  expect(text).toContain('rest_client_requests_total{code="<error>",method="GET"} 1');
  expect(text).toContain('rest_client_request_duration_seconds_count{verb="GET"} 2');
});

test('whatever carries the requests, what it answers is told in the same way', async () => {
  const paths: string[] = [];
  const client = connect(
    { url: 'https://nowhere.test' },
    {
      transport: () => ({
        async send({ path }) {
          paths.push(path);
          return { code: 503, retryAfterMs: undefined, body: Buffer.from('busy') };
        },
        open: () => Promise.reject(new Error('no watch is opened')),
        close: () => undefined,
      }),
    },
  );
  await expect(client.list(secrets, { retry: false })).rejects.toMatchObject({ code: 503 });
  expect(paths).toEqual(['/api/v1/secrets']);
});
