// What is made on another cluster for an environment that nobody wants any more when it is there.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import type { Gate } from '../../src/lib/gate.ts';
import { orAbsent } from '../kit/deployments.ts';
import { aKubeconfig, becomes, createEnvironment, putKubeconfig } from '../kit/environments.ts';
import { eventually } from '../kit/eventually.ts';
import { serviceAccounts } from '../kit/original-remote.ts';
import { startRemoteCluster, type RemoteCluster } from '../kit/remote-cluster.ts';
import { createWorld, type RunningHalf, type World } from '../kit/world.ts';

/** Holds calls of one name until it is told to let them go. */
const createHold = (name: string) => {
  let arrived = Promise.withResolvers<void>();
  let released = Promise.withResolvers<void>();
  released.resolve();
  const gate: Gate = async (call, run) => {
    if (call.name === name) {
      arrived.resolve();
      await released.promise;
    }
    return run();
  };
  return {
    gate,
    close(): void {
      arrived = Promise.withResolvers();
      released = Promise.withResolvers();
    },
    whenHeld: () => arrived.promise,
    open: () => released.resolve(),
  };
};

const binding = createHold('POST clusterrolebindings');

let world: World;
let backend: RunningHalf;
let [here, elsewhere]: RemoteCluster[] = [];
let namespace: string;
let count = 0;

beforeAll(async () => {
  [world, here, elsewhere] = await Promise.all([createWorld(), startRemoteCluster(), startRemoteCluster()]);
  backend = await world.start('backend', { gate: binding.gate, flags: { recheck: '1h' } });
  await world.start('agent');
});
afterAll(async () => {
  binding.open();
  await world.stop();
  await here?.stop();
  await elsewhere?.stop();
});
beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
});

const ref = () => ({ namespace, name: 'prod' });
const accountOn = (cluster: RemoteCluster | undefined, uid = '') =>
  orAbsent(cluster!.client.get(serviceAccounts, { namespace: 'kube-system', name: `argocd-manager-${uid}` })); // it runs
const put = ({ url, token }: RemoteCluster) => putKubeconfig(world, ref(), aKubeconfig({ server: url, token }));
const create = async (cluster: RemoteCluster, more = {}) => {
  await put(cluster);
  const made = await createEnvironment(world, ref(), { apiURL: cluster.url, createNewServiceAccount: true, ...more });
  return made.metadata.uid ?? '';
};
const cleanups = () => world.database.sql('select host, due_at > requested_at as later from environment_cleanup');

describe('a ServiceAccount', () => {
  it('that is made for an environment while that is deleted goes too', async () => {
    binding.close();
    const uid = await create(here!);
    await binding.whenHeld();
    const passes = await backend.passes('environment');
    await world.client.delete(gitOpsDeploymentManagedEnvironments, ref());
    await eventually('the lane has seen it go', async () => (await backend.passes('environment')) > passes);
    expect(await accountOn(here, uid)).toBeDefined();
    binding.open();
    await eventually('the account is gone', async () => (await accountOn(here, uid)) === undefined);
    await eventually('nothing is noted any more', async () => (await cleanups()).length === 0);
  });

  it('that is made on a cluster while the team names another one is noted as what is to go', async () => {
    binding.close();
    const uid = await create(here!);
    await binding.whenHeld();
    await put(elsewhere!);
    const body = { spec: { apiURL: elsewhere!.url } };
    await world.client.patch(gitOpsDeploymentManagedEnvironments, ref(), { type: 'merge', body });
    binding.open();
    const condition = /^ConnectionInitializationSucceeded=True Succeeded$/;
    await becomes(world, 'environment', { ...ref(), condition });
    expect(await accountOn(elsewhere, uid)).toBeDefined();
    await eventually('it is noted', async () => (await cleanups()).length > 0);
    expect(await cleanups(), 'after a while: the team may change its mind').toEqual([{ host: here!.url, later: true }]);
    await put(here!);
    const back = { spec: { apiURL: here!.url } };
    await world.client.patch(gitOpsDeploymentManagedEnvironments, ref(), { type: 'merge', body: back });
    await eventually('the account is in use again, and the other one is to go', async () => {
      const [one, ...more] = await world.database.sql<{ host: string }>('select host from environment_cleanup');
      return one?.host === elsewhere!.url && more.length === 0;
    });
  });

  it('that turned out to be of no use is not left on the cluster', async () => {
    const uid = await create(here!, { namespaces: ['nowhere'] });
    await becomes(world, 'environment', { ...ref(), condition: /UnableToValidateClusterCredentials/ });
    await eventually('the account is gone', async () => (await accountOn(here, uid)) === undefined);
  });
});
