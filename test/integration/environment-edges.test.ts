// Environments that change while they are used: what stays still, and whom it does not touch.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { readSpecField } from '../../src/domain/spec-field.ts';
import { aDeployment, deploymentsOf } from '../kit/deployments.ts';
import { aKubeconfig, becomes, createEnvironment, putKubeconfig } from '../kit/environments.ts';
import { eventually } from '../kit/eventually.ts';
import { startRemoteCluster, type RemoteCluster } from '../kit/remote-cluster.ts';
import { createWorld, type World } from '../kit/world.ts';

let world: World;
let remote: RemoteCluster;
let namespace: string;
let count = 0;

beforeAll(async () => {
  world = await createWorld();
  remote = await startRemoteCluster(['web', 'api']);
  await world.start('backend', { flags: { recheck: '1h' } });
  await world.start('agent');
});
afterAll(async () => {
  await world.stop();
  await remote.stop();
});
beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
});

const ref = (name = 'prod') => ({ namespace, name });
const sql = <R>(text: string): Promise<R[]> => world.database.sql<R>(text);
const environment = async (name = 'prod') => {
  await putKubeconfig(world, ref(name), aKubeconfig({ server: remote.url, token: remote.token }));
  await createEnvironment(world, ref(name), { apiURL: remote.url });
  await becomes(world, 'environment', { ...ref(name), condition: /=True Succeeded$/ });
};
const idOf = async (name: string): Promise<string | undefined> => {
  const [row] = await sql<{ id: string }>(
    `select db_relation_key as id from apicrtodatabasemapping where api_resource_type = 'GitOpsDeploymentManagedEnvironment'
     and api_resource_namespace = '${namespace}' and api_resource_name = '${name}'`,
  );
  return row?.id;
};
const change = (name: string, spec: object) =>
  world.client.patch(gitOpsDeploymentManagedEnvironments, ref(name), { type: 'merge', body: { spec } });
const conditionsOf = async (name = 'prod') =>
  (await world.client.get(gitOpsDeploymentManagedEnvironments, ref(name))).status?.conditions;

describe('a condition', () => {
  it('that says the same keeps the time at which it began to, also after a change of the spec', async () => {
    await environment();
    const before = (await conditionsOf())?.find(({ type }) => type.startsWith('Connection'));
    await change('prod', { namespaces: ['web', 'api'] });
    await eventually('the rows have followed', async () => {
      const [row] = await sql<{ namespaces: string }>(
        `select namespaces from clustercredentials c join managedenvironment e
         on e.clustercredentials_id = c.clustercredentials_cred_id where managedenvironment_id = '${await idOf('prod')}'`,
      );
      return row?.namespaces === 'api,web';
    });
    await world.quiet();
    expect((await conditionsOf())?.find(({ type }) => type.startsWith('Connection'))).toEqual(before);
  });
});

describe('what a project permits', () => {
  const permitted = () =>
    sql<{ id: string }>(
      `select managed_environment_id as id from appprojectmanagedenvironment p join clusteruser u
       on u.clusteruser_id = p.clusteruser_id where u.display_name = '${namespace}' order by p.seq_id`,
    );

  it('comes with an environment, stays while it changes, goes with it, and leaves the others alone', async () => {
    await environment('one');
    await environment('other');
    const [one, other] = [await idOf('one'), await idOf('other')];
    expect(await permitted()).toEqual([{ id: one }, { id: other }]);
    await change('one', { namespaces: ['web'] });
    await world.quiet();
    expect(await permitted()).toEqual([{ id: one }, { id: other }]);
    await world.client.delete(gitOpsDeploymentManagedEnvironments, ref('one'));
    await eventually('the first is gone', async () => (await idOf('one')) === undefined);
    expect(await permitted()).toEqual([{ id: other }]);
  });
});

describe('a deployment', () => {
  const target = async (name: string | null) => {
    const destination = name === null ? null : { environment: name, namespace: 'web' };
    await world.client.patch(gitOpsDeployments, ref('app'), { type: 'merge', body: { spec: { destination } } });
  };
  const row = async () => {
    const [found] = await sql<{ environment: string | null; spec: string }>(
      `select a.managed_environment_id as environment, a.spec_field as spec from application a
       join deploymenttoapplicationmapping m on m.application_id = a.application_id where m.namespace = '${namespace}'`,
    );
    return found && { environment: found.environment, name: readSpecField(found.spec).destination.name };
  };
  const goesTo = (environmentId: string | null, name: string) =>
    eventually(`rows and Application name ${name || 'nothing'}`, async () => {
      const deployment = await deploymentsOf(world).get(ref('app'));
      const application = deployment && (await deploymentsOf(world).application(deployment));
      const seen = { ...(await row()), application: application?.spec.destination.name ?? '' };
      if (JSON.stringify(seen) === JSON.stringify({ environment: environmentId, name, application: name })) return true;
      throw new Error(JSON.stringify(seen));
    });

  it('goes from its own namespace to an environment, to another, back, and nowhere when that is deleted', async () => {
    await environment('one');
    await environment('other');
    const [one = '', other = ''] = [await idOf('one'), await idOf('other')];
    await world.apply(aDeployment(ref('app')));
    const own = await eventually('it has rows', row);
    expect(own.name).toBe('in-cluster');
    await goesTo(own.environment, 'in-cluster');
    await target('one');
    await goesTo(one, `managed-env-${one}`);
    await target('other');
    await goesTo(other, `managed-env-${other}`);
    await target(null);
    await goesTo(own.environment, 'in-cluster');
    await target('other');
    await goesTo(other, `managed-env-${other}`);
    await world.client.delete(gitOpsDeploymentManagedEnvironments, ref('other'));
    await goesTo(null, '');
  });
});
