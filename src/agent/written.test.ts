import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../kube/object.ts';
import { createStore } from '../runtime/store.ts';
import { silentLog } from '../../test/kit/captured-log.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { createWrittenReader } from './written.ts';

const version = (resourceVersion: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { namespace: 'space', name: 'thing', uid: 'uid', resourceVersion },
});
const key = 'space/thing';
const setUp = () => {
  const store = createStore<KubeObject>({ log: silentLog });
  const clock = createVirtualClock();
  return { store, clock, reader: createWrittenReader(store, clock) };
};

describe('an object that was written here', () => {
  it('is read as written until the cache moves, and from the cache afterwards', () => {
    const { store, reader } = setUp();
    store.put(version('1'));
    reader.wrote(key, { from: version('1'), to: version('2') });
    expect(reader.get(key)?.metadata.resourceVersion).toBe('2');
    store.put(version('3'));
    expect(reader.get(key)?.metadata.resourceVersion).toBe('3');
  });

  it('is read as last written after two writes that the cache has not seen', () => {
    const { store, reader } = setUp();
    store.put(version('1'));
    reader.wrote(key, { from: version('1'), to: version('2') });
    reader.wrote(key, { from: version('2'), to: version('3') });
    expect(reader.get(key)?.metadata.resourceVersion).toBe('3');
  });

  it('is there when it was made, and gone when it was deleted, before the cache knows', () => {
    const { store, reader } = setUp();
    reader.wrote(key, { from: undefined, to: version('1') });
    expect(reader.get(key)?.metadata.resourceVersion).toBe('1');
    store.put(version('1'));
    reader.wrote(key, { from: version('1'), to: undefined });
    expect(reader.get(key)).toBeUndefined();
    store.remove(version('1'));
    expect(reader.get(key)).toBeUndefined();
    store.put(version('9'));
    expect(reader.get(key)?.metadata.resourceVersion).toBe('9');
  });

  it('is read from the cache again after a minute, whatever that says', async () => {
    const { store, clock, reader } = setUp();
    store.put(version('1'));
    reader.wrote(key, { from: version('1'), to: version('2') });
    await clock.advance(60_000);
    expect(reader.get(key)?.metadata.resourceVersion).toBe('1');
  });
});
