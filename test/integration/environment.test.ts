// Managed environments: from a kubeconfig in a Secret to rows, to Argo CD's cluster Secret, and back to conditions.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applications } from '../../src/api/argocd/application.ts';
import { applicationNameFor } from '../../src/api/labels.ts';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { secrets, type KubeObject } from '../../src/kube/object.ts';
import { aDeployment, deploymentsOf, orAbsent } from '../kit/deployments.ts';
import { aKubeconfig, becomes, createEnvironment, ownConditions, putKubeconfig } from '../kit/environments.ts';
import { eventually } from '../kit/eventually.ts';
import { serviceAccounts } from '../kit/original-remote.ts';
import { startRemoteCluster, type RemoteCluster } from '../kit/remote-cluster.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

const flags = { recheck: '1h' };

let world: World;
let backend: RunningHalf;
let remote: RemoteCluster;
let namespace: string;
let count = 0;

beforeAll(async () => {
  world = await createWorld();
  remote = await startRemoteCluster(['api', 'web']);
  backend = await world.start('backend', { flags });
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

const ref = () => ({ namespace, name: 'prod' });
const sql = <R>(text: string): Promise<R[]> => world.database.sql<R>(text);
const rowsOf = () =>
  sql<{ id: string; host: string; token: string; namespaces: string | null }>(
    `select e.managedenvironment_id as id, c.host, c.serviceaccount_bearer_token as token, c.namespaces
     from apicrtodatabasemapping m
     join managedenvironment e on e.managedenvironment_id = m.db_relation_key
     join clustercredentials c on c.clustercredentials_cred_id = e.clustercredentials_id
     where m.api_resource_namespace = '${namespace}' and m.api_resource_type = 'GitOpsDeploymentManagedEnvironment'`,
  );
const connected = () =>
  becomes(world, 'environment', { ...ref(), condition: /^ConnectionInitializationSucceeded=True Succeeded$/ });
const environment = async (spec: Parameters<typeof createEnvironment>[2] = { apiURL: remote.url }) => {
  await putKubeconfig(world, ref(), aKubeconfig({ server: spec.apiURL, token: remote.token }));
  return createEnvironment(world, ref(), spec);
};
const clusterSecret = async (id: string) =>
  orAbsent(world.client.get(secrets, { namespace: engineNamespace, name: `managed-env-${id}` }));
const deploy = (name = 'app') =>
  world.apply(aDeployment({ namespace, name, destination: { environment: 'prod', namespace: 'web' } }));
const applicationOf = async (name = 'app') => {
  const uid = (await deploymentsOf(world).get({ namespace, name }))?.metadata.uid ?? '';
  return orAbsent(world.client.get(applications, { namespace: engineNamespace, name: applicationNameFor(uid) }));
};

describe('an environment', () => {
  it('is connected, and its rows hold what Argo CD will use', async () => {
    await environment({ apiURL: remote.url, namespaces: ['web', 'api'] });
    await connected();
    expect(await rowsOf()).toMatchObject([{ host: remote.url, token: remote.token, namespaces: 'api,web' }]);
  });

  it('takes the deployments that name it to its cluster, also those that were there before it', async () => {
    await deploy();
    await eventually('the deployment says what it lacks', async () => {
      const deployment = await deploymentsOf(world).get({ namespace, name: 'app' });
      return deployment?.status?.conditions?.some(({ reason }) => reason === 'EnvironmentNotFound');
    });
    await environment();
    await connected();
    const [row] = await rowsOf();
    const application = await eventually('its Application is there', applicationOf);
    expect(application.spec.destination).toMatchObject({ name: `managed-env-${row?.id}`, namespace: 'web' });
    expect(await clusterSecret(row?.id ?? '')).toBeDefined();
  });

  it('hands a token that was changed in the Secret to Argo CD at once', async () => {
    await environment();
    await connected();
    await deploy();
    const [row] = await rowsOf();
    await eventually('its Application is there', applicationOf);
    const other = await tokenOf('other');
    await putKubeconfig(world, ref(), aKubeconfig({ server: remote.url, token: other }));
    await eventually('the cluster Secret has the new token', async () => {
      const secret = await clusterSecret(row?.id ?? '');
      return Buffer.from(secret?.data?.['config'] ?? '', 'base64')
        .toString()
        .includes(other);
    });
  });

  it('stays as it was while what is in the Secret does not work', async () => {
    await environment();
    await connected();
    const before = await rowsOf();
    await putKubeconfig(world, ref(), aKubeconfig({ server: remote.url, token: 'wrong' }));
    await becomes(world, 'environment', { ...ref(), condition: /UnableToValidateClusterCredentials/ });
    expect(await rowsOf()).toEqual(before);
  });

  it('that was made again while nobody looked takes the place of the old one', async () => {
    await environment();
    await connected();
    const [old] = await rowsOf();
    await backend.process.stop();
    await world.client.delete(gitOpsDeploymentManagedEnvironments, ref());
    await createEnvironment(world, ref(), { apiURL: remote.url });
    backend = await world.start('backend', { flags });
    await connected();
    const [row, ...more] = await rowsOf();
    expect(more).toEqual([]);
    expect(row?.id).not.toBe(old?.id);
  });

  it('leaves with all that was made for it, and its deployments say that they have nowhere to go', async () => {
    await environment();
    await connected();
    await deploy();
    await eventually('its Application is there', applicationOf);
    const [row] = await rowsOf();
    await world.client.delete(gitOpsDeploymentManagedEnvironments, ref());
    await eventually('the rows are gone', async () => (await rowsOf()).length === 0);
    await eventually('the cluster Secret is gone', async () => (await clusterSecret(row?.id ?? '')) === undefined);
    await eventually(
      'the Application names no cluster',
      async () => (await applicationOf())?.spec.destination.name !== `managed-env-${row?.id}`,
    );
    await eventually('the deployment says what it lacks', async () => {
      const deployment = await deploymentsOf(world).get({ namespace, name: 'app' });
      return deployment?.status?.conditions?.some(({ reason }) => reason === 'EnvironmentNotFound');
    });
    expect(await sql(`select 1 from appprojectmanagedenvironment where managed_environment_id = '${row?.id}'`)).toEqual(
      [],
    );
    expect(await sql(`select 1 from clusteraccess where clusteraccess_managed_environment_id = '${row?.id}'`)).toEqual(
      [],
    );
  });

  it('has a ServiceAccount made for it, which goes with it', async () => {
    const { metadata } = await environment({ apiURL: remote.url, createNewServiceAccount: true });
    await connected();
    const name = `argocd-manager-${metadata.uid}`;
    expect(await remoteObject(name)).toBeDefined();
    const [row] = await rowsOf();
    expect(row?.token).not.toBe(remote.token);
    await world.client.delete(gitOpsDeploymentManagedEnvironments, ref());
    await eventually('the ServiceAccount is gone', async () => (await remoteObject(name)) === undefined);
  });

  it.each([
    [
      /SecretNotFound secret 'prod' referenced by managed environment 'prod' in 'team-\d+', could not be retrieved/,
      async () => createEnvironment(world, ref(), { apiURL: remote.url }),
    ],
    [
      /=Unknown UnsupportedAPIURL the API URL must not have \? or & values$/,
      async () => environment({ apiURL: `${remote.url}?a=b` }),
    ],
    [
      /=False MissingKubeConfigField missing kubeconfig field in Secret$/,
      async () => {
        await world.client.create(secrets, {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: ref(),
          type: 'managed-gitops.redhat.com/managed-environment',
          data: {},
        });
        return createEnvironment(world, ref(), { apiURL: remote.url });
      },
    ],
    [
      /=False InvalidSecretType invalid secret type: Opaque$/,
      async () => {
        await world.client.create(secrets, {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: ref(),
          type: 'Opaque',
          data: {},
        });
        return createEnvironment(world, ref(), { apiURL: remote.url });
      },
    ],
    [
      /=Unknown UnableToValidateClusterCredentials Certificate signed by unknown authority\./,
      async () => environment({ apiURL: remote.url, allowInsecureSkipTLSVerify: false }),
    ],
  ])('says %s', async (condition, make) => {
    await make();
    await becomes(world, 'environment', { ...ref(), condition });
    expect(await ownConditions(world, 'environment', ref())).toHaveLength(1);
    expect(await rowsOf()).toEqual([]);
  });
});

/** A token of a new account on the other cluster, with all rights. */
const tokenOf = async (name: string): Promise<string> => {
  const account = { namespace: 'kube-system', name };
  await remote.client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
  const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
  await remote.client.raw({
    method: 'POST',
    path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
    body: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules },
  });
  await remote.client.raw({
    method: 'POST',
    path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    },
  });
  const answer = await remote.client.raw({
    method: 'POST',
    path: `/api/v1/namespaces/kube-system/serviceaccounts/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  return (answer as { status: { token: string } }).status.token; // a TokenRequest
};

const remoteObject = (name: string): Promise<KubeObject | undefined> =>
  orAbsent(remote.client.get(serviceAccounts, { namespace: 'kube-system', name }));
