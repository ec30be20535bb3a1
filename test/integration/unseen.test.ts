// Deletions that nobody saw, and deletions whose end nobody proved.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deploymentFinalizer } from '../../src/api/labels.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { capturedLog } from '../kit/captured-log.ts';
import { aDeployment, deploymentsOf, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type HalfOptions, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let agent: RunningHalf;
let backend: RunningHalf;
let namespace: string;
let count = 0;

const deploy = async (name: string, finalizer = false): Promise<GitOpsDeployment> => {
  const deployment = await world.apply(aDeployment({ namespace, name, finalizer }));
  await deployments.deployed(deployment);
  return deployment;
};
const remove = (name: string) => world.client.delete(gitOpsDeployments, { namespace, name });
const restart = async (options: HalfOptions = {}): Promise<void> => {
  await backend.process.stop();
  backend = await world.start('backend', options);
};
const linked = async (): Promise<string[]> => {
  const rows = await world.database.sql<{ name: string }>(
    `select name from deploymenttoapplicationmapping where namespace = '${namespace}' order by name`,
  );
  return rows.map(({ name }) => name);
};
const looks = async (times: number): Promise<void> => {
  const before = await backend.passes('deployment');
  await eventually('it has looked', async () => (await backend.passes('deployment')) >= before + times);
};

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  agent = await world.start('agent');
});
beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
  backend = await world.start('backend');
  return () => backend.process.stop();
});
afterAll(() => world.stop());

describe('with at most one deletion to be believed that was not seen', () => {
  const flags = { 'max-unseen-deletions': '1' };

  it('two that are missing are both kept, and the log says how to go on', async () => {
    const made = [await deploy('one'), await deploy('two')];
    await world.quiet();
    await backend.process.stop();
    for (const name of ['one', 'two']) await remove(name);
    const { log, lines } = capturedLog();
    await restart({ flags, log });
    await looks(6);
    expect(await linked()).toEqual(['one', 'two']);
    for (const deployment of made) {
      expect((await deployments.application(deployment))?.metadata.deletionTimestamp).toBeUndefined();
    }
    const told = lines.filter(({ level, msg }) => level === 'error' && String(msg).includes('are missing'));
    expect(told).toHaveLength(1);
    expect(told[0]?.msg).toMatch(/^2 GitOpsDeployments .*--max-unseen-deletions$/);
    await restart({ flags: { 'max-unseen-deletions': '2' } });
    for (const deployment of made) await deployments.cleanUp(deployment);
    await eventually('both are removed', async () => (await linked()).length === 0);
  });

  it('one that is missing is removed after the second look, although others are there', async () => {
    const missing = await deploy('missing');
    await deploy('there');
    await world.quiet();
    await backend.process.stop();
    await remove('missing');
    await restart({ flags });
    await deployments.cleanUp(missing);
    await eventually('it is removed', async () => (await linked()).join() === 'there');
  });

  it('any number are removed whose deletion was seen', async () => {
    await restart({ flags: { 'max-unseen-deletions': '0', 'second-look': '1h' } });
    const names = ['one', 'two', 'three', 'four'];
    for (const name of names) await deploy(name);
    for (const name of names) await remove(name);
    await eventually('all are removed', async () => (await linked()).length === 0);
  });
});

describe('a deletion whose Operation ended although its Application is still there', () => {
  const operationsOf = (applicationId: string) =>
    world.database.sql<{ operation_id: string; state: string }>(
      `select operation_id, state from operation where resource_id = '${applicationId}' order by seq_id`,
    );

  it('is not over: the finalizer stays, the Operation too, and the agent is told again after a while', async () => {
    const deployment = await deploy('app', true);
    const ref = { namespace, name: 'app' };
    const id = (await deployments.deployed(deployment)).metadata.labels?.['databaseID'] ?? '';
    await world.quiet();
    await agent.process.stop();
    await restart({ flags: { resync: '50ms' } });
    await remove('app');
    await eventually('the removal is written, and only its Operation is left', async () => {
      const [removal] = await world.database.sql<{ id: string }>(
        `select operation_id as id from deletion where application_id = '${id}'`,
      );
      const rows = await operationsOf(id);
      return rows.length === 1 && rows[0]?.operation_id === removal?.id;
    });
    await eventually('it is delivered', async () => {
      const rows = await world.database.sql(`select 1 from operation where delivered_at is null`);
      return rows.length === 0;
    });
    // As an agent ends it that gives up.
    await world.database.sql(`update operation set state = 'Completed', last_state_update = now() at time zone 'UTC'`);
    await looks(4);
    const [ended] = await operationsOf(id);
    expect(ended?.state).toBe('Completed');
    expect((await deployments.get(ref))?.metadata.finalizers).toEqual([deploymentFinalizer]);
    expect((await deployments.application(deployment))?.metadata.deletionTimestamp).toBeUndefined();

    await restart({ flags: { resync: '50ms', 'retry-failed': '100ms' } });
    await eventually('the agent is told again', async () => {
      const found = await operationsOf(id);
      return found.some(({ operation_id, state }) => operation_id !== ended?.operation_id && state === 'Waiting');
    });
    agent = await world.start('agent');
    await deployments.cleanUp(deployment);
    await eventually('it ends', async () => !(await deployments.get(ref)) && (await operationsOf(id)).length === 0);
    expect(await world.database.sql(`select 1 from deletion where application_id = '${id}'`)).toEqual([]);
  });
});
