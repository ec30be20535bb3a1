// An installation of the original service is continued: nothing is done over, nothing is lost.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { operationName, refreshAnnotation } from '../../src/api/labels.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import { gitOpsDeploymentSyncRuns } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { originalColumns } from '../../src/db/tables.ts';
import { secrets } from '../../src/kube/object.ts';
import { aDeployment, conditionOf, deploymentsOf, orAbsent, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { makeOriginalSchema } from '../kit/original-database.ts';
import { makeOriginal, type OriginalDeployment, type OriginalInstallation } from '../kit/original-installation.ts';
import { readOriginalRows, rowDifferences, type OriginalValues } from '../kit/original-rows.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

const standard = ['Ready', 'Reconciling', 'Stalled'];
const withoutStandard = ({ status }: GitOpsDeployment) => ({
  ...status,
  conditions: status?.conditions?.filter(({ type }) => !standard.includes(type)),
});

describe.each([
  ['with one project for all', false],
  ['with a project for each tenant', true],
])('an installation of the original, %s', (_what, isolation) => {
  let world: World;
  let deployments: Deployments;
  let made: OriginalInstallation;
  let before: OriginalValues;
  let objectsBefore: unknown;
  const versionsOf = async () => {
    const [apps, projects, clusters] = await Promise.all([
      world.client.list(applications, { namespace: engineNamespace }),
      world.client.list(appProjects, { namespace: engineNamespace }),
      world.client.list(secrets, {
        namespace: engineNamespace,
        labelSelector: 'argocd.argoproj.io/secret-type=cluster',
      }),
    ]);
    // Where projects isolate, the repository Secret is written, and Argo CD is asked to look at who uses it: no other change.
    const untouched = ({ metadata }: Application): unknown => {
      const { [refreshAnnotation]: _asked, ...annotations } = metadata.annotations ?? {};
      return [metadata.name, metadata.generation, metadata.labels, metadata.finalizers, annotations];
    };
    return [
      ...apps.items.map((one) => (isolation ? untouched(one) : [one.metadata.name, one.metadata.resourceVersion])),
      ...[...projects.items, ...clusters.items].map(({ metadata }) => [metadata.name, metadata.resourceVersion]),
    ];
  };
  const shown = ({ deployment: { metadata } }: OriginalDeployment) =>
    world.client.get(gitOpsDeployments, { namespace: metadata.namespace ?? '', name: metadata.name });
  const syncRun = (name: string) => orAbsent(world.client.get(gitOpsDeploymentSyncRuns, { namespace: 'team-a', name }));
  const syncReason = async (name: string) =>
    (await syncRun(name))?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
  const count = async (from: string) => (await world.database.sql(`select from ${from}`)).length;

  beforeAll(async () => {
    world = await createWorld({ migrated: false });
    deployments = deploymentsOf(world);
    made = await makeOriginal(world, { isolation });
    before = await readOriginalRows(world);
    objectsBefore = await versionsOf();
    await world.start('backend');
    await world.start('agent');
    await deployments.withReason({ namespace: 'team-a', name: 'app' }, 'Ready', 'Ready');
    await eventually(
      'each status has been reported anew',
      async () => (await count('applicationstate where content_hash is null')) === 0,
    );
    await world.quiet();
  });
  afterAll(() => world.stop());

  it('has rows in every table to begin with', () => {
    const filled = new Set([...before.keys()].map((key) => key.split(' ')[0]));
    const tables = new Set(originalColumns().map((column) => column.split('.')[0]));
    expect(filled).toEqual(tables);
  });

  it('is adopted as it is: reports are packed anew, open Operations end, an old one goes; nothing else changes', async () => {
    const { tickets, app, manual, remote, other } = made;
    const all = [app, manual, remote, other];
    expect(rowDifferences(before, await readOriginalRows(world))).toEqual({
      made: [],
      removed: [`operation ${tickets.longEnded}`],
      changed: [
        ...all.map(({ applicationId }) => `applicationstate ${applicationId}`),
        ...[tickets.lost, tickets.selfHeal, tickets.repository, tickets.openSync].map((id) => `operation ${id}`),
      ].toSorted(),
    });
    const states = await world.database.sql<{ operation_id: string; state: string }>(
      'select operation_id, state from operation',
    );
    expect(Object.fromEntries(states.map(({ operation_id, state }) => [operation_id, state]))).toEqual({
      [tickets.ended]: 'Completed',
      [tickets.lost]: 'Completed',
      [tickets.selfHeal]: 'Completed',
      [tickets.repository]: 'Completed',
      [tickets.openSync]: 'In_Progress',
    });
    const gone = { namespace: engineNamespace, name: operationName(tickets.longEnded) };
    expect(await orAbsent(world.client.get(operations, gone))).toBeUndefined();
  });

  it('keeps its Applications, AppProjects and cluster Secrets untouched, and its mark of the version', async () => {
    expect(await versionsOf()).toEqual(objectsBefore);
    expect(await world.database.sql('select * from schema_migrations')).toEqual([{ version: 20, dirty: false }]);
  });

  it('keeps its repository Secret; where projects isolate, it becomes that of its project', async () => {
    const { items } = await world.client.list(secrets, {
      namespace: engineNamespace,
      labelSelector: 'argocd.argoproj.io/secret-type=repository',
    });
    const text = (key: string) => items.map(({ data }) => Buffer.from(data?.[key] ?? '', 'base64').toString());
    expect(text('password')).toEqual(['password']);
    expect(text('project')).toEqual([isolation ? `app-project-${made.teamA.userId}` : '']);
  });

  it('shows the statuses that it showed, and the standard conditions besides', async () => {
    for (const one of [made.app, made.remote, made.other]) {
      const now = await shown(one);
      expect(withoutStandard(now)).toEqual(withoutStandard(one.deployment));
      expect(conditionOf(now, 'Ready')).toMatchObject({ status: 'True' });
    }
    expect(conditionOf(await shown(made.manual), 'Reconciling')).toMatchObject({
      status: 'True',
      message: 'a sync is running',
    });
    expect(await syncReason('ended')).toBe('SyncSucceeded');
  });

  it('goes on with a sync that is open: waits for the one that runs, then syncs, knowing whose it is', async () => {
    const { deployment } = made.manual;
    const patch = (body: unknown): Promise<Application> => deployments.patchApplication(deployment, body);
    const application = async () => (await deployments.application(deployment)) ?? made.manual.application;
    await patch({ operation: null, status: { operationState: { phase: 'Succeeded' } } });
    const { operation } = await eventually('the sync is ordered', async () => {
      const now = await application();
      // Argo CD looks whenever it is asked to.
      if (now.metadata.annotations?.[refreshAnnotation]) {
        await patch({ metadata: { annotations: { [refreshAnnotation]: null } } });
      }
      return now.operation ? now : undefined;
    });
    expect(operation).toMatchObject({ sync: { revision: 'main' }, info: [{ value: made.openSyncId }] });
    const startedAt = '2026-01-31T12:00:00Z';
    await patch({ operation: null, status: { operationState: { operation, phase: 'Succeeded', startedAt } } });
    await eventually('the sync run is done', async () => (await syncReason('open')) === 'SyncSucceeded');
  });

  it('follows what is reported, and what its users change, with the rows that are there', async () => {
    const { deployment } = made.app;
    await deployments.patchApplication(deployment, { status: { health: { status: 'Degraded' } } });
    await deployments.withReason({ namespace: 'team-a', name: 'app' }, 'Ready', 'Degraded');
    const applicationsBefore = await count('application');
    await world.apply(aDeployment({ namespace: 'team-a', path: 'changed' }));
    await eventually('the Application has changed', async () => {
      return (await deployments.application(deployment))?.spec.source?.path === 'changed';
    });
    expect(await count('application')).toBe(applicationsBefore);
  });

  it('takes a new deployment into a namespace that it knows, without a second row for the tenant', async () => {
    const tenants = 'clusteruser';
    const [users, environments] = [await count(tenants), await count('managedenvironment')];
    const fresh = await world.apply(aDeployment({ namespace: 'team-b', name: 'fresh' }));
    const application = await deployments.deployed(fresh);
    expect(application.spec.project).toBe(isolation ? `app-project-${made.teamB.userId}` : 'default');
    expect([await count(tenants), await count('managedenvironment')]).toEqual([users, environments]);
  });

  it('deletes what the original deployed, rows and all', async () => {
    const { deployment, applicationId } = made.other;
    await world.client.delete(gitOpsDeployments, { namespace: 'team-b', name: 'app' });
    await deployments.cleanUp(deployment);
    await eventually(
      'the rows are gone',
      async () =>
        (await count(`deletion where application_id = '${applicationId}'`)) === 0 &&
        (await count(`application where application_id = '${applicationId}'`)) === 0,
    );
    expect(await count(`applicationstate where applicationstate_application_id = '${applicationId}'`)).toBe(0);
    expect(await count(`appprojectrepository where repo_url = 'https://github.com/org/other'`)).toBe(0);
  });
});

describe('a value that the original had taken characters from', () => {
  it('is put right once, in the row and in the Application', async () => {
    const world = await createWorld({ migrated: false });
    try {
      const { app } = await makeOriginal(world);
      const deployments = deploymentsOf(world);
      const ref = { namespace: 'team-a', name: 'app' };
      const path = "what's/50%";
      await world.client.patch(gitOpsDeployments, ref, { type: 'merge', body: { spec: { source: { path } } } });
      await world.start('backend');
      await world.start('agent');
      await eventually(
        'the value arrives as it was written',
        async () => (await deployments.application(app.deployment))?.spec.source?.path === path,
      );
    } finally {
      await world.stop();
    }
  });
});

describe('a database of the original that is not at its last version', () => {
  it.each([
    ['19', 'update schema_migrations set version = 19', /says version 19; only version 20 can be adopted: run/],
    ['21', 'update schema_migrations set version = 21', /says version 21; only version 20 can be adopted/],
    ['20, dirty', 'update schema_migrations set dirty = true', /left half-way \(dirty\).*: mend it/],
  ])('(%s) is refused by a backend that starts, and left as it is', async (_version, change, message) => {
    const world = await createWorld({ migrated: false });
    try {
      await makeOriginalSchema(world);
      await world.database.sql(change);
      await expect(world.start('backend')).rejects.toThrow(message);
      const [book] = await world.database.sql(`select to_regclass('managed_gitops_migrations') as book`);
      expect(book).toEqual({ book: null });
    } finally {
      await world.stop();
    }
  });
});
