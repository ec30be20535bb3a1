// A manual deployment is synced by a GitOpsDeploymentSyncRun: the whole way, and the order of several.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gitOpsDeploymentSyncRuns } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { namespaces } from '../../src/kube/object.ts';
import { aDeployment, deploymentsOf, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import {
  argoCdFor,
  aSyncRun,
  syncConditionOf,
  syncRunsOf,
  type SteppedArgoCd,
  type SyncRuns,
} from '../kit/sync-runs.ts';
import { createWorld, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let syncRuns: SyncRuns;
let deployment: GitOpsDeployment;
let argoCd: SteppedArgoCd;
let namespace: string;
let count = 0;

const ref = (name = 'sync') => ({ namespace, name });
const order = (name = 'sync', revision?: string) =>
  syncRuns.create(aSyncRun({ namespace, name, ...(revision !== undefined && { revision }) }));
const remove = (name = 'sync') => world.client.delete(gitOpsDeploymentSyncRuns, ref(name));
const change = (spec: unknown, name = 'sync') =>
  world.client.patch(gitOpsDeploymentSyncRuns, ref(name), { type: 'merge', body: { spec } });
interface Row {
  readonly revision: string;
  readonly desired_state: string;
  readonly application_id: string | null;
  readonly name: string;
}
/** Syncs of this test's namespace. */
const rows = (): Promise<readonly Row[]> =>
  world.database.sql<Row>(`
    select s.revision, s.desired_state, s.application_id, m.api_resource_name as name
    from syncoperation s join apicrtodatabasemapping m on m.db_relation_key = s.syncoperation_id
    where m.api_resource_namespace = '${namespace}' order by s.seq_id`);
const operations = () => world.database.sql(`select 1 from operation where resource_type = 'SyncOperation'`);
const gone = (name: string) =>
  eventually(`the rows of ${name} are gone`, async () => {
    const left = await rows();
    if (left.some((row) => row.name === name)) throw new Error(JSON.stringify(left));
    return true;
  });

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  syncRuns = syncRunsOf(world);
  await world.start('backend');
  await world.start('agent');
});
beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
  deployment = await world.apply(aDeployment({ namespace, type: 'manual', syncOptions: ['CreateNamespace=true'] }));
  await deployments.deployed(deployment);
  argoCd = argoCdFor(world, deployment);
});
afterAll(() => world.stop());

describe('a sync run', () => {
  it('has Argo CD refresh, then sync to its revision with the sync options of the deployment', async () => {
    await order('sync', 'v1.2');
    const refreshed = await argoCd.refresh();
    expect(refreshed.operation).toBeUndefined();
    const { operation } = await argoCd.begin();
    const [row] = await rows();
    expect(row).toMatchObject({ revision: 'v1.2', desired_state: 'Running' });
    expect(operation).toMatchObject({
      info: [{ name: 'syncoperation', value: expect.stringMatching(/^[0-9a-f-]{36}$/) }],
      sync: { revision: 'v1.2', syncStrategy: { hook: {} }, syncOptions: ['CreateNamespace=true'] },
    });
    await argoCd.end('Succeeded');
    const done = await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
    expect(syncConditionOf(done, 'ErrorOccurred')).toMatchObject({ status: 'False', reason: '', message: '' });
    expect(syncConditionOf(done, 'Ready')).toMatchObject({ status: 'True', message: 'synced to v1.2' });
    await eventually('its Operation is collected', async () => (await operations()).length === 0);
    expect(await rows()).toHaveLength(1);
  });

  it("without a revision goes to the deployment's own", async () => {
    await order();
    const { operation } = await argoCd.sync();
    expect(operation?.sync).not.toHaveProperty('revision');
    await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
    expect(await rows()).toMatchObject([{ revision: '' }]);
  });

  it('says what Argo CD said when the sync fails, and is not tried again', async () => {
    await order('sync', 'HEAD');
    await argoCd.refresh();
    await argoCd.begin();
    await syncRuns.withMessage(ref(), 'Ready', 'the sync has been ordered');
    await argoCd.end('Failed', { message: 'one or more objects failed to apply' });
    const message = 'operation has completed with phase: Failed and message: one or more objects failed to apply';
    const failed = await syncRuns.withMessage(ref(), 'ErrorOccurred', message);
    expect(syncConditionOf(failed, 'ErrorOccurred')).toMatchObject({ status: 'True', reason: 'ErrorOccurred' });
    expect(syncConditionOf(failed, 'Stalled')).toMatchObject({ status: 'True', reason: 'SyncFailed', message });
    await world.quiet();
    expect((await deployments.application(deployment))?.operation).toBeUndefined();
  });

  it('fails when objects that left the repository are still there', async () => {
    await order();
    await argoCd.refresh();
    await argoCd.begin();
    const unpruned = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name: 'old', status: 'PruneSkipped' };
    await argoCd.end('Succeeded', { resources: [unpruned, { ...unpruned, name: 'older' }] });
    await syncRuns.withMessage(ref(), 'ErrorOccurred', '2 resources require pruning');
  });

  it('waits for a sync that somebody else has started, and is not taken for it', async () => {
    const operation = { initiatedBy: { username: 'admin' }, sync: { revision: 'other' } };
    await deployments.patchApplication(deployment, { operation });
    await argoCd.begin();
    await order();
    const name = (await deployments.application(deployment))?.metadata.name ?? '';
    await syncRuns.withMessage(ref(), 'Ready', `waiting for another sync of Application ${name} to end`);
    await argoCd.end('Succeeded');
    await argoCd.sync();
    await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
  });

  it('of an automated deployment is refused until the deployment is manual', async () => {
    await world.apply(aDeployment({ namespace, type: 'automated' }));
    await order();
    const message =
      "invalid GitOpsDeploymentSyncRun 'sync'. Syncing a GitOpsDeployment with Automated sync policy is not allowed";
    await syncRuns.withMessage(ref(), 'ErrorOccurred', message);
    expect(await rows()).toEqual([]);
    await world.apply(aDeployment({ namespace, type: 'manual' }));
    await argoCd.sync();
    const done = await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
    expect(syncConditionOf(done, 'ErrorOccurred')).toMatchObject({ status: 'False', message: '' });
  });

  it('cannot be turned to another deployment or revision once it is ordered', async () => {
    await order('sync', 'v1');
    await argoCd.sync();
    await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
    await change({ revisionID: 'v2' });
    const revisionText = 'revision change is not supported: changing it from its initial value is not supported';
    await syncRuns.withMessage(ref(), 'ErrorOccurred', revisionText);
    await world.apply(aDeployment({ namespace, name: 'other', type: 'manual' }));
    await change({ gitopsDeploymentName: 'other' });
    const nameText = 'deployment name field is immutable: changing it from its initial value is not supported';
    await syncRuns.withMessage(ref(), 'ErrorOccurred', nameText);
    await change({ gitopsDeploymentName: 'no-such' });
    const missing = "Unable to retrieve GitOpsDeployment 'no-such' referenced by the GitOpsDeploymentSyncRun";
    await syncRuns.withMessage(ref(), 'ErrorOccurred', missing);
    await change({ gitopsDeploymentName: 'app', revisionID: 'v1' });
    await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
    expect(await rows()).toMatchObject([{ revision: 'v1', desired_state: 'Running' }]);
  });

  it('still says so when its sync ends after the change', async () => {
    await order('sync', 'v1');
    await argoCd.refresh();
    await argoCd.begin();
    await change({ revisionID: 'v2' });
    const text = 'revision change is not supported: changing it from its initial value is not supported';
    await syncRuns.withMessage(ref(), 'ErrorOccurred', text);
    await argoCd.end('Succeeded');
    await eventually('its Operation is collected', async () => (await operations()).length === 0);
    await world.quiet();
    await syncRuns.withMessage(ref(), 'ErrorOccurred', text);
  });
});

describe('deleting a sync run', () => {
  it('ends its sync when it runs, and leaves nothing', async () => {
    await order();
    await argoCd.refresh();
    await argoCd.begin();
    await remove();
    await argoCd.terminate();
    await gone('sync');
    await eventually('no Operation is left', async () => (await operations()).length === 0);
  });

  it('takes back a sync that Argo CD has not begun', async () => {
    await order();
    await argoCd.refresh();
    await eventually('it is ordered', async () => (await deployments.application(deployment))?.operation !== undefined);
    await remove();
    await gone('sync');
    expect((await deployments.application(deployment))?.operation).toBeUndefined();
  });

  it('of a finished one removes its rows without a word to Argo CD, and ends no later sync', async () => {
    await order('first');
    await argoCd.sync();
    await syncRuns.withReason(ref('first'), 'Ready', 'SyncSucceeded');
    await order('second');
    await argoCd.refresh();
    await argoCd.begin();
    await remove('first');
    await gone('first');
    expect((await deployments.application(deployment))?.status?.operationState?.phase).toBe('Running');
    await argoCd.end('Succeeded');
    await syncRuns.withReason(ref('second'), 'Ready', 'SyncSucceeded');
  });

  it('begins at once, also while a finalizer holds the object', async () => {
    await syncRuns.create(aSyncRun({ namespace, finalizers: ['example.com/held'] }));
    await argoCd.refresh();
    await argoCd.begin();
    await remove();
    const ending = await syncRuns.withMessage(ref(), 'Ready', 'the sync is being ended');
    expect(syncConditionOf(ending, 'Reconciling')).toMatchObject({ status: 'True', reason: 'Syncing' });
    await argoCd.terminate();
    await gone('sync');
    await syncRuns.withReason(ref(), 'Ready', 'DeletionBlocked');
    const body = { metadata: { finalizers: null } };
    await world.client.patch(gitOpsDeploymentSyncRuns, ref(), { type: 'merge', body });
  });

  it('and making it again under the same name is a new sync, after the old one has ended', async () => {
    await order('sync', 'old');
    await argoCd.refresh();
    await argoCd.begin();
    await remove();
    await order('sync', 'new');
    await argoCd.terminate();
    const { operation } = await argoCd.sync();
    expect(operation?.sync?.revision).toBe('new');
    await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
    expect(await rows()).toMatchObject([{ revision: 'new' }]);
  });

  it('happens with its namespace', async () => {
    await order();
    await argoCd.refresh();
    await argoCd.begin();
    await world.client.delete(namespaces, { name: namespace });
    await gone('sync');
  });
});

describe('several sync runs', () => {
  it('of one deployment follow one another in the order in which they were made; a failed one holds up none', async () => {
    for (const name of ['a', 'b', 'c']) await order(name, name);
    const seen: (string | undefined)[] = [];
    for (const phase of ['Succeeded', 'Failed', 'Succeeded']) {
      await argoCd.refresh();
      seen.push((await argoCd.begin()).operation?.sync?.revision);
      expect(
        (
          await world.database.sql(`select 1 from syncoperation where ended_at is null
        and application_id = (select application_id from application where name like '%${deployment.metadata.uid ?? ''}')`)
        ).length,
      ).toBe(1);
      await argoCd.end(phase, { message: 'so' });
    }
    expect(seen).toEqual(['a', 'b', 'c']);
    await syncRuns.withReason(ref('a'), 'Ready', 'SyncSucceeded');
    await syncRuns.withReason(ref('b'), 'Ready', 'SyncFailed');
    await syncRuns.withReason(ref('c'), 'Ready', 'SyncSucceeded');
  });

  it('say whose turn it is, and go on when the one before them is deleted', async () => {
    await order('a');
    await argoCd.refresh();
    await argoCd.begin();
    await order('b');
    const text = "waiting for an earlier GitOpsDeploymentSyncRun of GitOpsDeployment 'app' to end";
    await syncRuns.withMessage(ref('b'), 'Ready', text);
    await remove('a');
    await argoCd.terminate();
    await argoCd.sync();
    await syncRuns.withReason(ref('b'), 'Ready', 'SyncSucceeded');
  });

  it('of two deployments sync side by side', async () => {
    const other = await world.apply(aDeployment({ namespace, name: 'other', type: 'manual' }));
    await deployments.deployed(other);
    await order('a');
    await syncRuns.create(aSyncRun({ namespace, name: 'b', deployment: 'other' }));
    const otherArgoCd = argoCdFor(world, other);
    await argoCd.refresh();
    await argoCd.begin();
    await otherArgoCd.sync();
    await syncRuns.withReason(ref('b'), 'Ready', 'SyncSucceeded');
    await argoCd.end('Succeeded');
    await syncRuns.withReason(ref('a'), 'Ready', 'SyncSucceeded');
  });
});

describe('a sync run and its deployment', () => {
  it('may come in any order: the sync run waits, without an error', async () => {
    await syncRuns.create(aSyncRun({ namespace, deployment: 'later' }));
    const waits = await syncRuns.withReason(ref(), 'Ready', 'WaitingForDeployment');
    expect(syncConditionOf(waits, 'ErrorOccurred')).toBeUndefined();
    const later = await world.apply(aDeployment({ namespace, name: 'later', type: 'manual' }));
    await argoCdFor(world, later).sync();
    await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
  });

  it('that is deleted while it syncs ends with its deployment', async () => {
    await order();
    await argoCd.refresh();
    await argoCd.begin();
    await world.client.delete(gitOpsDeployments, { namespace, name: 'app' });
    await deployments.cleanUp(deployment);
    const missing = "Unable to retrieve GitOpsDeployment 'app' referenced by the GitOpsDeploymentSyncRun";
    await syncRuns.withMessage(ref(), 'ErrorOccurred', missing);
    expect(await rows()).toMatchObject([{ application_id: null }]);
    await remove();
    await gone('sync');
    await eventually('no Operation is left', async () => (await operations()).length === 0);
  });

  it('whose source changes while it syncs has the sync ended, and says so: the next one syncs the new source', async () => {
    await order();
    await argoCd.refresh();
    await argoCd.begin();
    await world.apply(aDeployment({ namespace, type: 'manual', path: 'changed' }));
    await argoCd.terminate();
    const message = 'operation has completed with phase: Failed and message: Operation terminated';
    await syncRuns.withMessage(ref(), 'ErrorOccurred', message);
    await order('again');
    expect((await argoCd.sync()).spec.source?.path).toBe('changed');
    await syncRuns.withReason(ref('again'), 'Ready', 'SyncSucceeded');
  });

  it('whose type changes while it syncs is not disturbed', async () => {
    await order();
    await argoCd.refresh();
    await argoCd.begin();
    await world.apply(aDeployment({ namespace, type: 'automated' }));
    await eventually('it is automated', async () =>
      Boolean((await deployments.application(deployment))?.spec.syncPolicy?.automated),
    );
    await argoCd.end('Succeeded');
    await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
  });

  it('whose last change cannot be carried out is not synced as it was: the sync waits for a right one', async () => {
    await world.apply(aDeployment({ namespace, type: 'manual', path: '/' }));
    await order();
    const text = "waiting until the last change of GitOpsDeployment 'app' has been carried out";
    await syncRuns.withMessage(ref(), 'Ready', text);
    expect(await rows()).toEqual([]);
    await world.apply(aDeployment({ namespace, type: 'manual', path: 'mended' }));
    expect((await argoCd.sync()).spec.source?.path).toBe('mended');
    await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
  });

  it('that is deleted and made again has its sync run wait for the new one, and sync that', async () => {
    await world.client.delete(gitOpsDeployments, { namespace, name: 'app' });
    const again = await world.apply(aDeployment({ namespace, type: 'manual', path: 'again' }));
    await order();
    await eventually('the old one is being removed', async () =>
      Boolean((await deployments.application(deployment))?.metadata.deletionTimestamp),
    );
    // At once: the deployment's next pass then finds the old one gone, and makes the new rows.
    await deployments.cleanUp(deployment);
    expect((await argoCdFor(world, again).sync()).spec.source?.path).toBe('again');
    await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
  });

  it('that was changed just before syncs what the deployment asks for now', async () => {
    await world.apply(aDeployment({ namespace, type: 'manual', path: 'changed' }));
    await order();
    const ordered = await argoCd.sync();
    expect(ordered.spec.source?.path).toBe('changed');
    await syncRuns.withReason(ref(), 'Ready', 'SyncSucceeded');
  });
});
