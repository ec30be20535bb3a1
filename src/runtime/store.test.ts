import { describe, expect, test } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { objectKey, type KubeObject } from '../kube/object.ts';
import { createStore } from './store.ts';

const object = (name: string, resourceVersion: string, more: { uid?: string; owner?: string } = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name,
    namespace: 'team',
    uid: more.uid ?? `uid-${name}`,
    resourceVersion,
    labels: { owner: more.owner ?? 'ann' },
  },
});

const setUp = () => {
  const { log, lines } = capturedLog();
  const indexers = {
    owner: ({ metadata }: KubeObject) => [metadata.labels?.['owner'] ?? ''],
    letters: ({ metadata }: KubeObject) => {
      if (metadata.name === 'broken') throw new Error('mine');
      return metadata.name.split('');
    },
  };
  const store = createStore<KubeObject>({ indexers, log });
  const changes: string[] = [];
  store.subscribe(({ type, object: { metadata }, old }) =>
    changes.push(`${type} ${metadata.name}@${metadata.resourceVersion} after ${old?.metadata.resourceVersion ?? '-'}`),
  );
  const owned = (owner: string): string[] => store.byIndex('owner', owner).map(({ metadata }) => metadata.name);
  return { store, changes, owned, lines };
};

describe('the cache', () => {
  test('finds objects by key, by UID and by index, and forgets them everywhere', () => {
    const { store, owned } = setUp();
    store.put(object('ab', '1'));
    store.put(object('b', '2', { owner: 'bob' }));
    expect(store.get('team/ab')).toBe(store.byUid('uid-ab'));
    expect(store.byIndex('letters', 'b').map(({ metadata }) => objectKey(metadata))).toEqual(['team/ab', 'team/b']);
    store.put(object('ab', '3', { owner: 'bob' }));
    expect([owned('ann'), owned('bob').toSorted(), store.size]).toEqual([[], ['ab', 'b'], 2]);
    store.remove(object('ab', '4'));
    expect([store.get('team/ab'), store.byUid('uid-ab'), owned('bob'), store.list().length]).toEqual([
      undefined,
      undefined,
      ['b'],
      1,
    ]);
  });

  test('refuses an index that does not exist', () => {
    expect(() => setUp().store.byIndex('nope', 'x')).toThrow('there is no index named nope');
  });

  test('an index function that throws is logged and leaves the object findable otherwise', () => {
    const { store, owned, lines } = setUp();
    store.put(object('broken', '1'));
    expect([store.get('team/broken')?.metadata.name, owned('ann')]).toEqual(['broken', ['broken']]);
    expect(lines).toEqual([expect.objectContaining({ level: 'error', field: 'letters' })]);
  });
});

describe('changes', () => {
  test('say what was there before, and come only where something changed', () => {
    const { store, changes } = setUp();
    store.put(object('a', '1'));
    store.put(object('a', '1'));
    store.put(object('a', '2'));
    store.remove(object('a', '3'));
    store.remove(object('a', '3'));
    expect(changes).toEqual(['added a@1 after -', 'modified a@2 after 1', 'deleted a@3 after 2']);
  });

  test('of a name with another UID are a deletion and an addition', () => {
    const { store, changes } = setUp();
    store.put(object('a', '1'));
    store.put(object('a', '9', { uid: 'second' }));
    expect(changes).toEqual(['added a@1 after -', 'deleted a@1 after 1', 'added a@9 after -']);
    expect([store.byUid('uid-a'), store.byUid('second')?.metadata.resourceVersion, store.size]).toEqual([
      undefined,
      '9',
      1,
    ]);
  });

  test('of the first object do not touch the second one of its name', () => {
    const { store, changes } = setUp();
    store.put(object('a', '9', { uid: 'second' }));
    store.remove(object('a', '5'));
    expect([changes.length, store.get('team/a')?.metadata.uid]).toEqual([1, 'second']);
  });

  test('of a whole listing are deletions first; handlers see the new content from the first one on', () => {
    const { store, changes } = setUp();
    for (const [name, version] of [
      ['same', '1'],
      ['gone', '2'],
      ['changed', '3'],
      ['again', '4'],
    ] as const) {
      store.put(object(name, version));
    }
    changes.length = 0;
    const sizes = new Set<number>();
    store.subscribe(() => sizes.add(store.size));
    store.replace([
      object('same', '1'),
      object('changed', '7'),
      object('again', '8', { uid: 'other' }),
      object('new', '9'),
    ]);
    expect(changes).toEqual([
      'deleted gone@2 after 2',
      'modified changed@7 after 3',
      'deleted again@4 after 4',
      'added again@8 after -',
      'added new@9 after -',
    ]);
    expect([...sizes]).toEqual([4]);
  });

  test('reach every handler, whatever another one throws, until it unsubscribes', () => {
    const { store, lines } = setUp();
    const seen: string[] = [];
    store.subscribe(() => {
      throw new Error('mine');
    });
    const end = store.subscribe(({ type }) => seen.push(type));
    store.put(object('a', '1'));
    end();
    end();
    store.remove(object('a', '2'));
    expect(seen).toEqual(['added']);
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });
});
