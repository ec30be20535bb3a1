// Rows, Operations and reports that are damaged: mended, or told, or left alone; others are served meanwhile.
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { operationName } from '../../src/api/labels.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { capturedLog } from '../kit/captured-log.ts';
import { aDeployment, conditionOf, deploymentsOf, healthyStatus, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

const namespace = 'team-a';
const { log, lines } = capturedLog();
let world: World;
let deployments: Deployments;
let bystander: GitOpsDeployment;
let victim: GitOpsDeployment;
let applicationId: string;
let turns = 0;

const ref = () => ({ namespace, name: victim.metadata.name });
const sql = (text: string) => world.database.sql(text);
const change = () => world.apply(aDeployment({ namespace, name: victim.metadata.name, path: 'changed' }));
const isChanged = () =>
  eventually('the change has arrived', async () => {
    return (await deployments.application(victim))?.spec.source?.path === 'changed';
  });
/** Argo CD reports that all is well; the user sees it. */
const reportsWell = async (): Promise<void> => {
  const application = await deployments.deployed(victim);
  await deployments.patchApplication(victim, { status: healthyStatus(application) });
  await deployments.withReason(ref(), 'Ready', 'Ready');
};

beforeAll(async () => {
  world = await createWorld({ log });
  deployments = deploymentsOf(world);
  await world.start('backend', { log });
  await world.start('agent', { log });
  await world.createNamespace(namespace);
  bystander = await world.apply(aDeployment({ namespace, name: 'bystander' }));
});
beforeEach(async () => {
  victim = await world.apply(aDeployment({ namespace, name: `victim-${(turns += 1)}` }));
  await deployments.deployed(victim);
  const [row] = await world.database.sql<{ id: string }>(`
    select application_id as id from deploymenttoapplicationmapping
    where deploymenttoapplicationmapping_uid_id = '${victim.metadata.uid ?? ''}'`);
  applicationId = row?.id ?? '';
  lines.splice(0);
});
afterEach(async () => {
  const path = `turn-${turns}`;
  await world.apply(aDeployment({ namespace, name: 'bystander', path }));
  await eventually('the bystander is served', async () => {
    return (await deployments.application(bystander))?.spec.source?.path === path;
  });
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
});
afterAll(() => world.stop());

describe('an Operation', () => {
  const owner = '(select clusteruser_id from clusteruser limit 1)';
  const order = async (values: { type: string; resource: string; state?: string; owner?: string; says?: string }) => {
    const id = systemRandom.uuid();
    await sql(`
      insert into operation (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on,
        last_state_update, state)
      select '${id}', gitopsengineinstance_id, '${values.resource}', ${values.owner ?? owner}, '${values.type}', now(),
        now(), '${values.state ?? 'Waiting'}' from gitopsengineinstance`);
    await world.client.create(operations, {
      apiVersion: 'managed-gitops.redhat.com/v1alpha1',
      kind: 'Operation',
      metadata: { name: operationName(id), namespace: engineNamespace },
      spec: { operationID: values.says ?? id },
    });
    return id;
  };
  const read = async (id: string) => {
    const [row] = await world.database.sql<{ state: string; message: string | null }>(
      `select state, human_readable_state as message from operation where operation_id = '${id}'`,
    );
    return row;
  };
  const ended = (id: string) =>
    eventually('it has ended', async () => {
      const row = await read(id);
      return row?.state === 'Completed' || row?.state === 'Failed' ? row : undefined;
    });

  it.each(['Dance', 'constructor', '__proto__', 'a/b', '', 'application'])(
    'of the unknown type %j fails',
    async (type) => {
      expect(await ended(await order({ type, resource: 'x' }))).toEqual({
        state: 'Failed',
        message: `this agent does not know Operations of type ${JSON.stringify(type)}`,
      });
    },
  );

  it.each([
    ['nothing', '', 'Completed'],
    ['an id that no row has', '00000000-0000-4000-8000-000000000000', 'Completed'],
    ['a path, which no label can hold', 'a/b/c', 'Failed'],
    ['slashes', '//', 'Failed'],
  ])('about %s ends, and is not taken for another one', async (_what, resource, state) => {
    const end = await ended(await order({ type: 'Application', resource }));
    expect([end.state, end.message === null]).toEqual([state, state === 'Completed']);
    expect(await ended(await order({ type: 'SyncOperation', resource }))).toMatchObject({ state: 'Failed' });
  });

  it('without an owner is carried out', async () => {
    expect((await ended(await order({ type: 'Application', resource: applicationId, owner: 'null' }))).state).toBe(
      'Completed',
    );
  });

  it('whose object names another row, or none, is carried out by its own', async () => {
    for (const says of ['', 'a/b', '\u0000', 'x'.repeat(100_000)])
      expect((await ended(await order({ type: 'Application', resource: applicationId, says }))).state).toBe(
        'Completed',
      );
  });

  it('in a state that nobody knows is left alone', async () => {
    const id = await order({ type: 'Application', resource: applicationId, state: 'Dancing' });
    await world.quiet();
    expect(await read(id)).toEqual({ state: 'Dancing', message: null });
    await sql(`delete from operation where operation_id = '${id}'`);
  });
});

describe('a row', () => {
  it.each([
    ['is no YAML', '{['],
    ['describes nothing', 'yes'],
    ['is empty', ''],
    ['is a bomb of aliases', `a: &a [x]\\nb: [${'*a, '.repeat(3000)}*a]`],
    ['is 16,384 characters of nothing', ' '.repeat(16_384)],
  ])('whose text %s is written anew by the next pass', async (_what, text) => {
    await sql(`update application set spec_field = E'${text}' where application_id = '${applicationId}'`);
    await change();
    await isChanged();
  });

  it('of which the agent reads a damaged text fails the Operation, in one sentence', async () => {
    const [id, orphan] = [systemRandom.uuid(), systemRandom.uuid()]; // of no deployment: nobody writes it anew
    await world.database.script(`
      insert into application (application_id, name, spec_field, engine_instance_inst_id)
        select '${orphan}', 'orphan', '{[', gitopsengineinstance_id from gitopsengineinstance;
      insert into operation (operation_id, instance_id, resource_id, resource_type, created_on, last_state_update, state)
        select '${id}', gitopsengineinstance_id, '${orphan}', 'Application', now(), now(), 'Waiting'
        from gitopsengineinstance`);
    await eventually('it has failed', async () => {
      const [row] = await sql(
        `select human_readable_state as message from operation where operation_id = '${id}' and state = 'Failed'`,
      );
      return String(row?.['message']).startsWith("the application's row can't be read: ");
    });
  });

  it('that links the deployment without its namespace is as good as one with it', async () => {
    await sql(`
      update deploymenttoapplicationmapping set namespace = null
      where deploymenttoapplicationmapping_uid_id = '${victim.metadata.uid ?? ''}'`);
    await change();
    await isChanged();
  });

  it.each(['name', 'namespace_uid'])('that links the deployment without a %s is put right', async (column) => {
    const where = `where deploymenttoapplicationmapping_uid_id = '${victim.metadata.uid ?? ''}'`;
    await sql(`update deploymenttoapplicationmapping set ${column} = null ${where}`);
    await change();
    await isChanged();
    const [link] = await sql(`select name, namespace_uid from deploymenttoapplicationmapping ${where}`);
    expect(link).toMatchObject({ name: victim.metadata.name, namespace_uid: expect.any(String) });
  });
});

describe('a stored status', () => {
  it.each([
    ['is no gzip', Buffer.from('none')],
    ['is cut off', gzipSync('health: {status: Healthy}').subarray(0, 20)],
    ['is no YAML', gzipSync('{[')],
    ['is a list', gzipSync('[1, 2]')],
    ['unpacks to 70 MiB', gzipSync(Buffer.alloc(70 * 1024 * 1024))],
    ['is a bomb of aliases', gzipSync(`a: &a [x]\nb: [${'*a, '.repeat(3000)}*a]`)],
  ])('that %s counts as none, until Argo CD reports again', async (_what, blob) => {
    await reportsWell();
    await sql(`
      update applicationstate set argocd_application_status = '\\x${blob.toString('hex')}'
      where applicationstate_application_id = '${applicationId}'`);
    const shown = await deployments.withReason(ref(), 'Reconciling', 'WaitingForArgoCD');
    expect(conditionOf(shown, 'ErrorOccurred')).toBeUndefined();
    await deployments.patchApplication(victim, { status: { health: { status: 'Degraded' } } });
    await deployments.withReason(ref(), 'Ready', 'Degraded');
  });
});

describe('a report of Argo CD', () => {
  const startedAt = '2026-01-31T12:00:00Z';
  it('with 10,000 resources is shown with all of them', async () => {
    const resources = Array.from({ length: 10_000 }, (_, index) => ({
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      namespace: 'web',
      name: `object-${index}`,
      status: 'Synced',
      health: { status: 'Healthy' },
    }));
    await deployments.patchApplication(victim, { status: { sync: { status: 'OutOfSync' }, resources } });
    await eventually('it is stored', async () => {
      return (await sql(`select from applicationstate where applicationstate_application_id = '${applicationId}'`))[0];
    });
    await world.quiet(); // a look at it takes long: only one is taken
    expect((await deployments.get(ref()))?.status?.resources).toEqual(resources);
    lines.splice(0); // all of this world is one process: while it read that much, a connection may have come too late
  }, 120_000);

  it.each([
    [
      '10,000 conditions of one type',
      { conditions: Array.from({ length: 10_000 }, () => ({ type: 'SyncError', message: 'x' })) },
    ],
    ['conditions without a type', { conditions: [{ type: '', message: '' }] }],
    ['a message of 100,000 characters', { health: { status: 'Degraded', message: '"\n\u0000\ud800'.repeat(25_000) } }],
    ['a sync without a phase', { operationState: { phase: '', startedAt, operation: {} } }],
    ['a sync in a phase of its own', { operationState: { phase: 'Dancing', startedAt, operation: {} } }],
    ['a revision that is none', { sync: { status: 'Synced', revision: '\u202e\u0000\ud800' } }],
  ])('with %s reaches the user as far as it can, and a good one follows', async (_what, status) => {
    await deployments.patchApplication(victim, { status: { sync: { status: 'OutOfSync' }, ...status } });
    await eventually('it is shown', async () => {
      return ((await deployments.get(ref()))?.status?.sync?.status ?? '') !== '';
    });
    await deployments.patchApplication(victim, { status: null });
    await reportsWell();
  });
});
