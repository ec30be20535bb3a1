// Operations: how intent reaches the agent once, however often it changes, and what becomes of the tickets.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applications } from '../../src/api/argocd/application.ts';
import { operationName, redeliveredAtAnnotation } from '../../src/api/labels.ts';
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import { systemRandom } from '../../src/lib/random.ts';
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
let agent: RunningHalf;
let backend: RunningHalf;
let deployment: GitOpsDeployment;
let applicationId: string;
let ref: { namespace: string; name: string };
let count = 0;

interface Ticket {
  readonly operation_id: string;
  readonly state: string;
  readonly human_readable_state: string | null;
  readonly delivered_at: string | null;
}
const tickets = (): Promise<Ticket[]> =>
  world.database.sql<Ticket>(`select * from operation where resource_id = '${applicationId}' order by seq_id`);
const objectOf = (id: string) =>
  orAbsent(world.client.get(operations, { namespace: engineNamespace, name: operationName(id) }));
const noTickets = () => eventually('every ticket is collected', async () => (await tickets()).length === 0);
const stopAgent = () => agent.process.stop();
const startAgent = async () => {
  agent = await world.start('agent');
};
/** A row as another program writes it, and its object: without a key of ours. */
const writeForeign = async (type: string, resourceId: string, state = 'Waiting'): Promise<string> => {
  const id = systemRandom.uuid();
  await world.database.sql(`
    insert into operation (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on,
      last_state_update, state)
    select '${id}', gitopsengineinstance_id, '${resourceId}', (select clusteruser_id from clusteruser order by seq_id
      limit 1), '${type}', now(), now(), '${state}' from gitopsengineinstance`);
  await world.client.create(operations, {
    apiVersion: 'managed-gitops.redhat.com/v1alpha1',
    kind: 'Operation',
    metadata: { name: operationName(id), namespace: engineNamespace },
    spec: { operationID: id },
  });
  return id;
};
const foreign = async (id: string): Promise<Ticket | undefined> =>
  (await world.database.sql<Ticket>(`select * from operation where operation_id = '${id}'`))[0];

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  backend = await world.start('backend');
  await startAgent();
});
beforeEach(async () => {
  ref = { namespace: `team-${(count += 1)}`, name: 'app' };
  await world.createNamespace(ref.namespace);
  deployment = await world.apply(aDeployment(ref));
  const application = await deployments.deployed(deployment);
  applicationId = application.metadata.labels?.['databaseID'] ?? '';
  await noTickets();
});
afterAll(() => world.stop());

describe('while the agent is down', () => {
  it('any number of changes wait as one Operation, and the agent then sees the newest only', async () => {
    await stopAgent();
    for (const path of ['one', 'two', 'three']) {
      await world.apply(aDeployment({ ...ref, path }));
      await eventually('it is in the rows', async () => {
        const rows = await world.database.sql(
          `select 1 from application where application_id = '${applicationId}' and spec_field like '%path: ${path}%'`,
        );
        return rows.length === 1;
      });
    }
    expect(await tickets()).toMatchObject([{ state: 'Waiting' }]);
    const generation = (await deployments.application(deployment))?.metadata.generation ?? 0;
    await startAgent();
    await noTickets();
    const application = await deployments.application(deployment);
    expect(application?.spec.source?.path).toBe('three');
    expect(application?.metadata.generation).toBe(generation + 1);
  });

  it('an Operation that nobody takes is shown again by a touch of its object', async () => {
    await stopAgent();
    await world.apply(aDeployment({ ...ref, path: 'waits' }));
    const [ticket] = await eventually('it is delivered', async () => {
      const found = await tickets();
      return found[0]?.delivered_at ? found : undefined;
    });
    const object = await eventually('it is touched', async () => {
      const found = await objectOf(ticket?.operation_id ?? '');
      return found?.metadata.annotations?.[redeliveredAtAnnotation] ? found : undefined;
    });
    expect(Date.parse(object.metadata.annotations?.[redeliveredAtAnnotation] ?? '')).toBeGreaterThan(0);
    await startAgent();
    await noTickets();
    expect(await objectOf(ticket?.operation_id ?? '')).toBeUndefined();
  });
});

describe('a failed Operation', () => {
  const damage = (text: string) =>
    world.database.sql(`update application set spec_field = '${text}' where application_id = '${applicationId}'`);

  const haveEnded = async () => (await tickets()).every(({ state }) => state === 'Failed' || state === 'Completed');

  it('shows its message to the user and stays, with its object, until a later one succeeds', async () => {
    await world.quiet();
    await damage('][ no yaml');
    const id = await writeForeign('Application', applicationId);
    await eventually('it has failed', async () => (await foreign(id))?.state === 'Failed');
    const failed = await deployments.withReason(ref, 'ErrorOccurred', 'ErrorOccurred');
    const message = (await foreign(id))?.human_readable_state ?? '';
    expect(message).toMatch(/^the application's row can't be read: /);
    expect(conditionOf(failed, 'ErrorOccurred')?.message).toBe(message);
    // The damaged text also differs from what is wanted, which the next pass mends.
    await deployments.withReason(ref, 'ErrorOccurred', 'ErrorOccurredResolved');
    const mended = await deployments.get(ref);
    expect(conditionOf(mended, 'Stalled')?.status).toBe('False');
    expect((await foreign(id))?.state, 'the row of another is kept').toBe('Failed');
  });

  it('of ours is kept, although it failed before its object was made, and is tried again', async () => {
    await backend.process.stop();
    backend = await world.start('backend', {
      flags: { 'retry-failed': '500ms', resync: '200ms' },
      gate: async (call, run) => {
        if (call.name.startsWith('POST operations')) await eventually('it has ended', haveEnded);
        return run();
      },
    });
    const uid = await engineUid();
    await world.database.sql(`update gitopsengineinstance set namespace_uid = 'another'`);
    await world.apply(aDeployment({ ...ref, path: 'refused' }));
    const failed = await deployments.withReason(ref, 'Stalled', 'OperationFailed');
    expect(conditionOf(failed, 'ErrorOccurred')).toMatchObject({
      status: 'True',
      message: expect.stringContaining('is not the one that this Operation was meant for'),
    });
    const [first] = await tickets();
    expect(first).toMatchObject({ state: 'Failed' });
    await eventually('it is tried again, and only the last failure is kept', async () => {
      const found = await tickets();
      return found.length === 1 && found[0]?.state === 'Failed' && found[0].operation_id !== first?.operation_id;
    });
    await world.database.sql(`update gitopsengineinstance set namespace_uid = '${uid}'`);
    await noTickets();
    expect((await deployments.application(deployment))?.spec.source?.path).toBe('refused');
    const mended = await deployments.withReason(ref, 'ErrorOccurred', 'ErrorOccurredResolved');
    expect(conditionOf(mended, 'Stalled')?.status).toBe('False');
    await backend.process.stop();
    backend = await world.start('backend');
  });
});

const engineUid = async (): Promise<string> => {
  const [row] = await world.database.sql<{ uid: string }>('select namespace_uid as uid from gitopsengineinstance');
  return row?.uid ?? '';
};

describe('an Operation written by another program', () => {
  it('is carried out, whoever wrote it', async () => {
    const other = await world.apply(aDeployment({ ...ref, name: 'other' }));
    const status = healthyStatus(await deployments.deployed(other));
    await world.client.delete(applications, {
      namespace: engineNamespace,
      name: `gitopsdepl-${deployment.metadata.uid}`,
    });
    // What comes later in the same watch has been seen, so the deletion has been, too.
    await deployments.patchApplication(other, { status });
    await deployments.withReason({ ...ref, name: 'other' }, 'Ready', 'Ready');
    const id = await writeForeign('Application', applicationId);
    await deployments.deployed(deployment);
    await eventually('it is completed', async () => (await foreign(id))?.state === 'Completed');
  });

  it('is collected a day after its end, row and object, and not before', async () => {
    const young = await writeForeign('Application', applicationId);
    const old = await writeForeign('Application', applicationId);
    await eventually('both have ended', async () => {
      return (await foreign(young))?.state === 'Completed' && (await foreign(old))?.state === 'Completed';
    });
    await world.database.sql(
      `update operation set last_state_update = now() - interval '25 hours' where operation_id = '${old}'`,
    );
    await backend.process.stop();
    backend = await world.start('backend'); // it looks for such rows at its start
    await eventually('the old one is gone', async () => !(await foreign(old)) && !(await objectOf(old)));
    expect(await foreign(young)).toBeDefined();
    expect(await objectOf(young)).toBeDefined();
  });

  it('of a type that nobody knows fails with a message', async () => {
    const id = await writeForeign('Surprise', 'anything');
    await eventually('it has failed', async () => (await foreign(id))?.state === 'Failed');
    expect((await foreign(id))?.human_readable_state).toBe('this agent does not know Operations of type "Surprise"');
  });

  it('about an environment that is gone ends', async () => {
    const id = await writeForeign('ManagedEnvironment', 'anything');
    await eventually('it ends', async () => (await foreign(id))?.state === 'Completed');
  });
});
