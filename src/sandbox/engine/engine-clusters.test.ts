import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../test/kit/eventually.ts';
import { startRemoteCluster, type RemoteCluster } from '../../../test/kit/remote-cluster.ts';
import { instanceLabel } from '../../api/labels.ts';
import { isNotFound } from '../../kube/status-error.ts';
import { configMap, configMaps, deployment, startFixture, TARGET, type EngineFixture } from './engine.fixture.ts';
import type { Application } from './shapes.ts';

const FINALIZER = 'resources-finalizer.argocd.argoproj.io';
const automated = { automated: { prune: true } };
const destination = { name: 'prod', namespace: 'web' };

let fixture: EngineFixture;
let remote: RemoteCluster;
beforeEach(async () => {
  fixture = await startFixture();
  remote = await startRemoteCluster(['web', 'api']);
});
afterEach(async () => {
  await fixture.stop();
  await remote.stop();
});

const serverOf = (id: string): string => `${remote.url}?managedEnvironment=${id}`;
const clusterData = (more: Readonly<Record<string, string>> = {}, token = remote.token) => ({
  name: 'prod',
  server: serverOf('1'),
  config: JSON.stringify({ bearerToken: token, tlsClientConfig: { insecure: true } }),
  ...more,
});
const putCluster = (more: Readonly<Record<string, string>> = {}, token = remote.token): Promise<void> =>
  fixture.putSecret('prod', 'cluster', clusterData(more, token));
const valueThere = async (name: string, namespace = 'web'): Promise<string | undefined> => {
  try {
    return (await remote.client.get(configMaps, { namespace, name })).data?.['value'];
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};
const isDeployed = ({ status, operation }: Application): boolean =>
  status?.sync?.status === 'Synced' && status.health?.status === 'Healthy' && !operation;
const says = (type: string, message: string) => (application: Application) =>
  application.status?.conditions?.some((condition) => condition.type === type && condition.message.includes(message)) ??
  false;

describe('an Application of another cluster', () => {
  test.each([
    ['name', () => destination],
    ['URL', () => ({ server: serverOf('1'), namespace: 'web' })],
  ])('is deployed there, and only there, by its %s', async (_how, where) => {
    await putCluster();
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a'), 'deploy/web.yaml': deployment('web') });
    await fixture.create('app', { syncPolicy: automated, destination: where() });
    await fixture.until('it is deployed', 'app', isDeployed);
    expect(await valueThere('a')).toBe('1');
    expect(await fixture.value('a')).toBeUndefined();
    expect(await fixture.value('a', 'web')).toBeUndefined();
  });

  test('is put right when somebody changes an object there', async () => {
    await putCluster();
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('app', { syncPolicy: { automated: { selfHeal: true } }, destination });
    await fixture.until('it is deployed', 'app', isDeployed);
    const body = { data: { value: '2' } };
    await remote.client.patch(configMaps, { namespace: 'web', name: 'a' }, { type: 'merge', body });
    await eventually('it is healed', async () => (await valueThere('a')) === '1');
  });

  test('is deleted there with its objects', async () => {
    await putCluster();
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('app', { syncPolicy: automated, destination, finalizers: [FINALIZER] });
    await fixture.until('it is deployed', 'app', isDeployed);
    await fixture.remove('app');
    await fixture.gone('app');
    expect(await valueThere('a')).toBeUndefined();
  });

  test('whose cluster is gone is deleted, and leaves its objects behind', async () => {
    await putCluster();
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('app', { syncPolicy: automated, destination, finalizers: [FINALIZER] });
    await fixture.until('it is deployed', 'app', isDeployed);
    await fixture.removeSecret('prod');
    await fixture.until('it says so', 'app', says('InvalidSpecError', 'there are no clusters with this name: prod'));
    await fixture.remove('app');
    await fixture.gone('app');
    expect(await valueThere('a')).toBe('1');
  });

  test('waits for its cluster, and is deployed as soon as that is known', async () => {
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('app', { syncPolicy: automated, destination });
    const invalid = await fixture.until('it waits', 'app', ({ status }) => status?.conditions?.length === 1);
    expect(invalid.status?.conditions).toMatchObject([
      { type: 'InvalidSpecError', message: 'there are no clusters with this name: prod' },
    ]);
    await putCluster();
    await fixture.until('it is deployed', 'app', isDeployed);
    expect(await valueThere('a')).toBe('1');
  });

  test('whose token does not work says so, changes nothing, and is deployed with one that does', async () => {
    await putCluster({}, 'wrong');
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('app', { syncPolicy: automated, destination });
    const refused = await fixture.until('it is refused', 'app', says('ComparisonError', 'Failed to load live state'));
    expect(refused.status?.conditions?.[0]?.message).toBe(
      `Failed to load live state: failed to get cluster info for "${serverOf('1')}": error synchronizing cache state : the server has asked for the client to provide credentials`,
    );
    expect(refused.status?.sync?.status).toBe('Unknown');
    await putCluster();
    await fixture.until('it is deployed', 'app', isDeployed);
    expect(await valueThere('a')).toBe('1');
  });

  test('is not let go while its cluster does not answer', async () => {
    await putCluster();
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('app', { syncPolicy: automated, destination, finalizers: [FINALIZER] });
    await fixture.until('it is deployed', 'app', isDeployed);
    await putCluster({}, 'wrong');
    await fixture.remove('app');
    await fixture.until('it says so', 'app', says('DeletionError', 'failed to get cluster info for'));
    await putCluster();
    await fixture.gone('app');
    expect(await valueThere('a')).toBeUndefined();
  });
});

describe('a cluster of some namespaces', () => {
  const role = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: reader\nrules: []\n';

  test('is asked about those only', async () => {
    const stray = { name: 'stray', namespace: 'api', labels: { [instanceLabel]: 'app' } };
    await remote.client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: stray,
      data: { value: '1' },
    });
    await putCluster({ namespaces: 'web' });
    await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
    await fixture.create('app', { syncPolicy: automated, destination, finalizers: [FINALIZER] });
    const { status } = await fixture.until('it is deployed', 'app', isDeployed);
    expect(status?.resources?.map(({ name }) => name)).toEqual(['a']);
    await fixture.remove('app');
    await fixture.gone('app');
    expect(await valueThere('a')).toBeUndefined();
    expect(await valueThere('stray', 'api')).toBe('1');
  });

  test.each([
    [
      'another namespace',
      configMap('a', '1', '  namespace: api\n'),
      'namespace "api" for ConfigMap "a" is not managed',
    ],
    ['none', role, 'cluster level ClusterRole "reader" can not be managed when in namespaced mode'],
  ])('takes no object of %s', async (_where, manifest, reason) => {
    await putCluster({ namespaces: 'web' });
    await fixture.repository.commit({ 'deploy/a.yaml': manifest });
    await fixture.create('app', { syncPolicy: automated, destination });
    await fixture.until('it is refused', 'app', says('ComparisonError', `Failed to load live state: ${reason}`));
    expect(await valueThere('a', 'api')).toBeUndefined();
  });

  test('takes objects of no namespace where the Secret says so', async () => {
    await putCluster({ namespaces: 'web', clusterResources: 'true' });
    await fixture.repository.commit({ 'deploy/role.yaml': role });
    await fixture.create('app', { syncPolicy: automated, destination });
    const done = await fixture.until('it is deployed', 'app', isDeployed);
    expect(done.status?.resources).toMatchObject([{ kind: 'ClusterRole', name: 'reader', status: 'Synced' }]);
  });
});

test('a Secret that is no cluster disturbs no other', async () => {
  await fixture.putSecret('broken', 'cluster', { name: 'broken', server: remote.url, config: '{' });
  await putCluster();
  await fixture.repository.commit({ 'deploy/a.yaml': configMap('a') });
  await fixture.create('app', { syncPolicy: automated, destination });
  await fixture.create('home', { syncPolicy: automated, destination: { name: 'in-cluster', namespace: TARGET } });
  await fixture.until('it is deployed', 'app', isDeployed);
  await fixture.until('the other is deployed', 'home', isDeployed);
});
