import { describe, expect, test } from 'vitest';
import { eventually } from '../../test/kit/eventually.ts';
import { drain, useScriptedClients } from '../../test/kit/scripted-clients.ts';
import { answerStatus } from '../../test/kit/scripted-server.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { secrets, type Secret } from './object.ts';

const secret = (name: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'team', resourceVersion: '7' },
});

const { serve, connect } = useScriptedClients();

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
      namespace: 'team',
      sendInitialEvents: true,
      allowWatchBookmarks: true,
      timeoutSeconds: 300,
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
    const controller = new AbortController();
    let opened = false;
    const ended = drain(client.watch(secrets, { signal: controller.signal, onOpen: () => (opened = true) }));
    await eventually('it is open', () => opened);
    await clock.advance(3_600_000);
    expect(clock.pending).toBe(0);
    controller.abort();
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
