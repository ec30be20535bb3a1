// Namespaces: they come, go, come again, and there are many of them at once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { namespaces, type KubeObject } from '../../src/kube/object.ts';
import { aDeployment, deploymentsOf, orAbsent, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let backend: RunningHalf;

const isGone = (name: string): Promise<unknown> =>
  eventually(`namespace ${name} is gone`, async () => !(await orAbsent(world.client.get(namespaces, { name }))));
const rowsOf = async (namespaceUid: string): Promise<string[]> => {
  const rows = await world.database.sql<{ what: string }>(`
    select 'link' as what from deploymenttoapplicationmapping where namespace_uid = '${namespaceUid}'
    union all select 'deletion' from deletion where namespace_uid = '${namespaceUid}'
    union all select 'application' from applicationowner o join clusteruser u
      on u.clusteruser_id = o.application_owner_user_id where u.user_name = '${namespaceUid}'
    union all select 'operation' from operation o join clusteruser u
      on u.clusteruser_id = o.operation_owner_user_id where u.user_name = '${namespaceUid}'`);
  return rows.map((row) => row.what);
};
const deployIn = async (namespace: string, finalizer = false): Promise<GitOpsDeployment> => {
  const deployment = await world.apply(aDeployment({ namespace, finalizer }));
  await deployments.deployed(deployment);
  return deployment;
};

/** A client to whom a namespace is being deleted, while what is in it still stands. */
const seesGoing = (client: KubeClient, name: string): KubeClient => ({
  ...client,
  async *watch<T extends KubeObject>(...[resource, options]: Parameters<typeof client.watch<T>>) {
    for await (const event of client.watch(resource, options)) {
      if (resource.plural === 'namespaces' && event.type !== 'ERROR' && event.object.metadata.name === name) {
        event.object.metadata.deletionTimestamp = '2030-01-01T00:00:00Z';
      }
      yield event;
    }
  },
});

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  backend = await world.start('backend');
  await world.start('agent');
});
afterAll(() => world.stop());

describe('a namespace that is deleted', () => {
  it('takes its deployments with it, and what they deployed', async () => {
    const uid = await world.createNamespace('leaving');
    const deployment = await deployIn('leaving');
    await world.client.delete(namespaces, { name: 'leaving' });
    await deployments.cleanUp(deployment);
    await isGone('leaving');
    await eventually('no row is left', async () => (await rowsOf(uid)).length === 0);
  });

  it('stays until a deployment with our finalizer has been cleaned up', async () => {
    const uid = await world.createNamespace('held');
    const deployment = await deployIn('held', true);
    await world.client.delete(namespaces, { name: 'held' });
    await eventually('the Application is being deleted', async () =>
      Boolean((await deployments.application(deployment))?.metadata.deletionTimestamp),
    );
    expect(await deployments.get({ namespace: 'held', name: 'app' })).toBeDefined();
    await deployments.cleanUp(deployment);
    await isGone('held');
    await eventually('no row is left', async () => (await rowsOf(uid)).length === 0);
  });

  it('gets nothing new: a deployment that is still in it is not deployed any more', async () => {
    const uid = await world.createNamespace('closing');
    await backend.process.stop();
    backend = await world.start('backend', { client: (client) => seesGoing(client, 'closing') });
    const late = await world.apply(aDeployment({ namespace: 'closing' }));
    await deployments.withReason({ namespace: 'closing', name: 'app' }, 'Reconciling', 'NamespaceTerminating');
    expect(await rowsOf(uid)).toEqual([]);
    expect(await deployments.application(late)).toBeUndefined();
    await backend.process.stop();
    backend = await world.start('backend');
    await deployments.deployed(late);
  });

  it('while the backend is down is found at the start', async () => {
    const uid = await world.createNamespace('unseen');
    const deployment = await deployIn('unseen');
    await backend.process.stop();
    await world.client.delete(namespaces, { name: 'unseen' });
    await isGone('unseen');
    backend = await world.start('backend');
    await deployments.cleanUp(deployment);
    await eventually('no row is left', async () => (await rowsOf(uid)).length === 0);
  });

  it('and made again under the same name is another tenant, whose deployment waits for its namesake of before', async () => {
    const oldUid = await world.createNamespace('again');
    const old = await deployIn('again');
    const oldProject = (await deployments.deployed(old)).spec.project;
    await world.client.delete(namespaces, { name: 'again' });
    await isGone('again');
    const newUid = await world.createNamespace('again');
    const made = await world.apply(aDeployment({ namespace: 'again' }));
    await deployments.withReason({ namespace: 'again', name: 'app' }, 'Reconciling', 'WaitingForDeletion');
    expect(await rowsOf(newUid)).toEqual([]);
    const other = await world.apply(aDeployment({ namespace: 'again', name: 'other' }));
    await deployments.deployed(other);
    await world.client.delete(gitOpsDeployments, { namespace: 'again', name: 'other' });
    await deployments.cleanUp(other);
    await deployments.cleanUp(old);
    expect((await deployments.deployed(made)).spec.project).not.toBe(oldProject);
    await eventually('no old row is left', async () => (await rowsOf(oldUid)).length === 0);
    expect((await rowsOf(newUid)).toSorted().filter((what) => what !== 'operation')).toEqual(['application', 'link']);
  });

  it('and made again while the backend is down is not mistaken for the old one', async () => {
    const oldUid = await world.createNamespace('swapped');
    const old = await deployIn('swapped');
    await backend.process.stop();
    await world.client.delete(namespaces, { name: 'swapped' });
    await isGone('swapped');
    await world.createNamespace('swapped');
    const made = await world.apply(aDeployment({ namespace: 'swapped', path: 'new' }));
    backend = await world.start('backend');
    await deployments.cleanUp(old);
    expect((await deployments.deployed(made)).spec.source?.path).toBe('new');
    await eventually('no old row is left', async () => (await rowsOf(oldUid)).length === 0);
  });
});

describe('many namespaces at once', () => {
  it('each get their own tenant, target, project and Application, and share the engine', async () => {
    const names = Array.from({ length: 12 }, (_, nth) => `many-${nth}`);
    await Promise.all(names.map((name) => world.createNamespace(name)));
    const applied = await Promise.all(
      names.flatMap((namespace) => [
        world.apply(aDeployment({ namespace, name: 'one' })),
        world.apply(aDeployment({ namespace, name: 'two' })),
      ]),
    );
    const made = await Promise.all(applied.map((deployment) => deployments.deployed(deployment)));
    expect(new Set(made.map(({ spec }) => spec.project)).size).toBe(names.length);
    for (const [nth, { spec }] of made.entries()) {
      expect(spec.destination.namespace).toBe(applied[nth]?.metadata.namespace);
    }
    const { sql } = world.database;
    const tenants = await sql(`select 1 from clusteruser where display_name like 'many-%'`);
    expect(tenants).toHaveLength(names.length);
    expect(await sql('select 1 from gitopsengineinstance')).toHaveLength(1);
    expect(await sql('select 1 from gitopsenginecluster')).toHaveLength(1);
  });
});
