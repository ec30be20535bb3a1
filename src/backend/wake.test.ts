// What is notified is looked up, and nothing of it is lost on the way.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Gate } from '../lib/gate.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { silentLog } from '../../test/kit/captured-log.ts';
import { createStepGate, type StepGate } from '../../test/kit/gate.ts';
import { createWake, wakeKey, type Wake } from './wake.ts';

let database: TestDatabase;
let steps: StepGate;
/** The statement that fails; '' for none. */
let failing: string;
let wake: Wake;
let lanes: string[];
let deliveries: number;

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
  // Removed deployments `one` and `two`, and an Operation of each: one has ended, one is new.
  await database.script(`
    insert into clustercredentials (clustercredentials_cred_id, created_on) values ('credentials', now());
    insert into gitopsenginecluster (gitopsenginecluster_id, clustercredentials_id) values ('cluster', 'credentials');
    insert into gitopsengineinstance (gitopsengineinstance_id, namespace_name, namespace_uid, enginecluster_id)
      values ('instance', 'argocd', 'engine-uid', 'cluster');
    insert into clusteruser (clusteruser_id, user_name, created_on) values ('user', 'team-uid', now());
    insert into operation (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on,
        last_state_update, state, delivered_at)
      values ('ended', 'instance', 'application-one', 'user', 'Application', now(), now(), 'Completed', now()),
        ('new', 'instance', 'application-two', 'user', 'Application', now(), now(), 'Waiting', null);
    insert into deletion (deployment_uid, namespace_uid, name, application_id, operation_id, requested_at)
      values ('uid-one', 'team-uid', 'one', 'application-one', 'ended', now()),
        ('uid-two', 'team-uid', 'two', 'application-two', 'new', now())`);
});
beforeEach(() => {
  failing = '';
  steps = createStepGate();
  lanes = [];
  deliveries = 0;
  wake = createWake({
    db: database.database,
    lane: (_kind, key, priority) => void lanes.push(`${priority} ${key}`),
    deliver: () => void (deliveries += 1),
  });
});
afterAll(() => database.drop());

it('wakes the lane of an Operation that has ended, and the delivery of one that has no object yet', async () => {
  wake.operations(['ended', 'new', 'unknown']);
  await openPass();
  expect(lanes).toEqual(['change team-uid/deployment/one']);
  expect(deliveries).toBe(1);
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

it('does so for Operations, too', async () => {
  wake.operations(['new']);
  const first = pass();
  await steps.idle();
  wake.operations(['new']);
  steps.open();
  await first;
  await pass();
  expect(deliveries).toBe(2);
});

it('forgets what it has looked up', async () => {
  wake.everything();
  wake.operations(['ended']);
  await openPass();
  const { length } = lanes;
  await pass();
  expect([lanes.length, deliveries]).toEqual([length, 1]);
});

it('keeps Operations when their look-up fails, and what is heard after that', async () => {
  failing = 'operation-subjects';
  wake.operations(['ended', 'new']);
  await expect(pass()).rejects.toThrow('the database is away');
  wake.operations(['unknown']);
  failing = '';
  await openPass();
  expect(lanes).toEqual(['change team-uid/deployment/one']);
  expect(deliveries).toBe(1);
});

it('keeps the applications of Operations that were looked up when the look-up of those fails', async () => {
  steps.open();
  failing = 'deployment-lanes-of-applications';
  wake.operations(['ended']);
  await expect(pass()).rejects.toThrow('the database is away');
  failing = '';
  await pass();
  expect(lanes).toEqual(['change team-uid/deployment/one']);
});

it('keeps the wish to look at everything when that fails', async () => {
  steps.open();
  failing = 'deployment-lanes';
  wake.everything();
  await expect(pass()).rejects.toThrow('the database is away');
  failing = '';
  await pass();
  expect(lanes.toSorted()).toEqual(['resync team-uid/deployment/one', 'resync team-uid/deployment/two']);
  expect(deliveries).toBe(1);
});
