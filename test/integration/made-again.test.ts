// Namespaces that are made again under the same name, a tenant's and that of Argo CD: the name stays, all else is new.
import { beforeAll, describe, expect, it } from 'vitest';
import { applications } from '../../src/api/argocd/application.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { namespaces, type KubeObject } from '../../src/kube/object.ts';
import {
  aDeployment,
  conditionOf,
  deploymentsOf,
  healthyStatus,
  orAbsent,
  type Deployments,
} from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;

const isGone = (name: string): Promise<unknown> =>
  eventually(`namespace ${name} is gone`, async () => !(await orAbsent(world.client.get(namespaces, { name }))));
/** Deletes a namespace and makes it again; gives both UIDs. */
const makeAgain = async (name: string): Promise<{ oldUid: string; newUid: string }> => {
  const { metadata } = await world.client.get(namespaces, { name });
  await world.client.delete(namespaces, { name });
  await isGone(name);
  return { oldUid: metadata.uid ?? '', newUid: await world.createNamespace(name) };
};

describe("a tenant's namespace that is made again while its watch is silent", () => {
  let backend: RunningHalf;
  let silence: PromiseWithResolvers<void> | undefined;

  /** A client whose watch on namespaces says nothing while there is `silence`. */
  const silenced = (client: KubeClient): KubeClient => ({
    ...client,
    async *watch<T extends KubeObject>(...[resource, options]: Parameters<typeof client.watch<T>>) {
      for await (const event of client.watch(resource, options)) {
        if (resource.plural === namespaces.plural) await silence?.promise;
        yield event;
      }
    },
  });
  const linksOf = (namespaceUid: string) =>
    world.database.sql<{ uid: string }>(
      `select deploymenttoapplicationmapping_uid_id as uid from deploymenttoapplicationmapping
      where namespace_uid = '${namespaceUid}'`,
    );
  const applicationsOf = ({ metadata }: GitOpsDeployment) =>
    world.database.sql(`select 1 from application where name = 'gitopsdepl-${metadata.uid}'`);
  const hasLooked = async (run: () => Promise<GitOpsDeployment>): Promise<GitOpsDeployment> => {
    const before = await backend.passes('deployment');
    const made = await run();
    await eventually('it has looked', async () => (await backend.passes('deployment')) > before);
    return made;
  };

  beforeAll(async () => {
    world = await createWorld();
    deployments = deploymentsOf(world);
    await world.start('agent');
    backend = await world.start('backend', { client: silenced });
    return () => world.stop();
  });

  it.each([
    ['had nothing in it', 'empty', false],
    ['had a deployment of the same name in it', 'full', true],
  ])('and %s gets no row under its old UID', async (_what, namespace, full) => {
    await world.createNamespace(namespace);
    const ref = { namespace, name: 'app' };
    const old = full ? await world.apply(aDeployment(ref)) : undefined;
    if (old) await deployments.deployed(old);
    await world.quiet();
    silence = Promise.withResolvers();
    const { oldUid, newUid } = await makeAgain(namespace);
    const made = await hasLooked(() => world.apply(aDeployment({ ...ref, path: 'new' })));
    if (old) {
      await deployments.cleanUp(old);
      await eventually('the old rows are gone', async () => (await linksOf(oldUid)).length === 0);
    }
    await world.quiet();
    expect(await applicationsOf(made)).toEqual([]);
    expect(await linksOf(oldUid)).toEqual([]);
    expect((await deployments.get(ref))?.status).toBeUndefined();

    silence.resolve();
    silence = undefined;
    expect((await deployments.deployed(made)).spec.source?.path).toBe('new');
    await world.quiet();
    expect(await applicationsOf(made)).toHaveLength(1);
    expect(await linksOf(newUid)).toEqual([{ uid: made.metadata.uid }]);
    expect(await linksOf(oldUid)).toEqual([]);
  });
});

describe("Argo CD's namespace that is deleted and made again", () => {
  /** Applications lose their finalizers, as if Argo CD had cleaned up before it was removed. */
  const cleanUp = async (): Promise<void> => {
    const body = { metadata: { finalizers: null } };
    const { items } = await world.client.list(applications, { namespace: engineNamespace });
    for (const { metadata } of items) {
      const going = { namespace: engineNamespace, name: metadata.name };
      await orAbsent(world.client.patch(applications, going, { type: 'merge', body }));
    }
  };
  const engines = () =>
    world.database.sql<{ uid: string; name: string }>(
      `select i.namespace_uid as uid, a.name from application a
      join gitopsengineinstance i on i.gitopsengineinstance_id = a.engine_instance_inst_id`,
    );

  beforeAll(async () => {
    world = await createWorld();
    deployments = deploymentsOf(world);
    return () => world.stop();
  });

  it('gets every Application again, by one Operation each, and the conditions end right', async () => {
    const backend = await world.start('backend');
    await world.start('agent');
    const names = ['one', 'two', 'three'];
    await world.createNamespace('team');
    const made = await Promise.all(names.map((name) => world.apply(aDeployment({ namespace: 'team', name }))));
    for (const deployment of made) await deployments.deployed(deployment);
    await world.quiet();
    const created = world.api.requests()['create operations'] ?? 0;

    const uid = (await world.client.get(namespaces, { name: engineNamespace })).metadata.uid;
    await world.client.delete(namespaces, { name: engineNamespace });
    await eventually('it is gone', async () => {
      await cleanUp();
      return !(await orAbsent(world.client.get(namespaces, { name: engineNamespace })));
    });
    await eventually('it is missed', async () => (await backend.passes('deployment')) > 0);
    const newUid = await world.createNamespace(engineNamespace);
    expect(newUid).not.toBe(uid);

    for (const deployment of made) {
      const application = await deployments.deployed(deployment);
      await deployments.patchApplication(deployment, { status: healthyStatus(application) });
    }
    for (const name of names) {
      const shown = await deployments.withReason({ namespace: 'team', name }, 'Ready', 'Ready');
      expect(conditionOf(shown, 'Ready')?.status).toBe('True');
      expect(conditionOf(shown, 'ErrorOccurred')?.status ?? 'False').toBe('False');
    }
    expect(new Set((await engines()).map((row) => row.uid))).toEqual(new Set([newUid]));
    await eventually('every Operation is collected', async () => {
      return (await world.database.sql('select 1 from operation')).length === 0;
    });
    expect(world.api.requests()['create operations']).toBe(created + names.length);

    // And all goes on there.
    await world.client.delete(gitOpsDeployments, { namespace: 'team', name: 'one' });
    const [one] = made;
    if (one) await deployments.cleanUp(one);
    await eventually('its rows are gone', async () => (await engines()).length === names.length - 1);
  });
});
