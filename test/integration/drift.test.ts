// What others change or delete in Argo CD's namespace is put right without anybody asking.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { aDeployment, orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let agent: RunningHalf;
let namespace: string;
let name: string;
let project: string;
let count = 0;

const ref = () => ({ namespace: engineNamespace, name });
const find = () => orAbsent(world.client.get(applications, ref()));
const findProject = () => orAbsent(world.client.get(appProjects, { namespace: engineNamespace, name: project }));

beforeAll(async () => {
  world = await createWorld();
  await world.start('backend');
  agent = await world.start('agent');
});
afterAll(() => world.stop());

beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
  const deployment = await world.apply(aDeployment({ namespace }));
  name = `gitopsdepl-${deployment.metadata.uid}`;
  project = (await eventually('the Application is made', find)).spec.project;
  await world.quiet();
});

describe('an Application', () => {
  it('that is deleted by hand is made again, as its row says', async () => {
    const before = await world.client.get(applications, ref());
    await world.client.delete(applications, ref());
    const again = await eventually('it is made again', async () => {
      const found = await find();
      return found?.metadata.uid === before.metadata.uid ? undefined : found;
    });
    expect([again.spec, again.metadata.labels]).toEqual([before.spec, before.metadata.labels]);
  });

  it('that was deleted while the agent was down is made again when it starts', async () => {
    await agent.process.stop();
    await world.client.delete(applications, ref());
    agent = await world.start('agent');
    await eventually('it is made again', find);
  });

  it('that was changed while the agent was down is put right when it starts', async () => {
    const before = await world.client.get(applications, ref());
    await agent.process.stop();
    await world.client.patch(applications, ref(), { type: 'merge', body: { spec: { source: { path: 'another' } } } });
    agent = await world.start('agent');
    await eventually('it is put right', async () => (await find())?.spec.source?.path === before.spec.source?.path);
  });

  it('whose spec or label is changed by hand is put right', async () => {
    const before = await world.client.get(applications, ref());
    const body = { metadata: { labels: { databaseID: null } }, spec: { source: { path: 'another' } } };
    await world.client.patch(applications, ref(), { type: 'merge', body });
    const after = await eventually('it is put right', async () => {
      const found = await find();
      return found?.spec.source?.path === before.spec.source?.path ? found : undefined;
    });
    expect(after.metadata.labels).toEqual(before.metadata.labels);
  });

  it('of a deleted deployment is not made again', async () => {
    await world.client.delete(gitOpsDeployments, { namespace, name: 'app' });
    await eventually('it is being deleted', async () => (await find())?.metadata.deletionTimestamp);
    await world.client.patch(applications, ref(), { type: 'merge', body: { metadata: { finalizers: null } } });
    await eventually('the rows are gone', async () => (await world.database.sql('select from deletion')).length === 0);
    await world.quiet();
    expect(await find()).toBeUndefined();
  });

  it('that no row knows is left alone, and is not made again', async () => {
    const stray = { ...(await world.client.get(applications, ref())) };
    const metadata = { name: 'stray', namespace: engineNamespace, labels: { databaseID: 'unknown' } };
    await world.client.create(applications, {
      apiVersion: stray.apiVersion,
      kind: stray.kind,
      metadata,
      spec: stray.spec,
    });
    await world.client.patch(
      applications,
      { namespace: engineNamespace, name: 'stray' },
      { type: 'merge', body: { spec: { source: { path: 'mine' } } } },
    );
    await world.quiet();
    const kept = await world.client.get(applications, { namespace: engineNamespace, name: 'stray' });
    expect(kept.spec.source?.path).toBe('mine');
    await world.client.delete(applications, { namespace: engineNamespace, name: 'stray' });
    await world.quiet();
    expect(
      await orAbsent(world.client.get(applications, { namespace: engineNamespace, name: 'stray' })),
    ).toBeUndefined();
  });
});

describe("a tenant's project", () => {
  it('that is deleted or emptied by hand is put right', async () => {
    const before = await world.client.get(appProjects, { namespace: engineNamespace, name: project });
    await world.client.delete(appProjects, { namespace: engineNamespace, name: project });
    await eventually('it is made again', async () => {
      const found = await findProject();
      return found && found.metadata.uid !== before.metadata.uid;
    });
    const body = { spec: { sourceRepos: ['*'], destinations: null } };
    await world.client.patch(appProjects, { namespace: engineNamespace, name: project }, { type: 'merge', body });
    const after = await eventually('it is put right', async () => {
      const found = await findProject();
      return found?.spec.destinations ? found : undefined;
    });
    expect(after.spec).toEqual(before.spec);
  });
});
