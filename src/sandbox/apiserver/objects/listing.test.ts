import { describe, expect, it } from 'vitest';
import { configMap, configMapsPath, createTestApi, type TestApi } from '../api-fixture.ts';
import { asArray, asText, valueAt } from '../json.ts';

const add = (api: TestApi, ...names: string[]): void => {
  for (const name of names) api.ask('POST', configMapsPath, { body: configMap(name, { labels: { name } }) });
};
const list = (api: TestApi, query = '') => {
  const { code, body } = api.ask('GET', `${configMapsPath}${query}`);
  const names = asArray(valueAt(body, 'items')).map((item) => asText(valueAt(item, 'metadata', 'name')));
  return { code, body, names, next: asText(valueAt(body, 'metadata', 'continue')) };
};

describe('a list', () => {
  it('is ordered by name and says of which version it is', () => {
    const api = createTestApi();
    add(api, 'b', 'a');
    const { names, body } = list(api);
    expect(names).toEqual(['a', 'b']);
    expect(body).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' });
    expect(valueAt(body, 'metadata', 'resourceVersion')).toMatch(/^\d+$/);
  });

  it('comes in pages that agree with each other, whatever is written in between', () => {
    const api = createTestApi();
    add(api, 'a', 'b', 'c', 'd');
    const first = list(api, '?limit=2');
    expect(first.names).toEqual(['a', 'b']);
    expect(valueAt(first.body, 'metadata', 'remainingItemCount')).toBe(2);
    api.ask('DELETE', `${configMapsPath}/c`);
    api.merge(`${configMapsPath}/d`, { data: { new: 'yes' } });
    add(api, 'e');
    const second = list(api, `?limit=2&continue=${first.next}`);
    expect(second.names).toEqual(['c', 'd']);
    expect(second.next).toBe('');
    expect(valueAt(asArray(valueAt(second.body, 'items'))[1], 'data')).toBeUndefined();
    expect(valueAt(second.body, 'metadata', 'resourceVersion')).toBe(
      valueAt(first.body, 'metadata', 'resourceVersion'),
    );
    expect(list(api).names).toEqual(['a', 'b', 'd', 'e']);
  });

  it('says 410 when its pages have grown too old', () => {
    const api = createTestApi({ historyLimit: 1 });
    add(api, 'a', 'b', 'c');
    const { next } = list(api, '?limit=1');
    add(api, 'd', 'e', 'f');
    expect(list(api, `?limit=1&continue=${next}`)).toMatchObject({ code: 410, body: { reason: 'Expired' } });
    expect(list(api, '?continue=nonsense').code).toBe(400);
  });

  it('shows an exact earlier version, and refuses one of the future', () => {
    const api = createTestApi();
    add(api, 'a');
    const version = asText(valueAt(list(api).body, 'metadata', 'resourceVersion'));
    add(api, 'b');
    expect(list(api, `?resourceVersion=${version}&resourceVersionMatch=Exact`).names).toEqual(['a']);
    expect(list(api, `?resourceVersion=${version}&resourceVersionMatch=NotOlderThan`).names).toEqual(['a', 'b']);
    expect(list(api, '?resourceVersion=0').names).toEqual(['a', 'b']);
    expect(list(api, '?resourceVersion=99999999999')).toMatchObject({ code: 504, body: { reason: 'Timeout' } });
    expect(list(api, '?resourceVersion=x').code).toBe(400);
  });

  it.each([
    ['labelSelector=name%3Da', ['a']],
    ['labelSelector=name!%3Da', ['b', 'c']],
    ['labelSelector=name+in+(a,b),name+notin+(b)', ['a']],
    ['labelSelector=name', ['a', 'b', 'c']],
    ['labelSelector=!name', []],
    ['fieldSelector=metadata.name%3Db', ['b']],
    ['fieldSelector=metadata.name!%3Db,metadata.namespace%3Dteam', ['a', 'c']],
  ])('selects by %s', (query, names) => {
    const api = createTestApi();
    add(api, 'a', 'b', 'c');
    expect(list(api, `?${query}`).names).toEqual(names);
  });

  it('refuses selectors it does not understand', () => {
    const api = createTestApi();
    expect(list(api, '?labelSelector=a%3D%3D%3Db').code).toBe(400);
    expect(list(api, '?fieldSelector=data.x%3D1')).toMatchObject({
      code: 400,
      body: { message: '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"' },
    });
  });

  it('selects secrets by type and events by what they are about', () => {
    const { ask } = createTestApi();
    const secrets = '/api/v1/namespaces/team/secrets';
    ask('POST', secrets, { body: { metadata: { name: 'a' }, type: 'example.test/key' } });
    ask('POST', secrets, { body: { metadata: { name: 'b' } } });
    const found = ask('GET', `${secrets}?fieldSelector=type%3Dexample.test%2Fkey`);
    expect(valueAt(found.body, 'items')).toMatchObject([{ metadata: { name: 'a' } }]);
    const events = '/api/v1/namespaces/team/events';
    const involvedObject = { kind: 'Widget', name: 'one', namespace: 'team', uid: 'u' };
    ask('POST', events, { body: { metadata: { name: 'e' }, involvedObject, reason: 'Seen', type: 'Normal' } });
    const about = ask('GET', `${events}?fieldSelector=involvedObject.uid%3Du,reason%3DSeen`);
    expect(valueAt(about.body, 'items')).toHaveLength(1);
  });
});
