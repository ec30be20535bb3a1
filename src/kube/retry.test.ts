import { describe, expect, test } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { useScriptedClients } from '../../test/kit/scripted-clients.ts';
import {
  answerJson,
  answerStatus,
  startScriptedServer,
  type Responder,
  type ScriptedServer,
} from '../../test/kit/scripted-server.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { secrets, type Secret } from './object.ts';

const secret = (name: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'team', resourceVersion: '7' },
});

const { serve, connect } = useScriptedClients();

describe('retries', () => {
  const answerOnce = (first: Responder): Promise<ScriptedServer> => {
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

  test('a write that broke on a connection used before is not made again either', async () => {
    const server = await serve((request, response) => {
      if (request.method === 'POST') response.destroy();
      else answerJson(response, 200, secret('a'));
    });
    const client = connect(server);
    await client.get(secrets, ref);
    await expect(client.create(secrets, secret('a'))).rejects.toMatchObject({ reason: 'ApiOutcomeUnknown' });
    expect([server.requests.length, server.connections]).toEqual([2, 1]);
  });

  test('an answer that breaks off in the middle is never taken for a whole one', async () => {
    const server = await answerOnce((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"kind":"Secret"}');
      setImmediate(() => response.destroy());
    });
    expect(await connect(server).get(secrets, ref)).toEqual(secret('a'));
    expect(server.requests).toHaveLength(2);
  });

  test('a delete of unknown outcome, made again and answered 404, has done its work', async () => {
    const breaks: Responder = (_request, response) => response.destroy();
    const times: Responder = (_request, response) => answerStatus(response, { code: 504, reason: 'Timeout' });
    for (const first of [breaks, times]) {
      let seen = 0;
      const server = await serve((request, response) => {
        seen += 1;
        if (seen === 1) first(request, response);
        else answerStatus(response, { code: 404, reason: 'NotFound' });
      });
      const client = connect(server);
      await client.delete(secrets, ref);
      await expect(client.delete(secrets, ref)).rejects.toMatchObject({ code: 404 });
    }
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
