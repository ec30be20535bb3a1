import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namespaces, type KubeObject, type ResourceType } from '../kube/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { createStore } from '../runtime/store.ts';
import { silentLog } from '../../test/kit/captured-log.ts';
import { startSandboxApi, type SandboxApi } from '../../test/kit/sandbox-api.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { createWrittenReader } from './written.ts';

const configMaps: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};
let api: SandboxApi;
let client: KubeClient;
let count = 0;

beforeAll(async () => {
  api = await startSandboxApi();
  client = api.connect();
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'space' } });
});
afterAll(() => api.stop());

const setUp = () => {
  const ref = { namespace: 'space', name: `thing-${(count += 1)}` };
  const key = `space/${ref.name}`;
  const store = createStore<KubeObject>({ log: silentLog });
  const clock = createVirtualClock();
  const reader = createWrittenReader({ client, resource: configMaps, store, clock });
  const make = () => client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...ref } });
  const change = (value: string) =>
    client.patch(configMaps, ref, { type: 'merge', body: { metadata: { labels: { value } } } });
  const reads = () => api.server.requests()['get configmaps'] ?? 0;
  return { ref, key, store, clock, reader, make, change, reads };
};

describe('an object that was written here', () => {
  it('is read live until the cache moves, and from the cache before and afterwards', async () => {
    const { ref, key, store, reader, make, change, reads } = setUp();
    const first = await make();
    store.put(first);
    const before = reads();
    expect(await reader.get(ref)).toBe(first);
    const second = await change('second');
    reader.wrote(key, { from: first, to: second });
    expect((await reader.get(ref))?.metadata.labels).toEqual({ value: 'second' });
    expect(reads()).toBe(before + 1);
    store.put(second);
    expect(await reader.get(ref)).toBe(second);
    expect(reads()).toBe(before + 1);
  });

  it('is read live while the cache is anywhere behind the last of several writes', async () => {
    const { ref, key, store, reader, make, change } = setUp();
    const first = await make();
    reader.wrote(key, { from: undefined, to: first });
    const second = await change('second');
    reader.wrote(key, { from: first, to: second });
    expect((await reader.get(ref))?.metadata.labels).toEqual({ value: 'second' });
    store.put(first);
    expect((await reader.get(ref))?.metadata.labels).toEqual({ value: 'second' });
    await client.delete(configMaps, ref);
    reader.wrote(key, { from: second, to: undefined });
    store.put(second);
    expect(await reader.get(ref)).toBeUndefined();
  });

  it('is read live also where somebody wrote between two writes, and the cache has seen none of it', async () => {
    const { ref, key, store, reader, make, change } = setUp();
    const first = await make();
    store.put(first);
    reader.wrote(key, { from: first, to: await change('second') });
    const others = await change('others');
    expect(await reader.get(ref)).toEqual(others);
    reader.wrote(key, { from: others, to: await change('third') });
    expect((await reader.get(ref))?.metadata.labels).toEqual({ value: 'third' });
  });

  it('is gone when somebody deleted it right after it was made', async () => {
    const { ref, key, reader, make } = setUp();
    reader.wrote(key, { from: undefined, to: await make() });
    await client.delete(configMaps, ref);
    expect(await reader.get(ref)).toBeUndefined();
  });

  it('is read from the cache again after a minute, whatever that says', async () => {
    const { ref, key, store, clock, reader, make, change } = setUp();
    const first = await make();
    store.put(first);
    reader.wrote(key, { from: first, to: await change('second') });
    await clock.advance(60_000);
    expect(await reader.get(ref)).toBe(first);
  });
});
