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
let here: RemoteCluster;
let elsewhere: RemoteCluster;
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
  await here.stop();
  await elsewhere.stop();
});
beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
});

const ref = () => ({ namespace, name: 'prod' });
const accountOn = ({ client }: RemoteCluster, uid: string) =>
  orAbsent(client.get(serviceAccounts, { namespace: 'kube-system', name: `argocd-manager-${uid}` }));
const put = ({ url, token }: RemoteCluster) => putKubeconfig(world, ref(), aKubeconfig({ server: url, token }));
const create = async (cluster: RemoteCluster, more = {}) => {
  await put(cluster);
  const made = await createEnvironment(world, ref(), { apiURL: cluster.url, createNewServiceAccount: true, ...more });
  return made.metadata.uid ?? '';
};
const cleanups = (uid: string) =>
  world.database.sql<{ host: string; later: boolean }>(
    `select host, due_at > requested_at as later from environment_cleanup where environment_uid = '${uid}' order by host`,
  );
const later = ({ url }: RemoteCluster) => ({ host: url, later: true });
const patch = (spec: object) =>
  world.client.patch(gitOpsDeploymentManagedEnvironments, ref(), { type: 'merge', body: { spec } });
const move = async (cluster: RemoteCluster): Promise<void> => {
  await put(cluster);
  await patch({ apiURL: cluster.url });
};
const connected = () =>
  becomes(world, 'environment', { ...ref(), condition: /^ConnectionInitializationSucceeded=True Succeeded$/ });

describe('a ServiceAccount', () => {
  it('that is made for an environment while that is deleted goes too', async () => {
    binding.close();
    const uid = await create(here);
    await binding.whenHeld();
    const passes = await backend.passes('environment');
    await world.client.delete(gitOpsDeploymentManagedEnvironments, ref());
    await eventually('the lane has seen it go', async () => (await backend.passes('environment')) > passes);
    expect(await accountOn(here, uid)).toBeDefined();
    binding.open();
    await eventually('the account is gone', async () => (await accountOn(here, uid)) === undefined);
    await eventually('nothing is noted any more', async () => (await cleanups(uid)).length === 0);
  });

  it('that is made on a cluster while the team names another one is noted as what is to go', async () => {
    binding.close();
    const uid = await create(here);
    await binding.whenHeld();
    await move(elsewhere);
    binding.open();
    await connected();
    expect(await accountOn(elsewhere, uid)).toBeDefined();
    await eventually('it is noted', async () => (await cleanups(uid)).length > 0);
    expect(await cleanups(uid), 'after a while: the team may change its mind').toEqual([later(here)]);
  });

  it('stays where the team goes back to, and the other one is noted', async () => {
    const uid = await create(here);
    await connected();
    await move(elsewhere);
    await eventually('the first is noted', async () => (await cleanups(uid)).some(({ host }) => host === here.url));
    await move(here);
    await eventually('only the second is', async () => {
      const [one, ...more] = await cleanups(uid);
      return one?.host === elsewhere.url && more.length === 0;
    });
    await connected();
    expect(await accountOn(here, uid)).toBeDefined();
  });

  it('that is made while the team decides to do without one is noted as what is to go', async () => {
    binding.close();
    const uid = await create(here);
    await binding.whenHeld();
    const passes = await backend.passes('environment');
    await patch({ createNewServiceAccount: false });
    await eventually('the lane has seen it', async () => (await backend.passes('environment')) > passes);
    binding.open();
    await connected();
    await eventually('it is noted', async () => (await cleanups(uid)).length > 0);
    expect(await cleanups(uid)).toEqual([later(here)]);
  });

  it('that turned out to be of no use is not left on the cluster', async () => {
    binding.close();
    const uid = await create(here, { namespaces: ['nowhere'] });
    await binding.whenHeld();
    expect(await accountOn(here, uid)).toBeDefined();
    binding.open();
    await becomes(world, 'environment', { ...ref(), condition: /UnableToValidateClusterCredentials/ });
    await eventually('the account is gone', async () => (await accountOn(here, uid)) === undefined);
  });
});
