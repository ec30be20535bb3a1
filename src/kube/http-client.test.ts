import { afterEach, describe, expect, test } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { answerJson, answerStatus, startScriptedServer, type ScriptedServer } from '../../test/kit/scripted-server.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { systemClock } from '../lib/clock.ts';
import { openGate, type Gate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { seededRandom } from '../lib/random.ts';
import type { KubeClient } from './client.ts';
import { createKubeClient, type KubeClientOptions } from './http-client.ts';
import { namespaces, secrets, type Secret } from './object.ts';
import { ApiError } from './status-error.ts';

const secret = (name: string, extra: object = {}): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'team', resourceVersion: '7' },
  ...extra,
});

const stops: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const serve = async (...respond: Parameters<typeof startScriptedServer>): Promise<ScriptedServer> => {
  const server = await startScriptedServer(...respond);
  stops.push(() => server.stop());
  return server;
};

const connect = (server: { readonly url: string }, options: Partial<KubeClientOptions> = {}): KubeClient => {
  const client = createKubeClient({
    access: { server: server.url },
    clock: systemClock,
    random: seededRandom(1),
    gate: openGate,
    log: capturedLog().log,
    metrics: createMetrics(),
    ...options,
  });
  stops.push(() => client.close());
  return client;
};

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
      server.requests.map(({ method, path, query }) => `${method} ${path}${query.size ? `?${query}` : ''}`),
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
    const { signal, abort } = aborter();
    const streams = Array.from({ length: 40 }, () => drain(client.watch(secrets, { signal })));
    await eventually('40 watches', () => server.requests.length === 40);
    await client.get(secrets, { namespace: 'team', name: 'a' });
    abort();
    expect(await Promise.all(streams)).toEqual(Array.from({ length: 40 }, () => ['AbortError', []]));
  });

  test('each attempt passes the gate under a name without any object', async () => {
    const calls: string[] = [];
    const gate: Gate = (call, run) => (calls.push(`${call.to} ${call.name}`), run());
    const server = await serve((_request, response) => answerJson(response, 200, secret('a')));
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

const aborter = () => {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
};

const drain = async (events: AsyncIterable<unknown>): Promise<[string, unknown[]]> => {
  const seen: unknown[] = [];
  try {
    for await (const event of events) seen.push(event);
    return ['end', seen];
  } catch (error) {
    return [error instanceof Error ? error.name : String(error), seen];
  }
};

describe('retries', () => {
  const answerOnce = (first: Parameters<typeof startScriptedServer>[0]): Promise<ScriptedServer> => {
    let seen = 0;
    return serve((request, response) => {
      seen += 1;
      if (seen === 1) first(request, response);
      else answerJson(response, 200, secret('a'));
    });
  };
  const ref = { namespace: 'team', name: 'a' };

  test('Retry-After is waited for, by any verb, on 429 and 503', async () => {
    for (const code of [429, 503]) {
      const server = await answerOnce((_request, response) =>
        answerStatus(response, { code, reason: 'TooManyRequests' }, { 'retry-after': '3' }),
      );
      const clock = createVirtualClock();
      const created = connect(server, { clock }).create(secrets, secret('a'));
      await eventually('a timer besides the deadline', () => clock.pending === 2);
      await clock.advance(2_999);
      expect(server.requests).toHaveLength(1);
      await clock.advance(2);
      await created;
      expect(server.requests).toHaveLength(2);
    }
  });

  test('a read and a delete are made again after a 5xx, a write is not', async () => {
    const failOnce = (): Promise<ScriptedServer> =>
      answerOnce((_request, response) => answerStatus(response, { code: 500, reason: 'InternalError' }));
    await connect(await failOnce()).get(secrets, ref);
    await connect(await failOnce()).delete(secrets, ref);
    await expect(connect(await failOnce()).create(secrets, secret('a'))).rejects.toMatchObject({ code: 500 });
    await expect(connect(await failOnce()).update(secrets, secret('a'))).rejects.toMatchObject({ code: 500 });
    const patched = connect(await failOnce()).patch(secrets, ref, { type: 'merge', body: {} });
    await expect(patched).rejects.toMatchObject({ code: 500 });
  });

  test('a read whose connection broke is made again; a write says that its outcome is not known', async () => {
    const breakOnce = (): Promise<ScriptedServer> => answerOnce((_request, response) => response.destroy());
    await connect(await breakOnce()).get(secrets, ref);
    const server = await breakOnce();
    await expect(connect(server).create(secrets, secret('a'))).rejects.toMatchObject({
      kind: 'internal',
      reason: 'ApiOutcomeUnknown',
    });
    expect(server.requests).toHaveLength(1);
  });

  test('an answer that breaks off in the middle is never taken for a whole one', async () => {
    const server = await answerOnce((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"kind":"Secret"}');
      setImmediate(() => response.destroy());
    });
    expect(await connect(server).get(secrets, ref)).toEqual(secret('a'));
    expect(server.requests).toHaveLength(2);
  });

  test('a delete that broke, made again and answered 404, has done its work', async () => {
    let seen = 0;
    const server = await serve((_request, response) => {
      seen += 1;
      if (seen === 1) response.destroy();
      else answerStatus(response, { code: 404, reason: 'NotFound' });
    });
    const client = connect(server);
    await client.delete(secrets, ref);
    await expect(client.delete(secrets, ref)).rejects.toMatchObject({ code: 404 });
  });

  test('nobody listening is tried again by any verb, since nothing was done, until the deadline', async () => {
    const server = await startScriptedServer((_request, response) => answerJson(response, 200, secret('a')));
    await server.stop();
    const clock = createVirtualClock();
    const { log, lines } = capturedLog();
    const created = connect(server, { clock, log }).create(secrets, secret('a'), { deadlineMs: 1_000 });
    const outcome = expect(created).rejects.toMatchObject({ kind: 'internal', reason: 'ApiUnavailable' });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await eventually(`attempt ${attempt}`, () => lines.length === attempt);
      await clock.advance(clock.nextInMs ?? 0);
    }
    await outcome; // the fourth wait would be longer than what is left
    expect(clock.now() - Date.UTC(2026, 0, 1)).toBeLessThan(1_000);
  });

  test('with retry off the first failure is the last', async () => {
    const server = await answerOnce((_request, response) => answerStatus(response, { code: 429, reason: 'x' }));
    await expect(connect(server).list(secrets, { retry: false })).rejects.toMatchObject({ code: 429 });
  });
});

describe('deadlines and aborts', () => {
  test('a call ends at its deadline: a read as a timeout, a write as an unknown outcome', async () => {
    const server = await serve(() => undefined);
    const clock = createVirtualClock();
    const client = connect(server, { clock });
    const read = expect(client.list(secrets)).rejects.toMatchObject({ kind: 'internal', reason: 'ApiUnavailable' });
    const write = expect(client.create(secrets, secret('a'))).rejects.toMatchObject({ reason: 'ApiOutcomeUnknown' });
    await eventually('both arrived', () => server.requests.length === 2);
    await clock.advance(15_000);
    await Promise.all([read, write]);
    expect(clock.pending).toBe(0);
  });

  test('an abort ends the call with its reason and leaves the client usable', async () => {
    const server = await serve(() => undefined);
    const client = connect(server);
    const controller = new AbortController();
    const ended = expect(client.list(secrets, { signal: controller.signal })).rejects.toThrow('enough');
    await eventually('it arrived', () => server.requests.length === 1);
    controller.abort(new Error('enough'));
    await ended;
    server.respond = (_request, response) => answerJson(response, 200, secret('a'));
    await client.get(secrets, { namespace: 'team', name: 'a' });
    await expect(client.list(secrets, { signal: controller.signal })).rejects.toThrow('enough');
  });

  test('closing fails what is in flight', async () => {
    const server = await serve(() => undefined);
    const client = connect(server);
    const ended = expect(client.list(secrets, { retry: false })).rejects.toMatchObject({ reason: 'ApiUnavailable' });
    await eventually('it arrived', () => server.requests.length === 1);
    client.close();
    await ended;
  });
});

describe('watches', () => {
  const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;

  test('events arrive in order, whatever the chunks cut through', async () => {
    const text = line('ADDED', secret('ä€😀')) + line('BOOKMARK', { metadata: { resourceVersion: '9' } });
    const server = await serve((_request, response) => {
      const bytes = [...Buffer.from(text)];
      const writeNext = (): void => {
        const byte = bytes.shift();
        if (byte === undefined) response.end();
        else response.write(Buffer.of(byte), () => setImmediate(writeNext));
      };
      writeNext();
    });
    let opened = 0;
    const events = connect(server).watch(secrets, {
      ...{ namespace: 'team', sendInitialEvents: true, allowWatchBookmarks: true, timeoutSeconds: 300 },
      signal: new AbortController().signal,
      onOpen: () => (opened += 1),
    });
    expect(await drain(events)).toEqual([
      'end',
      [
        { type: 'ADDED', object: secret('ä€😀') },
        { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
      ],
    ]);
    expect(opened).toBe(1);
    expect(Object.fromEntries(server.requests[0]?.query ?? [])).toEqual({
      watch: 'true',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '300',
    });
  });

  test('what was whole before a break is delivered, half a line never is', async () => {
    for (const end of ['end', 'destroy'] as const) {
      const server = await serve((_request, response) => {
        response.write(line('ADDED', secret('a')) + '{"type":"ADDED","object":{"a":1}}', () => response[end]());
      });
      const events = connect(server).watch(secrets, { signal: new AbortController().signal });
      expect(await drain(events)).toEqual(['Fault', [{ type: 'ADDED', object: secret('a') }]]);
    }
  });

  test('a line that is no event breaks the watch', async () => {
    for (const text of ['{"type":"ADDED"}\n', '[]\n', 'gateway timeout\n', '{"type":"OTHER","object":{}}\n']) {
      const server = await serve((_request, response) => response.end(text));
      const events = connect(server).watch(secrets, { signal: new AbortController().signal });
      await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({ reason: 'ApiAnswerUnreadable' });
    }
  });

  test('a refused watch is an ApiError and is not tried again', async () => {
    const server = await serve((_request, response) => answerStatus(response, { code: 410, reason: 'Expired' }));
    const events = connect(server).watch(secrets, { signal: new AbortController().signal });
    await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 410, reason: 'Expired' });
    expect(server.requests).toHaveLength(1);
  });

  test('a watch that is not accepted within 30 s fails; an accepted one has no deadline', async () => {
    const server = await serve(() => undefined);
    const clock = createVirtualClock();
    const client = connect(server, { clock });
    const failed = expect(drain(client.watch(secrets, { signal: new AbortController().signal }))).resolves.toEqual([
      'Fault',
      [],
    ]);
    await eventually('it arrived', () => server.requests.length === 1);
    await clock.advance(30_000);
    await failed;

    server.respond = (_request, response) => response.writeHead(200).flushHeaders();
    const { signal, abort } = aborter();
    let opened = false;
    const ended = drain(client.watch(secrets, { signal, onOpen: () => (opened = true) }));
    await eventually('it is open', () => opened);
    await clock.advance(3_600_000);
    expect(clock.pending).toBe(0);
    abort();
    expect(await ended).toEqual(['AbortError', []]);
  });

  test('leaving the loop closes the connection', async () => {
    const closed = Promise.withResolvers<void>();
    const server = await serve((_request, response) => {
      response.on('close', () => closed.resolve());
      response.write(line('ADDED', secret('a')));
    });
    for await (const event of connect(server).watch(secrets, { signal: new AbortController().signal })) {
      expect(event.type).toBe('ADDED');
      break;
    }
    await closed.promise;
  });
});

test('attempts are counted by status and method, under the names that dashboards know', async () => {
  const metrics = createMetrics();
  const server = await serve((_request, response) => answerJson(response, 200, secret('a')));
  const client = connect(server, { metrics });
  await client.list(secrets);
  await server.stop();
  await client.list(secrets, { retry: false }).catch(() => undefined);
  const text = await metrics.text();
  expect(text).toContain('rest_client_requests_total{code="200",method="GET"} 1');
  expect(text).toContain('rest_client_requests_total{code="<error>",method="GET"} 1');
  expect(text).toContain('rest_client_request_duration_seconds_count{verb="GET"} 2');
});
