import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../test/kit/eventually.ts';
import { isNotFound } from '../../kube/status-error.ts';
import { configMap, configMaps, deployment, startFixture, TARGET, type EngineFixture } from './engine.fixture.ts';
import type { Application, SyncedResource } from './shapes.ts';

const jobs = { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced: true };
const HOOK = 'argocd.argoproj.io/hook';
const POLICY = 'argocd.argoproj.io/hook-delete-policy';
const COMPLETES = 'sandbox.managed-gitops/completes-after';
const FAILS = 'sandbox.managed-gitops/fails-after';

/** A hook's manifest. */
const job = (name: string, annotations: Record<string, string>): string =>
  `apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: ${name}\n  annotations: ${JSON.stringify(annotations)}\nspec: {template: {spec: {restartPolicy: Never}}}\n`;

let fixture: EngineFixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.stop());

const isRunning = ({ status }: Application): boolean =>
  status?.operationState?.phase === 'Running' && status.operationState.message !== undefined;
const hasEnded = (phase: string) => (application: Application) =>
  application.status?.operationState?.phase === phase && !application.operation;
const line = ({ name, syncPhase, status, hookType, hookPhase }: SyncedResource) =>
  [syncPhase, name, hookType ?? '-', status ?? '-', hookPhase].join(' ');
const linesOf = ({ status }: Application) => (status?.operationState?.syncResult?.resources ?? []).map(line);
const jobExists = (name: string) =>
  fixture.client.get(jobs, { namespace: TARGET, name }).then(
    () => true,
    (error: unknown) => {
      if (isNotFound(error)) return false;
      throw error;
    },
  );
const syncManually = async (operation: Application['operation'] = { sync: {} }): Promise<void> => {
  await fixture.create('web');
  await fixture.until('waiting for an order', 'web', ({ status }) => status?.sync?.status === 'OutOfSync');
  await fixture.patch('web', { operation });
};

describe('a sync with hooks', () => {
  test('runs them before and after what it applies, and shows them without counting them', async () => {
    await fixture.repository.commit({
      'deploy/a.yaml': configMap('a'),
      'deploy/before.yaml': job('before', { [HOOK]: 'PreSync' }),
      'deploy/after.yaml': job('after', { [HOOK]: 'PostSync', [POLICY]: 'HookSucceeded' }),
      'deploy/left.yaml': job('left', { [HOOK]: 'Skip' }),
      'deploy/rescue.yaml': job('rescue', { [HOOK]: 'SyncFail' }),
    });
    await fixture.create('web', { syncPolicy: { automated: {} } });
    const done = await fixture.until('done', 'web', hasEnded('Succeeded'));
    expect(done.status?.operationState?.message).toBe('successfully synced (all tasks run)');
    expect(linesOf(done)).toEqual([
      'PreSync before PreSync - Succeeded',
      'Sync a - Synced Running',
      'PostSync after PostSync - Succeeded',
    ]);
    expect(await Promise.all(['before', 'after', 'left', 'rescue'].map(jobExists))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    const { status } = await fixture.until('compared', 'web', ({ status: now }) => now?.resources?.length === 3);
    expect(status?.health?.status).toBe('Healthy');
    expect(status?.resources).toMatchObject([
      { kind: 'ConfigMap', name: 'a', status: 'Synced' },
      { kind: 'Job', name: 'before', hook: true, health: { status: 'Healthy' } },
      { kind: 'Job', name: 'left', health: { status: 'Missing' } },
    ]);
    expect(status?.resources?.slice(1).map((each) => each.status)).toEqual([undefined, undefined]);
  });

  test('is running while a hook is, waits with the rest, and carries its notes along', async () => {
    const commit = await fixture.repository.commit({
      'deploy/a.yaml': configMap('a'),
      'deploy/before.yaml': job('before', { [HOOK]: 'PreSync', [COMPLETES]: '1s' }),
      'deploy/other.yaml': job('other', { [HOOK]: 'PreSync', [COMPLETES]: '1s' }),
    });
    const info = [{ name: 'id', value: '42' }];
    await syncManually({ sync: { revision: commit }, info });
    const running = await fixture.until('running', 'web', isRunning);
    expect(running.operation).toEqual({ sync: { revision: commit }, info });
    expect(running.status?.operationState).toMatchObject({
      message: 'waiting for completion of hook batch/Job/before and 1 more hooks',
      operation: { info },
      syncResult: { revision: commit },
    });
    expect(await fixture.value('a')).toBe(undefined);
    const { status } = await fixture.until('done', 'web', hasEnded('Succeeded'));
    expect(status?.operationState?.operation.info).toEqual(info);
    expect(await fixture.value('a')).toBe('1');
  });

  test('can be terminated: the hook goes, the sync has failed, nothing else was applied', async () => {
    await fixture.repository.commit({
      'deploy/a.yaml': configMap('a'),
      'deploy/before.yaml': job('before', { [HOOK]: 'PreSync', [COMPLETES]: '1h' }),
    });
    await syncManually();
    await fixture.until('running', 'web', isRunning);
    await fixture.patch('web', { status: { operationState: { phase: 'Terminating' } } });
    const { status } = await fixture.until('terminated', 'web', hasEnded('Failed'));
    expect(status?.operationState).toMatchObject({
      message: 'Operation terminated',
      finishedAt: expect.any(String), // a time
      syncResult: { resources: [{ name: 'before', hookType: 'PreSync', hookPhase: 'Succeeded', message: 'Deleted' }] },
    });
    expect([await jobExists('before'), await fixture.value('a')]).toEqual([false, undefined]);
  });

  test('goes on after a restart of the engine, without starting a hook twice', async () => {
    await fixture.repository.commit({
      'deploy/a.yaml': configMap('a'),
      'deploy/before.yaml': job('before', { [HOOK]: 'PreSync', [COMPLETES]: '2s' }),
    });
    await syncManually();
    await fixture.until('running', 'web', isRunning);
    const before = await fixture.client.get(jobs, { namespace: TARGET, name: 'before' });
    await fixture.restart();
    await fixture.until('done', 'web', hasEnded('Succeeded'));
    const after = await fixture.client.get(jobs, { namespace: TARGET, name: 'before' });
    expect(after.metadata.uid).toBe(before.metadata.uid);
  });

  test('that fails runs its hooks for that case first; hooks are made anew by the next sync', async () => {
    await fixture.repository.commit({
      'deploy/a.yaml': configMap('a'),
      'deploy/before.yaml': job('before', { [HOOK]: 'PreSync', [FAILS]: '0s', [POLICY]: 'HookFailed' }),
      'deploy/rescue.yaml': job('rescue', { [HOOK]: 'SyncFail' }),
    });
    await syncManually();
    const failed = await fixture.until('failed', 'web', hasEnded('Failed'));
    expect(failed.status?.operationState?.message).toBe(
      'one or more synchronization tasks completed unsuccessfully, reason: Job has reached the specified backoff limit',
    );
    expect(linesOf(failed)).toEqual(['PreSync before PreSync - Failed', 'SyncFail rescue SyncFail - Succeeded']);
    expect([await jobExists('before'), await fixture.value('a')]).toEqual([false, undefined]);

    const rescue = await fixture.client.get(jobs, { namespace: TARGET, name: 'rescue' });
    await fixture.patch('web', { operation: { sync: {} } });
    await eventually('the hook ran again', async () => {
      const again = await fixture.client.get(jobs, { namespace: TARGET, name: 'rescue' });
      return again.metadata.uid !== rescue.metadata.uid;
    });
  });

  test('is refused as a whole when a hook is of a kind that nobody serves', async () => {
    const manifest = job('before', { [HOOK]: 'PreSync' }).replace('batch/v1', 'example.com/v1');
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a'), 'deploy/before.yaml': manifest });
    await syncManually();
    const { status } = await fixture.until('failed', 'web', hasEnded('Failed'));
    expect(status?.operationState?.message).toMatch(
      /^one or more synchronization tasks are not valid: The Kubernetes API/,
    );
    expect(await fixture.value('a')).toBe(undefined);
  });

  test('runs a hook without a name under a new one each time', async () => {
    const manifest = job('x', { [HOOK]: 'Sync' }).replace('name: x', 'generateName: move-');
    const commit = await fixture.repository.commit({ 'deploy/a.yaml': configMap('a'), 'deploy/move.yaml': manifest });
    await syncManually();
    const done = await fixture.until('done', 'web', hasEnded('Succeeded'));
    const names = done.status?.operationState?.syncResult?.resources?.map(({ name }) => name);
    expect(names).toEqual(['a', expect.stringMatching(`^move-${commit.slice(0, 7)}-sync-[0-9]+$`)]); // seconds
  });

  test('leaves hooks out when it only applies, or only tells', async () => {
    await fixture.repository.commit({
      'deploy/a.yaml': configMap('a'),
      'deploy/before.yaml': job('before', { [HOOK]: 'PreSync', [COMPLETES]: '1h' }),
    });
    await syncManually({ sync: { dryRun: true } });
    expect(linesOf(await fixture.until('told', 'web', hasEnded('Succeeded')))).toEqual([
      'PreSync before PreSync Synced Succeeded',
      'Sync a - Synced Running',
    ]);
    await fixture.patch('web', { operation: { sync: { syncStrategy: { apply: {} } } } });
    await eventually('applied', async () => (await fixture.value('a')) === '1');
    expect(await jobExists('before')).toBe(false);
  });
});

describe('a manual Application', () => {
  test('waits out of sync and missing; each sync is followed by a comparison with a new date', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': deployment('a'), 'deploy/b.yaml': configMap('b') });
    await fixture.create('web');
    const waiting = await fixture.until('compared', 'web', ({ status }) => status?.sync !== undefined);
    expect([waiting.status?.sync?.status, waiting.status?.health?.status]).toEqual(['OutOfSync', 'Missing']);
    await fixture.patch('web', { operation: { sync: {} } });
    await fixture.until('synced', 'web', ({ status }) => status?.sync?.status === 'Synced');

    await fixture.repository.commit({ 'deploy/b.yaml': null });
    await fixture.refresh('web');
    const behind = await fixture.until('behind', 'web', ({ status }) => status?.sync?.status === 'OutOfSync');
    expect(behind.metadata.annotations ?? {}).toEqual({});
    const old = '2020-01-01T00:00:00Z';
    await fixture.patch('web', { operation: { sync: {} }, status: { reconciledAt: old } });
    const isNewer = ({ status, operation }: Application): boolean => !operation && status?.reconciledAt !== old;
    const { status } = await fixture.until('compared after the sync', 'web', isNewer);
    expect(status?.operationState?.syncResult?.resources).toContainEqual(
      expect.objectContaining({ name: 'b', status: 'PruneSkipped', message: 'ignored (requires pruning)' }), // and more
    );
    expect(status?.resources).toContainEqual(
      expect.objectContaining({ name: 'b', status: 'OutOfSync', requiresPruning: true }), // and more
    );
    expect(await fixture.value('b')).toBe('1');
  });
});

test('what was deployed and what hooks left are deleted together with their Application', async () => {
  await fixture.repository.commit({
    'deploy/a.yaml': configMap('a'),
    'deploy/before.yaml': job('before', { [HOOK]: 'PreSync' }),
  });
  await fixture.create('web', {
    syncPolicy: { automated: {} },
    finalizers: ['resources-finalizer.argocd.argoproj.io/background'],
  });
  await fixture.until('done', 'web', hasEnded('Succeeded'));
  await fixture.remove('web');
  await fixture.gone('web');
  expect(await jobExists('before')).toBe(false);
  await expect(fixture.client.get(configMaps, { namespace: TARGET, name: 'a' })).rejects.toSatisfy(isNotFound);
});
