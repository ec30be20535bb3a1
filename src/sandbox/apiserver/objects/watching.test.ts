import { describe, expect, it } from 'vitest';
import { configMap, configMapsPath, createTestApi, type TestApi } from '../api-fixture.ts';
import { asText, valueAt } from '../json.ts';

const versionOf = (value: unknown): string => asText(valueAt(value, 'metadata', 'resourceVersion'));
const add = (api: TestApi, name: string, metadata: object = {}): string =>
  versionOf(api.ask('POST', configMapsPath, { body: configMap(name, metadata) }).body);
const seen = (events: readonly { type: string; object: unknown }[]): string[] =>
  events.map(({ type, object }) => `${type} ${asText(valueAt(object, 'metadata', 'name'))}`.trim());

describe('a watch', () => {
  it('begins with what is there, or after the version it names', () => {
    const api = createTestApi();
    const first = add(api, 'a');
    add(api, 'b');
    const [fresh, zero, later] = ['', '?resourceVersion=0', `?resourceVersion=${first}`].map((query) =>
      api.watch(`${configMapsPath}${query}`),
    );
    api.ask('DELETE', `${configMapsPath}/a`);
    expect(seen(fresh?.events ?? [])).toEqual(['ADDED a', 'ADDED b', 'DELETED a']);
    expect(zero?.events).toEqual(fresh?.events);
    expect(seen(later?.events ?? [])).toEqual(['ADDED b', 'DELETED a']);
  });

  it('gives a deletion a version of its own, newer than all before', () => {
    const api = createTestApi();
    const added = add(api, 'a');
    const { events } = api.watch(configMapsPath);
    api.ask('DELETE', `${configMapsPath}/a`);
    expect(Number(versionOf(events.at(-1)?.object))).toBeGreaterThan(Number(added));
  });

  it('tells of objects that enter and leave its selection', () => {
    const api = createTestApi();
    const { events } = api.watch(`${configMapsPath}?labelSelector=on%3Dyes`);
    add(api, 'a');
    api.merge(`${configMapsPath}/a`, { metadata: { labels: { on: 'yes' } } });
    api.merge(`${configMapsPath}/a`, { metadata: { labels: { on: 'yes', more: 'x' } } });
    api.merge(`${configMapsPath}/a`, { metadata: { labels: null } });
    api.ask('DELETE', `${configMapsPath}/a`);
    expect(seen(events)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
  });

  it('sees its own namespace only', () => {
    const api = createTestApi();
    const { events } = api.watch('/api/v1/namespaces/default/configmaps');
    add(api, 'a');
    expect(events).toEqual([]);
  });

  it('marks the end of the initial events with a bookmark', () => {
    const api = createTestApi();
    const version = add(api, 'a');
    const { events } = api.watch(
      `${configMapsPath}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    expect(seen(events)).toEqual(['ADDED a', 'BOOKMARK']);
    expect(events[1]?.object).toMatchObject({
      kind: 'ConfigMap',
      metadata: { resourceVersion: version, annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
  });

  it('refuses initial events without a match', () => {
    const { ask } = createTestApi();
    expect(ask('GET', `${configMapsPath}?watch=true&sendInitialEvents=true`)).toMatchObject({
      code: 422,
      body: {
        message: expect.stringContaining('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
      },
    });
  });

  it('sends bookmarks from time to time and before it ends', async () => {
    const api = createTestApi({ bookmarkEveryMs: 1000 });
    const open = api.watch(`${configMapsPath}?allowWatchBookmarks=true&timeoutSeconds=3`);
    const silent = api.watch(`${configMapsPath}?timeoutSeconds=3`);
    await api.clock.advance(2500);
    expect(seen(open.events)).toEqual(['BOOKMARK', 'BOOKMARK']);
    await api.clock.advance(500);
    expect(seen(open.events)).toEqual(['BOOKMARK', 'BOOKMARK', 'BOOKMARK']);
    expect([open.ended, silent.ended, silent.events.length]).toEqual([true, true, 0]);
    expect(api.clock.pending).toBe(0);
  });

  it('says 410 when its version is no longer remembered, or was never given out', () => {
    const api = createTestApi({ historyLimit: 2 });
    const first = add(api, 'a');
    for (const name of ['b', 'c', 'd', 'e', 'f']) add(api, name);
    for (const version of [first, '1', '99999999999']) {
      const { events, ended } = api.watch(`${configMapsPath}?resourceVersion=${version}`);
      expect(events).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }]);
      expect(ended).toBe(true);
    }
  });

  it('leaves nothing behind when its reader goes away, or the server stops', async () => {
    const api = createTestApi();
    const gone = api.watch(`${configMapsPath}?allowWatchBookmarks=true`);
    const kept = api.watch(`${configMapsPath}?allowWatchBookmarks=true`);
    gone.stop();
    add(api, 'a');
    expect(gone.events).toEqual([]);
    api.api.stop();
    expect(kept.ended).toBe(true);
    expect(api.clock.pending).toBe(0);
  });
});
