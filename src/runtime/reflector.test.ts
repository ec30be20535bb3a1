import { afterEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../test/kit/captured-log.ts';
import { startCuttingProxy } from '../../test/kit/cutting-proxy.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { startSandboxApi } from '../../test/kit/sandbox-api.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { parseKubeconfig } from '../kube/kubeconfig.ts';
import { secrets, type Secret } from '../kube/object.ts';
import { ApiError, isAlreadyExists, isNotFound } from '../kube/status-error.ts';
import { createMetrics } from '../lib/metrics.ts';
import { seededRandom, type Random } from '../lib/random.ts';
import type { StoreChange, StoreReader } from './store.ts';
import { createWatcher } from './watcher.ts';

const stops: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** A server that forgets quickly, a way to it that can be cut, and a watcher at the end of that way. */
const setUp = async (random: Random, servesInitialEvents: boolean) => {
  const api = await startSandboxApi({ namespaces: ['team'], settings: { historyLimit: 8 } });
  stops.push(() => api.stop());
  const proxy = await startCuttingProxy(Number(new URL(api.server.url).port));
  stops.push(() => proxy.stop());
  const clock = createVirtualClock();
  const metrics = createMetrics();
  const access = { ...parseKubeconfig(api.server.kubeconfig), server: `https://127.0.0.1:${proxy.port}` };
  const client = api.connect({ access, clock, random });
  const watcher = createWatcher<Secret>({
    client: servesInitialEvents ? client : withoutInitialEvents(client),
    resource: secrets,
    namespace: 'team',
    clock,
    random,
    log: silentLog,
    metrics,
  });
  stops.push(() => watcher.stop());
  /** Lets time pass where the watcher waits for it. */
  const nudge = async (): Promise<void> => {
    await clock.advance(watcher.state === 'waiting' && clock.pending === 1 ? (clock.nextInMs ?? 0) : 300);
  };
  return { direct: api.connect(), proxy, watcher, metrics, nudge };
};

/** As a server of an older release. */
const withoutInitialEvents = (client: KubeClient): KubeClient => ({
  ...client,
  watch(resource, options) {
    if (options.sendInitialEvents) throw new ApiError(422, { reason: 'Invalid' });
    return client.watch(resource, options);
  },
});

/** Follows the changes by the rules that every reader of a cache relies on. */
const followChanges = (store: StoreReader<Secret>) => {
  const mirror = new Map<string, Secret>();
  const broken: string[] = [];
  const wantedBefore = { added: false, modified: true, deleted: true };
  store.subscribe(({ type, object, old }: StoreChange<Secret>) => {
    const { name, uid } = object.metadata;
    const before = mirror.get(name);
    if ((before !== undefined) !== wantedBefore[type]) broken.push(`${type} ${name}`);
    if (before && before.metadata.uid !== uid) broken.push(`${type} ${name} of another UID`);
    if (before !== old) broken.push(`${type} ${name} after something else`);
    if (type === 'deleted') mirror.delete(name);
    else mirror.set(name, object);
  });
  return { mirror, broken };
};

/** One random write: a new object, a change, a removal, or a removal and another object of that name. */
const writeSomething = async (client: KubeClient, random: Random): Promise<void> => {
  const ref = { namespace: 'team', name: `s${Math.floor(random.next() * 12)}` };
  const create = (): Promise<unknown> =>
    client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: ref, data: { k: 'x'.repeat(4 * 40) } });
  const dice = random.next();
  try {
    if (dice < 0.4) await create();
    else if (dice < 0.7) {
      await client.patch(secrets, ref, { type: 'merge', body: { metadata: { labels: { at: random.uuid() } } } });
    } else {
      await client.delete(secrets, ref);
      if (dice > 0.85) await create();
    }
  } catch (error) {
    if (!isNotFound(error) && !isAlreadyExists(error)) throw error;
  }
};

const contentOf = (objects: Iterable<Secret>): string[] =>
  [...objects].map(({ metadata: { name, uid, resourceVersion } }) => `${name} ${uid} ${resourceVersion}`).toSorted();

describe.each([
  ['by watches that begin with the present objects', true],
  ['by pages and watches', false],
])('mirrored %s', (_way, servesInitialEvents) => {
  test.each([1, 2, 3, 4])(
    'a kind is right in the end, and each change on the way made sense (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const { direct, proxy, watcher, metrics, nudge } = await setUp(random, servesInitialEvents);
      const { mirror, broken } = followChanges(watcher.store);
      watcher.start();
      for (let round = 0; round < 60; round += 1) {
        const dice = random.next();
        if (dice < 0.25) proxy.cutAfter(Math.floor(random.next() * 3_000));
        else if (dice < 0.4) proxy.refuse(true);
        else if (dice < 0.7) proxy.refuse(false);
        for (let writes = Math.floor(random.next() * 6); writes > 0; writes -= 1) await writeSomething(direct, random);
        await nudge();
      }
      proxy.cutAfter(Infinity);
      proxy.refuse(false);
      await eventually('a watch', async () => {
        await nudge();
        return watcher.synced && watcher.state === 'watching';
      });
      proxy.refuse(true); // for longer than the server remembers
      for (let writes = 0; writes < 40; writes += 1) await writeSomething(direct, random);
      proxy.refuse(false);
      const present = contentOf((await direct.list(secrets, { namespace: 'team' })).items);
      await eventually('the cache is what the server has', async () => {
        await nudge();
        expect(contentOf(watcher.store.list())).toEqual(present);
        return true;
      });
      expect(broken).toEqual([]);
      expect(contentOf(mirror.values())).toEqual(present);
      const counted = await metrics.text();
      expect(counted).toMatch(/watcher_relists_total\{resource="secrets"\} [1-9]/);
      expect(counted).toMatch(/watcher_reconnects_total\{resource="secrets"\} [1-9]/);
    },
  );
});
