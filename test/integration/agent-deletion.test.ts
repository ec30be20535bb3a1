// Removal of Applications: it never holds anything else up, waits for no sync, and says what it waits for.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { applicationFinalizer, deploymentFinalizer } from '../../src/api/labels.ts';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../kit/agent-rows.ts';
import { aDeployment, conditionOf, deploymentsOf, orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

let world: World;
let rows: AgentRows;
let tenant: TenantRow;

const refOf = ({ name }: Pick<ApplicationRows, 'name'>) => ({ namespace: engineNamespace, name });
const find = (app: ApplicationRows) => orAbsent(world.client.get(applications, refOf(app)));
const patch = (app: ApplicationRows, body: unknown) =>
  world.client.patch(applications, refOf(app), { type: 'merge', body });
const made = async (): Promise<ApplicationRows> => {
  const app = await rows.application(tenant, specText());
  await rows.carriedOut(tenant, app.id);
  return app;
};
/** Removes the row and orders what follows from that. */
const removeRow = async (app: ApplicationRows): Promise<string> => {
  await world.database.sql(`delete from application where application_id = '${app.id}'`);
  return rows.order(tenant, app.id);
};
const deleting = (app: ApplicationRows): Promise<Application> =>
  eventually('it is being deleted', async () => {
    const found = await find(app);
    return found?.metadata.deletionTimestamp ? found : undefined;
  });
const letGo = (app: ApplicationRows) => patch(app, { metadata: { finalizers: null } });
const message = async (ticket: string) => (await rows.ticket(ticket))?.human_readable_state ?? '';

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
  tenant = await rows.tenant('team');
  await rows.permit(tenant, 'https://github.com/org/repo');
  await world.start('agent', { flags: { concurrency: '4' } });
});
afterAll(() => world.stop());

describe('an Application whose row is gone', () => {
  it('is deleted with what it deployed, and the Operation ends when it is gone, not before', async () => {
    const app = await made();
    const ticket = await removeRow(app);
    expect((await deleting(app)).metadata.finalizers).toEqual([applicationFinalizer]);
    expect((await rows.ticket(ticket))?.state).toBe('In_Progress');
    await letGo(app);
    expect(await rows.ended(ticket)).toEqual({ state: 'Completed', human_readable_state: null });
    expect(await find(app)).toBeUndefined();
  });

  it('keeps the finalizer that somebody else chose for what it deployed', async () => {
    const app = await made();
    await patch(app, { metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] } });
    const ticket = await removeRow(app);
    expect((await deleting(app)).metadata.finalizers).toEqual(['resources-finalizer.argocd.argoproj.io']);
    await letGo(app);
    await rows.ended(ticket);
  });

  it('has its running sync ended first', async () => {
    const app = await made();
    await patch(app, {
      operation: { sync: {} },
      status: { operationState: { phase: 'Running', startedAt: '2026-01-02T03:04:05Z', operation: { sync: {} } } },
    });
    const ticket = await removeRow(app);
    expect((await deleting(app)).status?.operationState?.phase).toBe('Terminating');
    await letGo(app);
    await rows.ended(ticket);
  });

  it('has a sync that was not begun taken back first', async () => {
    const app = await made();
    await patch(app, { operation: { sync: {} } });
    const ticket = await removeRow(app);
    expect((await deleting(app)).operation).toBeUndefined();
    await letGo(app);
    await rows.ended(ticket);
  });

  it('is found by its label, and one with another label is left alone', async () => {
    const app = await made();
    const other = await made();
    const ticket = await removeRow(app);
    await deleting(app);
    await letGo(app);
    await rows.ended(ticket);
    expect((await find(other))?.metadata.deletionTimestamp).toBeUndefined();
  });

  const label = (app: ApplicationRows, databaseID: string | null) =>
    patch(app, { metadata: { labels: { databaseID } } });
  const noteDeletion = ({ id, name }: ApplicationRows) =>
    world.database.sql(`insert into deletion
      (deployment_uid, namespace_uid, name, application_id, operation_id, requested_at)
      values ('${name.replace('gitopsdepl-', '')}', 'team', 'app', '${id}', '', now())`);

  it.each([
    ['has lost its label', null],
    ['has a label that is no row', 'nobody'],
  ])('is found by the name of the deployment that went when it %s', async (_what, changed) => {
    const app = await made();
    await label(app, changed);
    await noteDeletion(app);
    const ticket = await removeRow(app);
    await deleting(app);
    await letGo(app);
    expect((await rows.ended(ticket)).state).toBe('Completed');
    expect(await find(app)).toBeUndefined();
  });

  it('is left alone when its label is that of another row', async () => {
    const app = await made();
    const other = await rows.application(tenant, specText());
    await world.database.sql(`delete from application where application_id = '${app.id}'`);
    await label(app, other.id); // while it has a row, its label is put right
    await noteDeletion(app);
    expect((await rows.ended(await rows.order(tenant, app.id))).state).toBe('Completed');
    expect((await find(app))?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('that never was leaves nothing to do', async () => {
    expect((await rows.carriedOut(tenant, 'never-was')).state).toBe('Completed');
  });

  it('does not hold up others, be it twenty that can not end', async () => {
    const stuck: ApplicationRows[] = [];
    for (let nth = 0; nth < 20; nth += 1) stuck.push(await made());
    await Promise.all(stuck.map((app) => patch(app, { metadata: { finalizers: ['example.com/never'] } })));
    const tickets = await Promise.all(stuck.map((app) => removeRow(app)));
    await Promise.all(stuck.map((app) => deleting(app)));
    const other = await made();
    const removed = await removeRow(other);
    await deleting(other);
    await letGo(other);
    expect((await rows.ended(removed)).state).toBe('Completed');
    for (const ticket of tickets) expect((await rows.ticket(ticket))?.state).toBe('In_Progress');
    expect((await find(stuck[0] ?? other))?.metadata.finalizers, 'never stripped').toContain('example.com/never');
    await Promise.all(stuck.map((app) => letGo(app)));
    await Promise.all(tickets.map((ticket) => rows.ended(ticket)));
  });

  it('is asked for again by a restarted agent, which finds the Operation in progress', async () => {
    const app = await made();
    const ticket = await removeRow(app);
    await deleting(app);
    await letGo(app);
    await rows.ended(ticket);
    await world.database.sql(`update operation set state = 'In_Progress' where operation_id = '${ticket}'`);
    const second = await world.start('agent');
    await second.process.stop();
    await eventually('it has ended', async () => (await rows.carriedOut(tenant, app.id)).state === 'Completed');
    expect((await rows.ended(ticket)).state).toBe('Completed');
  });
});

describe('a deletion that does not get on', () => {
  it('names the finalizer, the objects and the words of Argo CD that it waits for', async () => {
    const app = await made();
    await patch(app, {
      metadata: { finalizers: ['example.com/slow'] },
      status: {
        resources: [{ kind: 'PersistentVolumeClaim', namespace: 'team', name: 'data' }],
        conditions: [{ type: 'DeletionError', message: 'no permission' }],
      },
    });
    const ticket = await removeRow(app);
    // Time passes without an event; any change of the object has the agent look again.
    await deleting(app);
    await eventually('it says what blocks', async () => {
      await patch(app, { metadata: { annotations: { looked: String(performance.now()) } } });
      return (await message(ticket)) !== '';
    });
    expect(await message(ticket)).toBe(
      `deletion waits for Argo CD says: no permission; finalizers example.com/slow of Application ${app.name}; ` +
        'deployed objects PersistentVolumeClaim team/data',
    );
    await letGo(app);
    expect(await rows.ended(ticket)).toEqual({ state: 'Completed', human_readable_state: null });
  });
});

describe('with a backend, which takes over the rows of the engine that it finds', () => {
  it('the user reads in the status what blocks the deletion', async () => {
    const deployments = deploymentsOf(world);
    await world.start('backend');
    await world.createNamespace('blocked');
    const ref = { namespace: 'blocked', name: 'app' };
    const deployment = await world.apply(aDeployment({ ...ref, finalizer: true }));
    await deployments.deployed(deployment);
    await deployments.patchApplication(deployment, { metadata: { finalizers: ['example.com/slow'] } });
    await world.client.delete(gitOpsDeployments, ref);
    const shown = await eventually('it says what blocks', async () => {
      await deployments.patchApplication(deployment, { metadata: { annotations: { at: String(performance.now()) } } });
      const found = await deployments.get(ref);
      return conditionOf(found, 'Reconciling')?.reason === 'DeletionBlocked' ? found : undefined;
    });
    expect(conditionOf(shown, 'Reconciling')?.message).toContain(
      'finalizers example.com/slow of Application gitopsdepl-',
    );
    expect(conditionOf(shown, 'ErrorOccurred')).toBeUndefined();
    expect(shown.metadata.finalizers).toEqual([deploymentFinalizer]);
    await deployments.patchApplication(deployment, { metadata: { finalizers: null } });
    await eventually('it is gone', async () => !(await deployments.get(ref)));
    await eventually('the project is gone', async () => {
      const { items } = await world.client.list(appProjects, { namespace: engineNamespace });
      return items.every(({ metadata }) => metadata.name === `app-project-${tenant.id}`);
    });
  });
});
