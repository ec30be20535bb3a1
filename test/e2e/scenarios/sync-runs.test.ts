import { describe, expect } from 'vitest';
import { isDone, syncIs } from '../looks.ts';
import { configMap, scenario, type Team } from '../scenario.ts';
import { syncConditionOf } from '../../kit/sync-runs.ts';

/** A hook that never ends by itself: nothing runs its pod to the end. */
const hook = `${JSON.stringify({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'hook', annotations: { 'argocd.argoproj.io/hook': 'PreSync' } },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'hook', image: 'hook' }] } } },
})}\n`;

const mapOf = async (team: Team) => (await team.configMap('map'))?.['a'];

describe('a sync run', () => {
  scenario('a sync run syncs a manual deployment', async ({ team, step }) => {
    const one = await team();
    const revision = await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    await one.create({ type: 'manual' });
    await step('the deployment is known', async () => (await one.get())?.status?.sync?.status === 'OutOfSync');
    expect(await mapOf(one)).toBeUndefined();
    await one.sync();
    await step('synced', () => syncIs(one, 'SyncSucceeded'));
    await step('Synced and Healthy', () => isDone(one, { revision }));
    expect(await mapOf(one)).toBe('one');
  });

  scenario('several sync runs in a row, each to its revision', async ({ team, step }) => {
    const one = await team();
    const revisions: string[] = [];
    for (const a of ['one', 'two', 'three']) {
      revisions.push(await one.repository.commit({ 'app/map.yaml': configMap('map', { a }) }));
    }
    await one.create({ type: 'manual' });
    for (const [index, revision] of revisions.entries()) {
      const name = `sync-${index}`;
      await one.sync({ name, revision });
      await step(`synced to the revision ${index + 1}`, () => syncIs(one, 'SyncSucceeded', name));
      expect(await mapOf(one)).toBe(['one', 'two', 'three'][index]);
    }
  });

  scenario(
    'a sync run whose hook runs is terminated by its deletion, and another one follows',
    async ({ team, step }) => {
      const one = await team();
      await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }), 'app/hook.yaml': hook });
      const deployment = await one.create({ type: 'manual' });
      await one.sync();
      const phase = async () => (await one.application(deployment))?.status?.operationState?.phase;
      await step('the hook runs', async () => (await phase()) === 'Running');
      await one.removeSyncRun();
      await step('terminated', async () => (await phase()) === 'Failed');
      expect(await mapOf(one)).toBeUndefined();
      await one.repository.commit({ 'app/hook.yaml': null });
      await one.sync({ name: 'again' });
      await step('synced again', () => syncIs(one, 'SyncSucceeded', 'again'));
      expect(await mapOf(one)).toBe('one');
    },
  );

  scenario('a sync run is deleted when nothing runs', async ({ team, step }) => {
    const one = await team();
    const revision = await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    const deployment = await one.create({ type: 'manual' });
    await one.sync();
    await step('synced', () => syncIs(one, 'SyncSucceeded'));
    const finished = async () => (await one.application(deployment))?.status?.operationState?.finishedAt;
    const before = await finished();
    await one.removeSyncRun();
    await step('still Synced and Healthy', () => isDone(one, { revision }));
    expect(await finished()).toBe(before);
  });

  scenario('the spec of a sync run is changed', async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    await one.create({ type: 'manual' });
    await one.sync();
    await step('synced', () => syncIs(one, 'SyncSucceeded'));
    await one.patchSyncRun('sync', { spec: { revisionID: 'main' } });
    const told = await step('the error is told', () => syncIs(one, 'SyncRunImmutable'));
    expect(syncConditionOf(told, 'ErrorOccurred')?.message).toMatch(/^revision change is not supported/);
  });

  scenario('a sync run is created before its deployment', async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    await one.sync();
    await step('it is said what is missing', () => syncIs(one, 'WaitingForDeployment'));
    await one.create({ type: 'manual' });
    await step('synced', () => syncIs(one, 'SyncSucceeded'));
    expect(await mapOf(one)).toBe('one');
  });
});
