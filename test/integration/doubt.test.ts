// In doubt nothing is removed, nothing is undone: reads that fail, listings that lie, caches that lag, deaths in between.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import { ApiError } from '../../src/kube/status-error.ts';
import { aDeployment, deploymentsOf, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type HalfOptions, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let backend: RunningHalf;
let deployment: GitOpsDeployment;
let ref: { namespace: string; name: string };
let count = 0;

const isOurs = (resource: ResourceType): boolean => resource.plural === gitOpsDeployments.plural;
/** A client whose reads of single deployments end as told. */
const readingFails =
  (problem: Error) =>
  (client: KubeClient): KubeClient => ({
    ...client,
    async get(resource, ...rest) {
      if (isOurs(resource)) throw problem;
      return client.get(resource, ...rest);
    },
  });
/** A client that neither lists nor watches any deployment: a listing that is complete, and a lie. */
const seesNoDeployment = (client: KubeClient): KubeClient => ({
  ...client,
  list: async (resource, options) => {
    const list = await client.list(resource, options);
    return isOurs(resource) ? { ...list, items: [] } : list;
  },
  async *watch<T extends KubeObject>(...[resource, options]: Parameters<typeof client.watch<T>>) {
    for await (const event of client.watch(resource, options)) {
      if (!isOurs(resource) || event.type === 'BOOKMARK' || event.type === 'ERROR') yield event;
    }
  },
});
const linkUids = async (): Promise<string[]> => {
  const rows = await world.database.sql<{ uid: string }>(
    `select deploymenttoapplicationmapping_uid_id as uid from deploymenttoapplicationmapping
    where namespace = '${ref.namespace}'`,
  );
  return rows.map((row) => row.uid);
};
const pathInRows = async (): Promise<string> => {
  const [row] = await world.database.sql<{ spec_field: string }>(
    `select spec_field from application where name = 'gitopsdepl-${deployment.metadata.uid}'`,
  );
  return /path: "?([a-z-]+)"?/.exec(row?.spec_field ?? '')?.[1] ?? '';
};
const operationsOfRow = () =>
  world.database.sql<{ delivered_at: string | null }>(
    `select o.delivered_at from operation o join application a on a.application_id = o.resource_id
    where a.name = 'gitopsdepl-${deployment.metadata.uid}' order by o.seq_id desc`,
  );
/** Starts a backend that ends with the test. */
const startBackend = async (options: HalfOptions = {}): Promise<RunningHalf> => {
  backend = await world.start('backend', options);
  return backend;
};

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  await world.start('agent');
});
beforeEach(async () => {
  ref = { namespace: `team-${(count += 1)}`, name: 'app' };
  await startBackend();
  await world.createNamespace(ref.namespace);
  deployment = await world.apply(aDeployment(ref));
  await deployments.deployed(deployment);
  await world.quiet();
  await backend.process.stop();
  return () => backend.process.stop();
});
afterAll(() => world.stop());

describe('nothing is removed', () => {
  it('because the deployment is missing from the listing and the watch, while a live read finds it', async () => {
    await startBackend({ client: seesNoDeployment });
    await eventually('it was looked at', async () => (await backend.passes('deployment')) > 0);
    await world.quiet();
    expect(await linkUids()).toEqual([deployment.metadata.uid]);
    expect((await deployments.application(deployment))?.metadata.deletionTimestamp).toBeUndefined();
  });

  it.each([
    ['500', new ApiError(500, { message: 'internal error' })],
    ['403', new ApiError(403, { reason: 'Forbidden', message: 'forbidden' })],
    ['a broken connection', new Error('socket hang up')],
  ])('because a live read is answered by %s, however often', async (_name, error) => {
    await world.client.delete(gitOpsDeployments, ref);
    await startBackend({ client: readingFails(error) });
    await eventually('it was looked at', async () => (await backend.passes('deployment')) > 2);
    expect(await linkUids()).toEqual([deployment.metadata.uid]);
    expect((await deployments.application(deployment))?.metadata.deletionTimestamp).toBeUndefined();
  });
});

describe('nothing is undone', () => {
  it('by a pass over an older version of the deployment than the rows were made from', async () => {
    const old = await deployments.get(ref);
    const first = await startBackend();
    await world.apply(aDeployment({ ...ref, path: 'newer' }));
    await eventually('the rows are newer', async () => (await pathInRows()) === 'newer');
    await first.process.stop();
    const stale = (client: KubeClient): KubeClient => ({
      ...client,
      async *watch<T extends KubeObject>(...[resource, options]: Parameters<typeof client.watch<T>>) {
        for await (const event of client.watch(resource, options)) {
          const isIt = isOurs(resource) && event.type !== 'ERROR' && event.object.metadata.namespace === ref.namespace;
          yield isIt ? { ...event, object: old as unknown as T } : event; // a deployment, as the resource says
        }
      },
    });
    await startBackend({ client: stale });
    await eventually('it was looked at', async () => (await backend.passes('deployment')) > 0);
    await world.quiet();
    expect(await pathInRows()).toBe('newer');
    expect((await deployments.application(deployment))?.spec.source?.path).toBe('newer');
  });
});

describe('a backend that dies', () => {
  it('after it wrote what is wanted, and before it told the agent by an object, delivers at its next start', async () => {
    const dead = await startBackend({
      gate: (call, run) =>
        call.name.includes('operations') && call.name.startsWith('POST')
          ? Promise.reject(new Error('the process died here'))
          : run(),
    });
    await world.apply(aDeployment({ ...ref, path: 'late' }));
    await eventually('the rows are written', async () => (await pathInRows()) === 'late');
    expect(await operationsOfRow()).toMatchObject([{ delivered_at: null }]);
    await dead.process.stop();
    const before = world.api.requests()['create operations'] ?? 0;
    await startBackend();
    await eventually('it is delivered', () => world.api.requests()['create operations'] === before + 1);
    await eventually('it is collected', async () => (await operationsOfRow()).length === 0);
  });

  it('in the middle of its transaction has written nothing, and its next start writes it all', async () => {
    const dead = await startBackend({
      gate: (call, run) => (call.name === 'commit' ? Promise.reject(new Error('the process died here')) : run()),
    });
    await world.apply(aDeployment({ ...ref, path: 'late' }));
    await eventually('it was tried', async () => (await dead.passes('deployment')) > 2);
    expect(await pathInRows()).toBe('app');
    expect(await operationsOfRow()).toEqual([]);
    await dead.process.stop();
    await startBackend();
    await eventually('it has arrived', async () => {
      return (await deployments.application(deployment))?.spec.source?.path === 'late';
    });
  });
});
