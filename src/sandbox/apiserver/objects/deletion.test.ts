import { describe, expect, it } from 'vitest';
import { configMap, configMapsPath, createTestApi, widget, widgetsPath, type TestApi } from '../api-fixture.ts';
import { asArray, asText, valueAt } from '../json.ts';

const one = `${widgetsPath}/one`;
const uidOf = (answer: { body: unknown }): string => asText(valueAt(answer.body, 'metadata', 'uid'));
const code = (api: TestApi, path: string): number => api.ask('GET', path).code;

describe('deleting an object', () => {
  it('says so when it is gone', () => {
    const { ask } = createTestApi();
    const uid = uidOf(ask('POST', widgetsPath, { body: widget('one') }));
    expect(ask('DELETE', one)).toMatchObject({
      code: 200,
      body: { status: 'Success', details: { name: 'one', group: 'example.test', kind: 'widgets', uid } },
    });
    expect(ask('GET', one).code).toBe(404);
  });

  it('waits for its finalizers, and goes with the last of them', () => {
    const { ask, merge, watch } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one', { size: 1 }, { finalizers: ['test/a', 'test/b'] }) });
    const { events } = watch(widgetsPath);
    expect(ask('DELETE', one).body).toMatchObject({
      metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0, generation: 2 },
    });
    ask('DELETE', one);
    merge(one, { metadata: { finalizers: ['test/b'] } });
    merge(one, { metadata: { finalizers: null } });
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED']);
    expect(ask('GET', one).code).toBe(404);
  });

  it('takes no new finalizers once it has begun', () => {
    const { ask, merge } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one', { size: 1 }, { finalizers: ['test/a'] }) });
    ask('DELETE', one);
    expect(merge(one, { metadata: { finalizers: ['test/a', 'test/new'] } })).toMatchObject({
      code: 422,
      body: {
        message:
          'Widget.example.test "one" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"test/new"}',
      },
    });
  });

  it('respects preconditions on UID and version', () => {
    const { ask } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one') });
    expect(ask('DELETE', one, { body: { preconditions: { uid: 'other' } } }).code).toBe(409);
    expect(ask('DELETE', one, { body: { preconditions: { resourceVersion: '1' } } }).code).toBe(409);
    expect(ask('GET', one).code).toBe(200);
  });

  it('deletes a selected part of a collection', () => {
    const { ask } = createTestApi();
    ask('POST', configMapsPath, { body: configMap('a', { labels: { go: 'yes' } }) });
    ask('POST', configMapsPath, { body: configMap('b') });
    ask('DELETE', `${configMapsPath}?labelSelector=go%3Dyes`);
    expect(asArray(valueAt(ask('GET', configMapsPath).body, 'items'))).toMatchObject([{ metadata: { name: 'b' } }]);
  });
});

describe('dependents of a deleted object', () => {
  const prepare = (api: TestApi, reference: object = {}): void => {
    const uid = uidOf(api.ask('POST', widgetsPath, { body: widget('one') }));
    const owner = { apiVersion: 'example.test/v1', kind: 'Widget', name: 'one', uid, ...reference };
    api.ask('POST', configMapsPath, { body: configMap('owned', { ownerReferences: [owner] }) });
  };
  const owned = `${configMapsPath}/owned`;

  it('go after it in the background', async () => {
    const api = createTestApi();
    prepare(api);
    await api.settle();
    expect(code(api, owned)).toBe(200);
    api.ask('DELETE', one);
    await api.settle();
    expect(code(api, owned)).toBe(404);
  });

  it('go before it in the foreground', async () => {
    const api = createTestApi();
    prepare(api, { blockOwnerDeletion: true });
    api.merge(owned, { metadata: { finalizers: ['test/hold'] } });
    expect(api.ask('DELETE', `${one}?propagationPolicy=Foreground`).body).toMatchObject({
      metadata: { finalizers: ['foregroundDeletion'] },
    });
    await api.settle();
    expect([code(api, one), code(api, owned)]).toEqual([200, 200]);
    api.merge(owned, { metadata: { finalizers: null } });
    await api.settle();
    expect([code(api, one), code(api, owned)]).toEqual([404, 404]);
  });

  it('stay, and forget it, when they are to be orphaned', async () => {
    const api = createTestApi();
    prepare(api);
    api.ask('DELETE', one, { body: { propagationPolicy: 'Orphan' } });
    await api.settle();
    expect(code(api, one)).toBe(404);
    expect(valueAt(api.ask('GET', owned).body, 'metadata', 'ownerReferences')).toBeUndefined();
  });

  it('stay while another owner is there', async () => {
    const api = createTestApi();
    prepare(api);
    const uid = uidOf(api.ask('POST', widgetsPath, { body: widget('two') }));
    const second = { apiVersion: 'example.test/v1', kind: 'Widget', name: 'two', uid };
    const owners = asArray(valueAt(api.ask('GET', owned).body, 'metadata', 'ownerReferences'));
    api.merge(owned, { metadata: { ownerReferences: [...owners, second] } });
    api.ask('DELETE', one);
    await api.settle();
    expect(valueAt(api.ask('GET', owned).body, 'metadata', 'ownerReferences')).toEqual([second]);
  });

  it('go at once when their only owner was never there', async () => {
    const api = createTestApi();
    const owner = { apiVersion: 'example.test/v1', kind: 'Widget', name: 'gone', uid: 'gone' };
    api.ask('POST', configMapsPath, { body: configMap('owned', { ownerReferences: [owner] }) });
    await api.settle();
    expect(code(api, owned)).toBe(404);
  });
});
