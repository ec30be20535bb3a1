// The end of a deployment: what it deployed goes, nothing else does, and its finalizer waits for that.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { deploymentFinalizer } from '../../src/api/labels.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { aDeployment, deploymentsOf, type DeploymentOptions, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let backend: RunningHalf;
let count = 0;

/** A deployment in a namespace of its own, deployed. */
const deployed = async (options: Partial<DeploymentOptions> = {}): Promise<GitOpsDeployment> => {
  const namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
  const deployment = await world.apply(aDeployment({ namespace, ...options }));
  await deployments.deployed(deployment);
  return deployment;
};
const refOf = ({ metadata: { namespace = '', name } }: GitOpsDeployment) => ({ namespace, name });
const remove = (deployment: GitOpsDeployment) => world.client.delete(gitOpsDeployments, refOf(deployment));
const linksOf = ({ metadata }: GitOpsDeployment) =>
  world.database.sql(
    `select 1 from deploymenttoapplicationmapping where deploymenttoapplicationmapping_uid_id = '${metadata.uid}'`,
  );
const applicationIdOf = async ({ metadata }: GitOpsDeployment): Promise<string> => {
  const [row] = await world.database.sql<{ id: string }>(
    `select application_id as id from application where name = 'gitopsdepl-${metadata.uid}'`,
  );
  return row?.id ?? '';
};
const allGone = (deployment: GitOpsDeployment, applicationId: string): Promise<unknown> =>
  eventually('every trace is gone', async () => {
    const { sql } = world.database;
    const left = await sql<{ left: string }>(
      `select 'application' as left from application where application_id = '${applicationId}'
      union all select 'owner' from applicationowner where application_owner_application_id = '${applicationId}'
      union all select 'state' from applicationstate where applicationstate_application_id = '${applicationId}'
      union all select 'link' from deploymenttoapplicationmapping where application_id = '${applicationId}'
      union all select 'deletion' from deletion where application_id = '${applicationId}'
      union all select 'operation' from operation where resource_id = '${applicationId}'`,
    );
    if (left.length > 0) throw new Error(JSON.stringify(left));
    return !(await deployments.application(deployment)) && !(await deployments.get(refOf(deployment)));
  });

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  backend = await world.start('backend');
  await world.start('agent');
});
afterAll(() => world.stop());

describe('a deleted deployment', () => {
  it('without a finalizer is gone at once, and what it deployed follows, with rows and Operation', async () => {
    const deployment = await deployed();
    const id = await applicationIdOf(deployment);
    await remove(deployment);
    expect(await deployments.get(refOf(deployment))).toBeUndefined();
    await deployments.cleanUp(deployment);
    await allGone(deployment, id);
  });

  it('with our finalizer stays until its Application is gone', async () => {
    const deployment = await deployed({ finalizer: true });
    const id = await applicationIdOf(deployment);
    await remove(deployment);
    await eventually('the Application is being deleted', async () =>
      Boolean((await deployments.application(deployment))?.metadata.deletionTimestamp),
    );
    await world.quiet();
    expect((await deployments.get(refOf(deployment)))?.metadata.finalizers).toEqual([deploymentFinalizer]);
    expect(await linksOf(deployment)).toEqual([]);
    await deployments.cleanUp(deployment);
    await allGone(deployment, id);
  });

  it('keeps the finalizers of others, and loses only ours', async () => {
    const deployment = await deployed({ finalizer: true });
    const id = await applicationIdOf(deployment);
    const finalizers = ['example.com/first', deploymentFinalizer, 'example.com/last'];
    await world.client.patch(gitOpsDeployments, refOf(deployment), {
      type: 'merge',
      body: { metadata: { finalizers } },
    });
    await remove(deployment);
    await deployments.cleanUp(deployment);
    await eventually('ours is gone', async () => {
      const kept = (await deployments.get(refOf(deployment)))?.metadata.finalizers;
      return kept?.join() === 'example.com/first,example.com/last';
    });
    await world.client.patch(gitOpsDeployments, refOf(deployment), {
      type: 'merge',
      body: { metadata: { finalizers: null } },
    });
    await allGone(deployment, id);
  });

  it('takes the project of its tenant with it when it was the last, and not before', async () => {
    const first = await deployed();
    const second = await world.apply(aDeployment({ namespace: first.metadata.namespace ?? '', name: 'second' }));
    const application = await deployments.deployed(second);
    const project = { namespace: engineNamespace, name: application.spec.project };
    await remove(first);
    await deployments.cleanUp(first);
    await eventually('the first is gone', async () => !(await deployments.application(first)));
    await world.quiet();
    expect((await world.client.get(appProjects, project)).spec.sourceRepos).toHaveLength(1);
    await remove(second);
    await eventually('the second is being deleted', async () =>
      Boolean((await deployments.application(second))?.metadata.deletionTimestamp),
    );
    await world.quiet();
    expect(await world.client.get(appProjects, project), 'finalizing needs the project').toBeDefined();
    await deployments.cleanUp(second);
    await eventually('the project is gone', async () => {
      const { items } = await world.client.list(appProjects, { namespace: engineNamespace });
      return !items.some(({ metadata }) => metadata.name === project.name);
    });
  });

  it('leaves its repository permitted while another deployment of the tenant uses it', async () => {
    const first = await deployed({ repoURL: 'https://github.com/org/both' });
    const namespace = first.metadata.namespace ?? '';
    const second = await world.apply(
      aDeployment({ namespace, name: 'second', repoURL: 'https://GitHub.com/org/both.git' }),
    );
    await deployments.deployed(second);
    const permitted = () =>
      world.database.sql(`select 1 from appprojectrepository where repo_url = 'https://github.com/org/both'`);
    await remove(first);
    await eventually('its rows are gone', async () => (await linksOf(first)).length === 0);
    expect(await permitted()).toHaveLength(1);
    await remove(second);
    await eventually('its rows are gone', async () => (await linksOf(second)).length === 0);
    expect(await permitted()).toHaveLength(0);
    for (const deployment of [first, second]) await deployments.cleanUp(deployment);
  });

  it('takes its Application with it although somebody took the label of that away', async () => {
    const deployment = await deployed();
    const id = await applicationIdOf(deployment);
    await world.quiet();
    await deployments.patchApplication(deployment, { metadata: { labels: null } });
    await remove(deployment);
    await deployments.cleanUp(deployment);
    await allGone(deployment, id);
  });

  it('loses its finalizer when its rows are gone already', async () => {
    const deployment = await deployed({ finalizer: true });
    await world.database.sql(`delete from application where name = 'gitopsdepl-${deployment.metadata.uid}'`);
    await remove(deployment);
    await eventually('it is gone', async () => !(await deployments.get(refOf(deployment))));
    await world.client.delete(applications, {
      namespace: engineNamespace,
      name: `gitopsdepl-${deployment.metadata.uid}`,
    });
  });
});

describe('a deployment deleted while the backend is down', () => {
  it('is found at the start, and its rows go after a second look only', async () => {
    const deployment = await deployed();
    const id = await applicationIdOf(deployment);
    await backend.process.stop();
    await remove(deployment);
    backend = await world.start('backend', { flags: { 'second-look': '1h' } });
    await eventually('it was looked at', async () => (await backend.passes('deployment')) > 0);
    await world.quiet();
    expect(await linksOf(deployment)).toHaveLength(1);
    expect((await deployments.application(deployment))?.metadata.deletionTimestamp).toBeUndefined();
    await backend.process.stop();
    backend = await world.start('backend');
    await deployments.cleanUp(deployment);
    await allGone(deployment, id);
  });

  it('and made again under the same name ends as the new one alone', async () => {
    const old = await deployed({ path: 'old' });
    const id = await applicationIdOf(old);
    await backend.process.stop();
    await remove(old);
    const made = await world.apply(aDeployment({ ...refOf(old), path: 'new' }));
    backend = await world.start('backend');
    await deployments.cleanUp(old);
    expect((await deployments.deployed(made)).spec.source?.path).toBe('new');
    await eventually('the old rows are gone', async () => {
      const left = await world.database.sql(`select 1 from operation where resource_id = '${id}'`);
      return left.length === 0 && (await linksOf(old)).length === 0;
    });
    expect(await linksOf(made)).toHaveLength(1);
  });
});

describe('a deployment made again under the same name', () => {
  it('waits, and says so, until what the old one deployed is gone', async () => {
    const old = await deployed();
    await remove(old);
    const made = await world.apply(aDeployment({ ...refOf(old), path: 'new' }));
    await deployments.withReason(refOf(made), 'Reconciling', 'WaitingForDeletion');
    expect(await deployments.application(made)).toBeUndefined();
    await deployments.cleanUp(old);
    expect((await deployments.deployed(made)).spec.source?.path).toBe('new');
    const shown = await deployments.get(refOf(made));
    expect(shown?.metadata.uid).toBe(made.metadata.uid);
  });

  it('twice in a row and at once ends as the last one alone', async () => {
    const first = await deployed({ path: 'first' });
    const ref = refOf(first);
    await remove(first);
    const second = await world.apply(aDeployment({ ...ref, path: 'second' }));
    await remove(second);
    const third = await world.apply(aDeployment({ ...ref, path: 'third' }));
    await deployments.cleanUp(first);
    expect((await deployments.deployed(third)).spec.source?.path).toBe('third');
    expect(await deployments.application(second)).toBeUndefined();
    const rows = await world.database.sql<{ uid: string }>(
      `select deploymenttoapplicationmapping_uid_id as uid from deploymenttoapplicationmapping
      where namespace = '${ref.namespace}'`,
    );
    expect(rows).toEqual([{ uid: third.metadata.uid }]);
  });

  it('cleans up the rows of an older one that nobody had cleaned up', async () => {
    const deployment = await deployed();
    const uid = '00000000-0000-4000-8000-00000000dead';
    await world.database.script(`
      insert into application (application_id, name, spec_field, engine_instance_inst_id, managed_environment_id, created_on)
        select 'left-behind', 'gitopsdepl-${uid}', spec_field, engine_instance_inst_id, managed_environment_id, now()
        from application where name = 'gitopsdepl-${deployment.metadata.uid}';
      insert into deploymenttoapplicationmapping
          (deploymenttoapplicationmapping_uid_id, name, namespace, namespace_uid, application_id)
        select '${uid}', name, namespace, namespace_uid, 'left-behind'
        from deploymenttoapplicationmapping where deploymenttoapplicationmapping_uid_id = '${deployment.metadata.uid}'`);
    await world.apply(aDeployment({ ...refOf(deployment), path: 'changed' }));
    await eventually('the old rows are gone', async () => {
      const left = await world.database.sql(
        `select application_id from application where application_id = 'left-behind'
        union all select application_id from deletion where application_id = 'left-behind'`,
      );
      return left.length === 0;
    });
    await eventually('the change has arrived', async () => {
      return (await deployments.application(deployment))?.spec.source?.path === 'changed';
    });
    expect(await linksOf(deployment)).toHaveLength(1);
  });
});
