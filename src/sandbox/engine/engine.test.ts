import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../test/kit/eventually.ts';
import { createVirtualClock } from '../../../test/kit/virtual-clock.ts';
import { isNotFound } from '../../kube/status-error.ts';
import {
  configMap,
  configMaps,
  deployment,
  deployments,
  startFixture,
  TARGET,
  type EngineFixture,
} from './engine.fixture.ts';
import type { Application } from './shapes.ts';

let fixture: EngineFixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.stop());

const AUTOMATED = { automated: { prune: true } };
const syncIs = (status: string) => (application: Application) => application.status?.sync?.status === status;
const isSettled = (application: Application): boolean =>
  syncIs('Synced')(application) && application.status?.health?.status === 'Healthy' && !application.operation;
const phaseIs = (phase: string) => (application: Application) =>
  application.status?.operationState?.phase === phase && !application.operation;
const conditionsOf = (application: Application): string[] =>
  (application.status?.conditions ?? []).map(({ type, message }) => `${type}: ${message}`);

describe('an automated Application', () => {
  test('is deployed from Git and becomes healthy, told in the shapes of Argo CD', async () => {
    const commit = await fixture.repository.commit({
      'deploy/settings.yaml': configMap('settings'),
      'deploy/web.yaml': deployment('web'),
    });
    await fixture.create('web', { syncPolicy: AUTOMATED });
    const { status } = await fixture.until('settled', 'web', isSettled);
    expect(status).toMatchObject({
      sync: {
        status: 'Synced',
        revision: commit,
        comparedTo: {
          source: { repoURL: fixture.repository.folder, path: 'deploy' },
          destination: { name: 'in-cluster', namespace: TARGET },
        },
      },
      health: { status: 'Healthy' },
      sourceType: 'Directory',
      summary: { images: ['example.com/web:1'] },
      resources: [
        { version: 'v1', kind: 'ConfigMap', namespace: TARGET, name: 'settings', status: 'Synced' },
        { group: 'apps', kind: 'Deployment', name: 'web', status: 'Synced', health: { status: 'Healthy' } },
      ],
      operationState: {
        phase: 'Succeeded',
        message: 'successfully synced (all tasks run)',
        operation: { sync: { revision: commit, prune: true }, initiatedBy: { automated: true } },
        syncResult: { revision: commit, resources: [{ kind: 'ConfigMap', status: 'Synced' }, { kind: 'Deployment' }] },
      },
      history: [{ id: 0, revision: commit }],
    });
    expect(status?.conditions).toEqual([]);
    const live = await fixture.client.get(configMaps, { namespace: TARGET, name: 'settings' });
    expect(live.metadata.labels).toEqual({ 'app.kubernetes.io/instance': 'web' });
  });

  test('follows the repository: changes, removes fields, prunes', async () => {
    await fixture.repository.commit({
      'deploy/a.yaml': configMap('a', 'old', '') + '  gone: x\n',
      'deploy/b.yaml': configMap('b'),
    });
    await fixture.create('web', { syncPolicy: AUTOMATED });
    await fixture.until('settled', 'web', isSettled);
    const commit = await fixture.repository.commit({ 'deploy/a.yaml': configMap('a', 'new'), 'deploy/b.yaml': null });
    await fixture.refresh('web');
    const { status, metadata } = await fixture.until(
      'the new commit is there',
      'web',
      (application) => isSettled(application) && application.status?.sync?.revision === commit,
    );
    expect((await fixture.client.get(configMaps, { namespace: TARGET, name: 'a' })).data).toEqual({ value: 'new' });
    expect(await fixture.value('b')).toBe(undefined);
    expect(status?.history?.map(({ id }) => id)).toEqual([0, 1]);
    expect(metadata.annotations ?? {}).toEqual({});
  });

  test('without prune keeps what left Git and says that it should go', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a'), 'deploy/b.yaml': configMap('b') });
    await fixture.create('web', { syncPolicy: { automated: {} } });
    await fixture.until('settled', 'web', isSettled);
    await fixture.repository.commit({ 'deploy/b.yaml': null });
    await fixture.refresh('web');
    const { status } = await fixture.until('out of sync', 'web', syncIs('OutOfSync'));
    expect(status?.resources?.find(({ name }) => name === 'b')).toMatchObject({
      status: 'OutOfSync',
      requiresPruning: true,
    });
    expect(await fixture.value('b')).toBe('1');
  });

  test('never prunes its last object by itself', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('web', { syncPolicy: AUTOMATED });
    await fixture.until('settled', 'web', isSettled);
    await fixture.repository.commit({ 'deploy/a.yaml': null, 'deploy/notes.txt': 'none' });
    await fixture.refresh('web');
    const application = await fixture.until('out of sync', 'web', syncIs('OutOfSync'));
    expect(conditionsOf(application)[0]).toMatch(/^SyncError: Skipping sync attempt .* will wipe out all resources$/);
    expect(await fixture.value('a')).toBe('1');
  });

  test('heals what was changed by hand only with self-heal', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('plain', { syncPolicy: { automated: {} } });
    await fixture.until('settled', 'plain', isSettled);
    const ref = { namespace: TARGET, name: 'a' };
    await fixture.client.patch(configMaps, ref, { type: 'merge', body: { data: { value: 'drift' } } });
    await fixture.until('out of sync', 'plain', syncIs('OutOfSync'));
    expect(await fixture.value('a')).toBe('drift');
    await fixture.patch('plain', { spec: { syncPolicy: { automated: { selfHeal: true } } } });
    await eventually('healed', async () => (await fixture.value('a')) === '1');
    await fixture.client.delete(configMaps, ref);
    await eventually('made again', async () => (await fixture.value('a')) === '1');
    await fixture.until('settled', 'plain', isSettled);
  });

  test('is not written again when nothing changed, and a restart changes nothing', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('web', { syncPolicy: AUTOMATED });
    const before = await fixture.until('settled', 'web', isSettled);
    await fixture.restart();
    await fixture.create('other', { syncPolicy: AUTOMATED, source: { path: 'other' } });
    await fixture.until('the engine works', 'other', syncIs('Unknown'));
    const after = await fixture.app('web');
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });
});

describe('what is wrong is said', () => {
  const PREFIX =
    'ComparisonError: Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = ';

  test.each([
    [{ path: 'nowhere' }, 'nowhere: app path does not exist'],
    [{ targetRevision: 'nowhere' }, "unable to resolve 'nowhere' to a commit SHA"],
    [{ path: 'broken' }, 'Failed to unmarshal "app.yaml"'],
  ])('%j', async (source, message) => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a'), 'broken/app.yaml': `${configMap('x')}x: [` });
    await fixture.create('web', { syncPolicy: AUTOMATED, source });
    const application = await fixture.until('unknown', 'web', syncIs('Unknown'));
    expect(conditionsOf(application)[0]).toContain(PREFIX + message);
  });

  test('for a repository that is not there, and taken back when it is', async () => {
    await fixture.create('web', { syncPolicy: AUTOMATED, source: { repoURL: '/nowhere/repository' } });
    const application = await fixture.until('unknown', 'web', syncIs('Unknown'));
    expect(conditionsOf(application)[0]).toContain(`${PREFIX}failed to list refs: '/nowhere/repository'`);
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.patch('web', { spec: { source: { repoURL: fixture.repository.folder } } });
    expect((await fixture.until('settled', 'web', isSettled)).status?.conditions).toEqual([]);
  });

  test('for a project that comes later', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('web', { syncPolicy: AUTOMATED, project: 'team' });
    const application = await fixture.until('unknown', 'web', syncIs('Unknown'));
    expect(conditionsOf(application)).toEqual([
      'InvalidSpecError: Application referencing project team which does not exist',
    ]);
    await fixture.createProject('team', {
      sourceRepos: [fixture.repository.folder],
      destinations: [{ name: 'in-cluster', namespace: TARGET }],
    });
    await fixture.until('settled', 'web', isSettled);
  });

  test('for kinds that the project forbids: the sync fails, and is not tried again for the same commit', async () => {
    const role = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\nrules: []\n';
    const commit = await fixture.repository.commit({ 'deploy/a.yaml': configMap('a'), 'deploy/role.yaml': role });
    await fixture.createProject('team', { sourceRepos: ['*'], destinations: [{ name: 'in-cluster', namespace: '*' }] });
    await fixture.create('web', { syncPolicy: { automated: {}, retry: { limit: 0 } }, project: 'team' });
    const application = await fixture.until('failed', 'web', ({ status }) => Boolean(status?.conditions?.length));
    const message =
      'one or more synchronization tasks are not valid: resource rbac.authorization.k8s.io:ClusterRole is not permitted in project team';
    expect(conditionsOf(application)).toEqual([`SyncError: Failed sync attempt to ${commit}: ${message}`]);
    expect(application.status?.operationState).toMatchObject({ phase: 'Failed', message });
    expect(await fixture.value('a')).toBe(undefined);
  });
});

describe('an operation', () => {
  test('by hand syncs to its revision and keeps its notes', async () => {
    const first = await fixture.repository.commit({ 'deploy/a.yaml': configMap('a', 'first') });
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a', 'second') });
    await fixture.create('web');
    const before = await fixture.until('compared', 'web', syncIs('OutOfSync'));
    expect(before.status?.health?.status).toBe('Healthy');
    const operation = {
      sync: { revision: first },
      info: [{ name: 'id', value: '42' }],
      initiatedBy: { username: 'jane' },
    };
    await fixture.patch('web', { operation });
    const { status } = await fixture.until('done', 'web', phaseIs('Succeeded'));
    expect(status?.operationState).toMatchObject({ operation, syncResult: { revision: first } });
    expect(await fixture.value('a')).toBe('first');
    await fixture.until('behind main', 'web', syncIs('OutOfSync'));
  });

  test('as a dry run changes nothing', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('web');
    await fixture.patch('web', { operation: { sync: { dryRun: true } } });
    const { status } = await fixture.until('done', 'web', phaseIs('Succeeded'));
    expect(status?.operationState?.syncResult?.resources?.[0]?.message).toBe('configmap/a created (dry run)');
    expect(await fixture.value('a')).toBe(undefined);
    expect(status?.history).toBe(undefined);
  });

  test('creates the namespace when asked to, and it outlives the Application', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('web', {
      syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'] },
      destination: { name: 'in-cluster', namespace: 'fresh' },
      finalizers: ['resources-finalizer.argocd.argoproj.io'],
    });
    await fixture.until('settled', 'web', isSettled);
    expect(await fixture.value('a', 'fresh')).toBe('1');
    await fixture.remove('web');
    await fixture.gone('web');
    expect(await fixture.value('a', 'fresh')).toBe(undefined);
    await fixture.client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'after', namespace: 'fresh' },
    });
  });

  test('that fails is retried with its own revision until it is terminated', async () => {
    const bad = await fixture.repository.commit({ 'deploy/a.yaml': configMap('a').replace('v1', 'example.com/v1') });
    await fixture.create('web', {
      syncPolicy: { automated: {}, retry: { limit: -1, backoff: { duration: '1h' } } },
      finalizers: ['resources-finalizer.argocd.argoproj.io/background'],
    });
    const isRetrying = ({ status }: Application): boolean => status?.operationState?.retryCount === 1;
    const { operation, status } = await fixture.until('retrying', 'web', isRetrying);
    expect(operation?.sync?.revision).toBe(bad);
    expect(status?.operationState).toMatchObject({ phase: 'Running' });
    expect(status?.operationState?.message).toMatch(
      /could not find example.com\/v1\/ConfigMap .*\. Retrying attempt #1 at \d+:\d\d[AP]M\.$/,
    );

    const good = await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.refresh('web');
    await fixture.until('sees the fix', 'web', (application) => application.status?.sync?.revision === good);
    expect((await fixture.app('web')).operation?.sync?.revision).toBe(bad);
    await fixture.remove('web');
    await fixture.refresh('web');
    await fixture.until(
      'held',
      'web',
      ({ metadata }) => metadata.annotations === undefined || Object.keys(metadata.annotations).length === 0,
    );
    expect((await fixture.app('web')).metadata.finalizers).toContain(
      'resources-finalizer.argocd.argoproj.io/background',
    );

    await fixture.patch('web', { status: { operationState: { phase: 'Terminating' } } });
    await fixture.gone('web');
  });

  test('that is terminated has failed', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a').replace('v1', 'example.com/v1') });
    await fixture.create('web');
    await fixture.patch('web', { operation: { sync: {}, retry: { limit: -1, backoff: { duration: '1h' } } } });
    await fixture.until('retrying', 'web', ({ status }) => status?.operationState?.retryCount === 1);
    await fixture.patch('web', { status: { operationState: { phase: 'Terminating' } } });
    const { status } = await fixture.until('terminated', 'web', phaseIs('Failed'));
    expect(status?.operationState?.message).toBe('Operation terminated');
  });
});

describe('deleting', () => {
  const finalizers = ['resources-finalizer.argocd.argoproj.io/background', 'example.com/mine'];

  test('takes the objects along, then its own finalizer, and no other', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a'), 'deploy/web.yaml': deployment('web') });
    await fixture.create('web', { syncPolicy: AUTOMATED, finalizers });
    await fixture.until('settled', 'web', isSettled);
    await fixture.remove('web', 'Background');
    await fixture.until('let go', 'web', ({ metadata }) => metadata.finalizers?.join() === 'example.com/mine');
    expect(await fixture.value('a')).toBe(undefined);
    await expect(fixture.client.get(deployments, { namespace: TARGET, name: 'web' })).rejects.toSatisfy(isNotFound);
    await fixture.patch('web', { metadata: { finalizers: [] } });
    await fixture.gone('web');
  });

  test('without a finalizer leaves the objects', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('web', { syncPolicy: AUTOMATED });
    await fixture.until('settled', 'web', isSettled);
    await fixture.remove('web', 'Background');
    await fixture.gone('web');
    expect(await fixture.value('a')).toBe('1');
  });

  test('is blocked while the project is missing, and says so', async () => {
    await fixture.create('web', { project: 'team', finalizers });
    await fixture.remove('web');
    const application = await fixture.until('blocked', 'web', ({ status }) =>
      Boolean(status?.conditions?.some(({ type }) => type === 'DeletionError')),
    );
    expect(conditionsOf(application)).toContain('DeletionError: error getting app project "team": not found');
    await fixture.createProject('team', {});
    await fixture.until('let go', 'web', ({ metadata }) => !metadata.finalizers?.includes(finalizers[0] ?? ''));
  });
});

describe('while a workload is not ready', () => {
  const wave = (number: number): string => `  annotations: {argocd.argoproj.io/sync-wave: "${number}"}\n`;
  const makeReady = (name: string) =>
    slow.client.patch(
      deployments,
      { namespace: TARGET, name },
      {
        type: 'merge',
        subresource: 'status',
        body: {
          status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
        },
      },
    );
  let slow: EngineFixture;
  beforeEach(async () => {
    slow = await startFixture({ workloadReadyAfterMs: 3_600_000 });
  });
  afterEach(() => slow.stop());

  test('the Application is progressing, and the next wave waits', async () => {
    await slow.repository.commit({
      'deploy/a.yaml': configMap('late', '1', wave(2)),
      'deploy/b.yaml': deployment('early', wave(1)),
    });
    await slow.create('web', { syncPolicy: AUTOMATED });
    const isWaiting = ({ status }: Application): boolean =>
      status?.operationState?.message === 'waiting for healthy state of apps/Deployment/early';
    const { status } = await slow.until('waiting', 'web', isWaiting);
    expect(status?.operationState?.phase).toBe('Running');
    await slow.until('progressing', 'web', (application) => application.status?.health?.status === 'Progressing');
    expect(await slow.value('late')).toBe(undefined);
    await makeReady('early');
    await slow.until('settled', 'web', isSettled);
    expect(await slow.value('late')).toBe('1');
  });
});

describe('as time passes', () => {
  const clock = createVirtualClock();
  let timed: EngineFixture;
  beforeEach(async () => {
    timed = await startFixture({ refreshMs: 60_000, selfHealAfterMs: 5000 }, clock);
  });
  afterEach(() => timed.stop());
  /** Lets time pass until the Application is as it should be; says how many seconds it took. */
  const secondsUntil = async (what: string, look: (application: Application) => boolean): Promise<number> => {
    const startMs = clock.now();
    await eventually(what, async () => {
      if (look(await timed.app('web'))) return true;
      await clock.advance(1000);
      return false;
    });
    return (clock.now() - startMs) / 1000;
  };

  test('a failed sync is tried again after its backoff, and given up at its limit', async () => {
    await timed.repository.commit({ 'deploy/a.yaml': configMap('a').replace('v1', 'example.com/v1') });
    await timed.create('web');
    await timed.patch('web', { operation: { sync: {}, retry: { limit: 2, backoff: { duration: '10s', factor: 2 } } } });
    await timed.until('failed once', 'web', ({ status }) => status?.operationState?.retryCount === 1);
    expect(await secondsUntil('given up', phaseIs('Failed'))).toBeGreaterThanOrEqual(29);
    const { status } = await timed.app('web');
    expect(status?.operationState?.message).toMatch(/\(retried 2 times\)\.$/);
  });

  test('the repository is asked again by itself', async () => {
    await timed.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await timed.create('web', { syncPolicy: AUTOMATED });
    await timed.until('settled', 'web', isSettled);
    const commit = await timed.repository.commit({ 'deploy/a.yaml': configMap('a', '2') });
    const isNew = (application: Application): boolean =>
      isSettled(application) && application.status?.sync?.revision === commit;
    expect(await secondsUntil('the commit arrives', isNew)).toBeGreaterThanOrEqual(59);
  });
});
