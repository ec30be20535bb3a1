// What is notified is looked up, and nothing of it is lost on the way.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { OperationEvent } from '../db/operation-event.ts';
import type { Gate } from '../lib/gate.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { silentLog } from '../../test/kit/captured-log.ts';
import { createStepGate, type StepGate } from '../../test/kit/gate.ts';
import type { Lane } from './lane.ts';
import { createWake, wakeKey, type Wake } from './wake.ts';

let database: TestDatabase;
let steps: StepGate;
/** The statement that fails; '' for none. */
let failing: string;
let wake: Wake;
let lanes: string[];
let deliveries: number;
let cleanUps: number;
let lookUps: number;
let known: Map<string, Lane>;

const event = (deployment: string, state: OperationEvent['state']): OperationEvent => ({
  id: `operation-${deployment}`,
  type: 'Application',
  resourceId: `application-${deployment}`,
  state,
  instanceId: 'instance',
  ownerId: 'user',
});
const gate: Gate = (call, run) =>
  call.name === failing ? Promise.reject(new Error('the database is away')) : steps.of('wake')(call, run);
const pass = () => wake.reconcile(wakeKey, { signal: new AbortController().signal, log: silentLog, runId: '00000000' });
/** A pass whose calls all go through. */
const openPass = async () => {
  steps.open();
  await pass();
};

beforeAll(async () => {
  database = await createTestDatabase({ gate });
  // Removed deployments `one` and `two`, and a sync run `run`.
  await database.script(`
    insert into clustercredentials (clustercredentials_cred_id, created_on) values ('credentials', now());
    insert into gitopsenginecluster (gitopsenginecluster_id, clustercredentials_id) values ('cluster', 'credentials');
    insert into gitopsengineinstance (gitopsengineinstance_id, namespace_name, namespace_uid, enginecluster_id)
      values ('instance', 'argocd', 'engine-uid', 'cluster');
    insert into clusteruser (clusteruser_id, user_name, created_on) values ('user', 'team-uid', now());
    insert into apicrtodatabasemapping (api_resource_type, api_resource_uid, api_resource_name, api_resource_namespace,
        api_resource_namespace_uid, db_relation_type, db_relation_key)
      values ('GitOpsDeploymentSyncRun', 'uid-run', 'run', 'team', 'team-uid', 'SyncOperation', 'sync-one');
    insert into deletion (deployment_uid, namespace_uid, name, application_id, operation_id, requested_at)
      values ('uid-one', 'team-uid', 'one', 'application-one', 'ended', now()),
        ('uid-two', 'team-uid', 'two', 'application-two', 'new', now())`);
});
beforeEach(() => {
  failing = '';
  steps = createStepGate();
  lanes = [];
  deliveries = 0;
  cleanUps = 0;
  lookUps = 0;
  known = new Map();
  wake = createWake({
    db: database.database,
    lane: (_kind, key, { priority, afterMs }) =>
      void lanes.push(`${priority} ${key}${afterMs ? ` in ${afterMs} ms` : ''}`),
    laneOfApplication: (id) => known.get(id),
    deliver: () => void (deliveries += 1),
    cleanUp: () => void (cleanUps += 1),
    lookUp: () => void (lookUps += 1),
  });
});
afterAll(() => database.drop());

it('wakes the lane of an Operation that has ended, and the delivery of one that is new', async () => {
  wake.operations([event('one', 'Failed'), event('two', 'Waiting')]);
  await openPass();
  expect(lanes).toEqual(['change team-uid/deployment/one']);
  expect(deliveries).toBe(1);
});

it('asks nobody about an application that a pass has met, and gives Argo CD time to report what has succeeded', () => {
  known.set('application-one', { namespaceUid: 'team-uid', name: 'one' });
  wake.operations([event('one', 'Completed')]);
  wake.applications(['application-one']);
  expect(lanes).toEqual(['change team-uid/deployment/one in 100 ms', 'change team-uid/deployment/one']);
  expect(lookUps).toBe(0);
});

it('wakes the lane of the sync run whose Operation has ended', async () => {
  wake.operations([{ ...event('sync', 'Completed'), type: 'SyncOperation', resourceId: 'sync-one' }]);
  await openPass();
  expect(lanes).toEqual(['change team-uid/sync/run']);
});

it('has clusters cleaned up once Argo CD has let go of an environment', () => {
  wake.operations([{ ...event('gone', 'In_Progress'), type: 'ManagedEnvironment' }]);
  wake.operations([{ ...event('gone', 'Completed'), type: 'ManagedEnvironment' }]);
  expect(cleanUps).toBe(1);
});

it('looks up again what is heard once more while it is looked up: the answer may be older', async () => {
  wake.applications(['application-one']);
  const first = pass();
  await steps.idle();
  expect(steps.waiting()).toMatchObject([{ name: 'deployment-lanes-of-applications' }]);
  wake.applications(['application-one', 'application-two']);
  steps.open();
  await first;
  expect(lanes).toEqual(['change team-uid/deployment/one']);
  await pass();
  expect(lanes.slice(1).toSorted()).toEqual(['change team-uid/deployment/one', 'change team-uid/deployment/two']);
});

it('forgets what it has looked up', async () => {
  wake.everything();
  wake.operations([event('one', 'Failed')]);
  await openPass();
  const { length } = lanes;
  await pass();
  expect([lanes.length, deliveries]).toEqual([length, 1]);
});

it('keeps applications and syncs when their look-up fails, and what is heard after that', async () => {
  steps.open();
  wake.operations([
    event('one', 'Failed'),
    { ...event('sync', 'Failed'), type: 'SyncOperation', resourceId: 'sync-one' },
  ]);
  for (const statement of ['deployment-lanes-of-applications', 'sync-run-lanes']) {
    failing = statement;
    await expect(pass()).rejects.toThrow('the database is away');
  }
  wake.applications(['application-two']);
  failing = '';
  await pass();
  expect(lanes.toSorted()).toEqual([
    'change team-uid/deployment/one',
    'change team-uid/deployment/two',
    'change team-uid/sync/run',
  ]);
});

it('keeps the wish to look at everything when that fails', async () => {
  steps.open();
  failing = 'deployment-lanes';
  wake.everything();
  await expect(pass()).rejects.toThrow('the database is away');
  failing = '';
  await pass();
  expect(lanes.toSorted()).toEqual([
    'resync team-uid/deployment/one',
    'resync team-uid/deployment/two',
    'resync team-uid/sync/run',
  ]);
  expect(deliveries).toBe(1);
});
