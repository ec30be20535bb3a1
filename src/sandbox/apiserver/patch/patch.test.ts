import { describe, expect, it } from 'vitest';
import { createTestApi, configMap, configMapsPath, widget, widgetsPath } from '../api-fixture.ts';
import { asText, valueAt } from '../json.ts';
import { applyJsonPatch } from './patch-json.ts';
import { applyMergePatch } from './patch-merge.ts';
import { applyStrategicPatch } from './patch-strategic.ts';

describe('a merge patch', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: ['c'] }, { a: ['c'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: 'text' }, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  ])('%j and %j make %j', (target, patch, expected) => {
    expect(applyMergePatch(target, patch)).toEqual(expected);
  });
});

describe('a JSON patch', () => {
  const document = { a: { b: [1, 2] }, 'x/y': 'z' };

  it.each([
    [
      { op: 'add', path: '/a/b/1', value: 9 },
      { a: { b: [1, 9, 2] }, 'x/y': 'z' },
    ],
    [
      { op: 'add', path: '/a/b/-', value: 3 },
      { a: { b: [1, 2, 3] }, 'x/y': 'z' },
    ],
    [{ op: 'remove', path: '/x~1y' }, { a: { b: [1, 2] } }],
    [
      { op: 'replace', path: '/a/b/0', value: 0 },
      { a: { b: [0, 2] }, 'x/y': 'z' },
    ],
    [{ op: 'move', from: '/x~1y', path: '/a/c' }, { a: { b: [1, 2], c: 'z' } }],
    [
      { op: 'copy', from: '/a/b/0', path: '/n' },
      { a: { b: [1, 2] }, 'x/y': 'z', n: 1 },
    ],
    [{ op: 'test', path: '/a', value: { b: [1, 2] } }, document],
  ])('does %j', (operation, expected) => {
    expect(applyJsonPatch(document, [operation])).toEqual(expected);
  });

  it.each([
    [{ op: 'test', path: '/a/b/0', value: 5 }, 422],
    [{ op: 'remove', path: '/none' }, 422],
    [{ op: 'replace', path: '/a/b/7', value: 0 }, 422],
    [{ op: 'add', path: 'a', value: 0 }, 400],
    [{ op: 'spin', path: '/a' }, 400],
  ])('refuses %j with %d', (operation, code) => {
    expect(() => applyJsonPatch(document, [operation])).toThrow(expect.objectContaining({ code }));
  });
});

describe('a strategic merge patch', () => {
  it('merges containers by name and their lists by their own keys', () => {
    const target = {
      containers: [
        { name: 'a', image: 'a:1', env: [{ name: 'X', value: '1' }], ports: [{ containerPort: 80 }] },
        { name: 'b', image: 'b:1' },
      ],
    };
    const patch = {
      $setElementOrder: [],
      '$setElementOrder/containers': [{ name: 'a' }],
      containers: [
        { name: 'a', env: [{ name: 'Y', value: '2' }], ports: [{ containerPort: 81 }] },
        { name: 'b', $patch: 'delete' },
      ],
    };
    expect(applyStrategicPatch(target, patch)).toMatchObject({
      containers: [
        {
          name: 'a',
          image: 'a:1',
          env: [
            { name: 'X', value: '1' },
            { name: 'Y', value: '2' },
          ],
          ports: [{ containerPort: 80 }, { containerPort: 81 }],
        },
      ],
    });
  });

  it('replaces other lists, and what it is told to replace', () => {
    expect(
      applyStrategicPatch({ args: ['a'], map: { a: 1 } }, { args: ['b'], map: { $patch: 'replace', b: 2 } }),
    ).toEqual({
      args: ['b'],
      map: { b: 2 },
    });
    const env = [{ $patch: 'replace' }, { name: 'B' }];
    expect(applyStrategicPatch({ env: [{ name: 'A' }] }, { env })).toEqual({ env: [{ name: 'B' }] });
  });

  it('adds to finalizers and takes out of them', () => {
    expect(
      applyStrategicPatch(
        { finalizers: ['a', 'b'] },
        { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] },
      ),
    ).toEqual({ finalizers: ['b', 'c'] });
  });

  it('retains the named keys only', () => {
    const patch = { strategy: { $retainKeys: ['type'], type: 'Recreate' } };
    expect(applyStrategicPatch({ strategy: { type: 'RollingUpdate', rollingUpdate: {} } }, patch)).toEqual({
      strategy: { type: 'Recreate' },
    });
  });
});

describe('the media type of a patch', () => {
  const send = (path: string, type: string) =>
    createTestApiWithBoth().ask('PATCH', path, { body: {}, contentType: `application/${type}` });
  const createTestApiWithBoth = () => {
    const api = createTestApi();
    api.ask('POST', widgetsPath, { body: widget('one') });
    api.ask('POST', configMapsPath, { body: configMap('one') });
    return api;
  };

  it('may be strategic for built-in kinds only', () => {
    expect(send(`${configMapsPath}/one`, 'strategic-merge-patch+json').code).toBe(200);
    const refused = send(`${widgetsPath}/one`, 'strategic-merge-patch+json');
    expect(refused.code).toBe(415);
    expect(asText(valueAt(refused.body, 'message'))).toMatch(/json-patch\+json, application\/merge-patch\+json$/);
  });

  it('is never that of server-side apply, which says what to do instead', () => {
    const refused = send(`${configMapsPath}/one`, 'apply-patch+yaml');
    expect(refused.code).toBe(415);
    expect(asText(valueAt(refused.body, 'message'))).toContain('use kubectl apply without --server-side');
  });
});
