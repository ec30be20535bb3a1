import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../test/kit/eventually.ts';
import { answerStatus } from '../../test/kit/scripted-server.ts';
import { answerList, type ScriptedStream } from '../../test/kit/scripted-watch.ts';
import { createScriptedWatcher, secret } from '../../test/kit/scripted-watcher.ts';
import type { Secret } from '../kube/object.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const setUp: typeof createScriptedWatcher = async (...args) => {
  const world = await createScriptedWatcher(...args);
  stops.push(world.stop);
  return world;
};

type World = Awaited<ReturnType<typeof setUp>>;

/** Started, with `a` and `b` in the cache and a watch open from resourceVersion 5. */
const setUpFollowing = async (): Promise<World & { first: ScriptedStream }> => {
  const world = await setUp();
  world.watcher.start();
  const first = await world.stream(0);
  first.send('ADDED', secret('a', '3'));
  first.send('ADDED', secret('b', '4'));
  first.sendInitialEnd('5');
  await world.watcher.whenSynced();
  await world.clock.advance(1_000); // from here on the stream counts as one that works
  world.changes.length = 0;
  return { ...world, first };
};

const names = ({ watcher }: World): string[] => watcher.store.list().map(({ metadata }) => metadata.name);

describe('the first listing', () => {
  test('comes by a watch where the server serves that: nothing is in the cache before all of it is', async () => {
    const { watcher, stream, changes, script } = await setUp();
    expect([watcher.state, watcher.synced]).toEqual(['idle', false]);
    watcher.start();
    const first = await stream(0);
    expect(Object.fromEntries(first.query)).toMatchObject({
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
    });
    first.send('ADDED', secret('a', '3'));
    first.send('ADDED', secret('b', '4'));
    first.send('DELETED', secret('b', '5'));
    await eventually('state', () => watcher.state === 'listing');
    expect([watcher.synced, watcher.store.size]).toEqual([false, 0]);
    first.sendInitialEnd('6');
    await watcher.whenSynced();
    expect([watcher.synced, watcher.state, changes]).toEqual([true, 'watching', ['added a@3']]);
    first.send('MODIFIED', secret('a', '7'));
    await eventually('the change', () => changes.includes('modified a@7'));
    expect(script.lists).toHaveLength(0);
  });

  test.each([400, 415, 422])('comes in pages where the server refuses such a watch with %i', async (code) => {
    const { watcher, stream, changes, script } = await setUp(
      { namespace: 'team', fieldSelector: 'type=x' },
      (world) => {
        world.onWatch = (query, response) => {
          if (!query.has('sendInitialEvents')) return false;
          answerStatus(response, { code, reason: 'Invalid' });
          return true;
        };
        world.onList = (query, response) =>
          query.has('continue')
            ? answerList(response, [secret('b', '3')], { resourceVersion: '9' })
            : answerList(response, [secret('a', '2')], { resourceVersion: '9', continue: 'next' });
      },
    );
    watcher.start();
    const first = await stream(0);
    expect(script.lists.map((query) => query.toString())).toEqual([
      'fieldSelector=type%3Dx&limit=500',
      'fieldSelector=type%3Dx&limit=500&continue=next',
    ]);
    expect(Object.fromEntries(first.query)).toMatchObject({ resourceVersion: '9', fieldSelector: 'type=x' });
    expect([changes, watcher.synced]).toEqual([['added a@2', 'added b@3'], true]);
  });

  test('comes in pages where the server takes the wish and ignores it', async () => {
    for (const sign of ['an ordinary bookmark', 'silence']) {
      const { watcher, stream, changes, script, clock } = await setUp({}, (world) => {
        world.onList = (_query, response) => answerList(response, [secret('a', '3')], { resourceVersion: '3' });
      });
      watcher.start();
      const first = await stream(0);
      first.send('ADDED', secret('a', '3'));
      if (sign === 'silence') {
        await eventually('the silence is measured', () => clock.pending === 2);
        await clock.advance(10_000);
      } else {
        first.send('BOOKMARK', { metadata: { resourceVersion: '3' } });
      }
      await stream(1);
      expect([changes, script.lists.length]).toEqual([['added a@3'], 1]);
      expect(first.closed).toBe(true);
    }
  });

  test('waits as long as the server tells it to, and says so only when that goes on', async () => {
    let refusals = 6;
    const { watcher, stream, waitOut, logged, lines } = await setUp({}, (world) => {
      world.onWatch = (_query, response) => {
        if (refusals === 0) return false;
        refusals -= 1;
        answerStatus(response, { code: 429, reason: 'TooManyRequests' }, { 'retry-after': '2' });
        return true;
      };
    });
    watcher.start();
    for (let told = 1; told <= 5; told += 1) {
      expect(logged('warn')).toEqual([]);
      expect(await waitOut()).toBeGreaterThanOrEqual(2_000);
    }
    await waitOut();
    await stream(0);
    expect(logged('warn')).toEqual(['the watch is down; it is tried again until it works']);
    expect(lines.filter((line) => line['err'])).toEqual([]);
  });

  test('is read anew, without pages, when a continue token expires on the way', async () => {
    const { watcher, stream, changes, script } = await setUp({}, (world) => {
      world.onWatch = (query, response) => {
        if (query.has('sendInitialEvents')) answerStatus(response, { code: 422, reason: 'Invalid' });
        return query.has('sendInitialEvents');
      };
      world.onList = (query, response) => {
        if (query.has('continue')) answerStatus(response, { code: 410, reason: 'Expired' });
        else if (query.has('limit'))
          answerList(response, [secret('old', '1')], { resourceVersion: '2', continue: 'x' });
        else answerList(response, [secret('a', '5'), secret('b', '6')], { resourceVersion: '7' });
      };
    });
    watcher.start();
    expect((await stream(0)).query.get('resourceVersion')).toBe('7');
    expect(script.lists).toHaveLength(3);
    expect(changes).toEqual(['added a@5', 'added b@6']);
  });

  test('that breaks off leaves nothing behind and is made again', async () => {
    const world = await setUp();
    const { watcher, stream, changes, waitOut } = world;
    watcher.start();
    const first = await stream(0);
    first.send('ADDED', secret('a', '3'));
    first.cut();
    await waitOut();
    expect([watcher.synced, names(world)]).toEqual([false, []]);
    const second = await stream(1);
    expect(second.query.get('sendInitialEvents')).toBe('true');
    second.send('ADDED', secret('b', '4'));
    second.sendInitialEnd('5');
    await watcher.whenSynced();
    expect(changes).toEqual(['added b@4']);
  });

  test('waits for a kind that the server does not know yet, saying so once', async () => {
    const { watcher, stream, waitOut, logged, script, clock } = await setUp({}, (world) => {
      world.onWatch = (_query, response) => (answerStatus(response, { code: 404, reason: 'NotFound' }), true);
    });
    watcher.start();
    for (let round = 0; round < 4; round += 1) await waitOut();
    expect([watcher.synced, logged('warn')]).toEqual([
      false,
      ['the API server does not know this kind yet; it is asked again'],
    ]);
    script.onWatch = () => false;
    await waitOut();
    (await stream(0)).sendInitialEnd('1');
    await watcher.whenSynced();
    await clock.advance(1_000);
    expect(logged('info')).toEqual(['the watch works again']);
  });
});

describe('following', () => {
  test('goes on from the last event or bookmark when the server ends the watch, without reading everything', async () => {
    const { first, stream, changes, script, clock } = await setUpFollowing();
    first.send('MODIFIED', secret('a', '8'));
    first.end();
    const second = await stream(1);
    expect(second.query.get('resourceVersion')).toBe('8');
    expect(second.query.has('sendInitialEvents')).toBe(false);
    second.send('BOOKMARK', { metadata: { resourceVersion: '20' } });
    await eventually('the bookmark is counted', () => clock.pending === 2);
    await clock.advance(1_000);
    second.end();
    expect((await stream(2)).query.get('resourceVersion')).toBe('20');
    expect([changes, script.lists.length]).toEqual([['modified a@8'], 0]);
  });

  test('goes on from the last whole event when the stream breaks inside a line', async () => {
    const { first, stream, changes } = await setUpFollowing();
    first.send('MODIFIED', secret('a', '8'));
    first.write('{"type":"MODIFIED","object":{"metadata":{"name":"a","namesp');
    await eventually('the whole event', () => changes.length === 1);
    first.cut();
    const second = await stream(1);
    expect(second.query.get('resourceVersion')).toBe('8');
    second.send('MODIFIED', secret('a', '9'));
    await eventually('the event after', () => changes.length === 2);
    expect(changes).toEqual(['modified a@8', 'modified a@9']);
  });

  test('asks for an end of the watch at a time of its own between 5 and 10 minutes', async () => {
    const { first, stream } = await setUpFollowing();
    first.end();
    const second = await stream(1);
    const seconds = [first, second].map(({ query }) => Number(query.get('timeoutSeconds')));
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(300);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(600);
    expect(seconds[0]).not.toBe(seconds[1]);
  });

  test('reads everything when its place is lost, and reports what it missed by UID', async () => {
    for (const way of ['refusal', 'ERROR frame'] as const) {
      const { first, stream, changes, script, waitOut, logged, metrics } = await setUpFollowing();
      if (way === 'refusal') {
        script.onWatch = (query, response) => {
          if (query.has('sendInitialEvents')) return false;
          answerStatus(response, { code: 410, reason: 'Expired' });
          return true;
        };
        first.cut();
      } else {
        first.send('ERROR', { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd' });
      }
      await waitOut();
      const second = await stream(1);
      expect(second.query.get('sendInitialEvents')).toBe('true');
      second.send('ADDED', secret('a', '30', 'uid-other'));
      second.send('ADDED', secret('c', '31'));
      second.sendInitialEnd('32');
      await eventually('the changes', () => changes.length === 4);
      // b went during the gap; a went and came again under another UID
      expect(changes).toEqual(['deleted b@4', 'deleted a@3', 'added a@30 other', 'added c@31']);
      expect(logged('warn')).toHaveLength(way === 'refusal' ? 0 : 1); // a 410 is normal life
      expect(await metrics.text()).toContain('watcher_relists_total{resource="secrets"} 1');
    }
  });

  test('cuts a stream that is silent for longer than the server may be, and goes on', async () => {
    const { first, stream, clock } = await setUpFollowing();
    const timeoutMs = Number(first.query.get('timeoutSeconds')) * 1000;
    await clock.advance(timeoutMs);
    expect(first.closed).toBe(false);
    await clock.advance(30_000);
    await eventually('it is cut', () => first.closed);
    const second = await stream(1);
    expect(second.query.get('resourceVersion')).toBe('5');
    second.send('BOOKMARK', { metadata: { resourceVersion: '40' } });
    // who sends bookmarks sends them often: from now on three minutes are enough
    await eventually('the limit is the lower one', () => (clock.nextInMs ?? 0) <= 180_000);
    await clock.advance(180_000);
    expect((await stream(2)).query.get('resourceVersion')).toBe('40');
  });
});

describe('trouble', () => {
  test('a server that is away for hours is tried for ever, the cache stays, and the log has two lines', async () => {
    const world = await setUpFollowing();
    const { first, stream, script, watcher, waitOut, logged, clock, changes } = world;
    script.onWatch = (_query, response) => (response.destroy(), true);
    first.cut();
    const fromMs = clock.now();
    for (let round = 0; round < 40; round += 1) await waitOut();
    expect([watcher.state, watcher.synced, names(world), changes]).toEqual(['waiting', true, ['a', 'b'], []]);
    expect(logged('warn')).toEqual(['the watch is down; it is tried again until it works']);
    script.onWatch = () => false;
    await waitOut();
    expect((await stream(1)).query.get('resourceVersion')).toBe('5');
    await clock.advance(1_000);
    await eventually('it says so', () => logged('info').length === 1);
    expect([watcher.state, logged('info')]).toEqual(['watching', ['the watch works again']]);
    expect(clock.now() - fromMs).toBeGreaterThan(1_000_000);
  });

  test('the wait grows from under a second to half a minute', async () => {
    const { watcher, waitOut } = await setUp({}, (world) => {
      world.onWatch = (_query, response) => (answerStatus(response, { code: 503, reason: 'x' }), true);
    });
    watcher.start();
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) waits.push(await waitOut());
    expect(waits[0]).toBeGreaterThanOrEqual(800);
    expect(waits[0]).toBeLessThanOrEqual(880);
    expect(waits.slice(-2).every((ms) => ms >= 30_000 && ms <= 33_000)).toBe(true);
  });

  test('a server that accepts each watch and ends it at once is not hammered', async () => {
    const { script, waitOut, stream } = await setUpFollowing();
    script.onWatch = (_query, response) => (response.end(), true);
    (await stream(0)).end();
    for (let round = 0; round < 5; round += 1) await waitOut();
    expect(script.server.requests.length).toBeLessThanOrEqual(8);
  });

  test('a handler that throws disturbs neither the others nor the watch', async () => {
    const { watcher, first, changes, logged } = await setUpFollowing();
    watcher.store.subscribe(() => {
      throw new Error('mine');
    });
    const after: string[] = [];
    watcher.store.subscribe(({ type }) => after.push(type));
    first.send('MODIFIED', secret('a', '8'));
    first.send('DELETED', secret('a', '9'));
    await eventually('both', () => changes.length === 2);
    expect(after).toEqual(['modified', 'deleted']);
    expect(logged('error')).toEqual(['a handler of a cache change failed', 'a handler of a cache change failed']);
  });
});

describe('what is cached', () => {
  test('is without managedFields and as the transform makes it; one that throws leaves the object whole', async () => {
    const transform = (object: Secret): Secret => {
      if (object.metadata.name === 'bad') throw new Error('mine');
      return { ...object, data: {} };
    };
    const { watcher, stream, logged } = await setUp({ transform });
    watcher.start();
    const first = await stream(0);
    for (const name of ['good', 'bad']) {
      const object = secret(name, '3');
      first.send('ADDED', {
        ...object,
        metadata: { ...object.metadata, managedFields: [{ manager: 'x' }] },
        data: { k: 'v' },
      });
    }
    first.sendInitialEnd('5');
    await watcher.whenSynced();
    expect(watcher.store.get('team/good')).toEqual({ ...secret('good', '3'), data: {} });
    expect(watcher.store.get('team/bad')).toEqual({ ...secret('bad', '3'), data: { k: 'v' } });
    expect(logged('error')).toHaveLength(1);
  });
});

describe('stopping', () => {
  test('ends a stream, a listing, a backoff and a watcher that never started, leaving no timer', async () => {
    const streaming = await setUpFollowing();
    const listing = await setUp({}, (world) => (world.onWatch = () => true));
    listing.watcher.start();
    await eventually('the request', () => listing.script.server.requests.length === 1);
    const waiting = await setUp({}, (world) => (world.onWatch = (_query, response) => (response.destroy(), true)));
    waiting.watcher.start();
    await eventually('the backoff', () => waiting.watcher.state === 'waiting');
    const idle = await setUp();
    for (const { watcher, clock } of [streaming, listing, waiting, idle]) {
      await watcher.stop();
      watcher.start();
      expect([watcher.state, clock.pending]).toEqual(['stopped', 0]);
    }
    await eventually('the stream is closed', () => streaming.first.closed);
    await expect(waiting.watcher.whenSynced()).rejects.toMatchObject({ reason: 'Stopping' });
    expect(streaming.watcher.synced).toBe(true);
  });

  test('waiting for the first listing can be given up', async () => {
    const { watcher } = await setUp();
    watcher.start();
    const controller = new AbortController();
    const given = expect(watcher.whenSynced(controller.signal)).rejects.toThrow('enough');
    controller.abort(new Error('enough'));
    await given;
  });
});
