// Our backend beside the original's agent, for environments and credentials: rows and Operations as that agent reads them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationName } from '../../../src/api/labels.ts';
import { gitOpsDeploymentManagedEnvironments } from '../../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentials } from '../../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { operations } from '../../../src/api/v1alpha1/operation.ts';
import { parseYaml } from '../../../src/lib/yaml.ts';
import { aDeployment } from '../../kit/deployments.ts';
import {
  aKubeconfig,
  becomes,
  createCredential,
  createEnvironment,
  putCredential,
  putKubeconfig,
} from '../../kit/environments.ts';
import { eventually } from '../../kit/eventually.ts';
import { startGitHttpServer, type GitHttpServer } from '../../../src/sandbox/git-http-server.ts';
import { createGitRepository } from '../../kit/git-repository.ts';
import { createSshKey, startGitSshServer, type GitSshServer } from '../../kit/git-ssh-server.ts';
import { startRemoteCluster, type RemoteCluster } from '../../kit/remote-cluster.ts';
import { createWorld, engineNamespace, type World } from '../../kit/world.ts';
import { copyToOriginal, oddKeys } from './original-half.ts';

interface Ticket {
  readonly operation_id: string;
  readonly instance_id: string;
  readonly resource_id: string;
  readonly resource_type: string;
  readonly state: string;
  readonly operation_owner_user_id: string;
}

const login = { username: 'Bot', password: 'secret-password' };
const smallKey = createSshKey('ed25519');
const largeKey = createSshKey('rsa');

let world: World;
let remote: RemoteCluster;
let folder: string;
let https: GitHttpServer;
let ssh: GitSshServer;
let uids: Readonly<Record<'environment' | 'credential', string>>;

const sql = <R>(text: string): Promise<R[]> => world.database.sql<R>(text);
const one = async <R>(text: string): Promise<R | undefined> => (await sql<R>(text))[0];
const count = async (from: string) => (await sql(`select from ${from}`)).length;
const environmentRef = { namespace: 'team', name: 'prod' };
const credentialRef = { namespace: 'team', name: 'private' };

/** Operations that wait, in the order in which they were made. */
const waiting = (types: readonly string[]): Promise<readonly Ticket[]> =>
  eventually(`Operations ${types.join(', ')} wait`, async () => {
    const rows = await sql<Ticket>(`select * from operation where state = 'Waiting' order by seq_id`);
    const isMeant = rows.length === types.length && rows.every((row, index) => row.resource_type === types[index]);
    return isMeant ? rows : undefined;
  });

/** Ends Operations as the original's agent does. */
const carryOut = async (tickets: readonly Ticket[]): Promise<void> => {
  for (const state of ['In_Progress', 'Completed'])
    for (const { operation_id: id } of tickets)
      await sql(`update operation set state = '${state}', last_state_update = now() where operation_id = '${id}'`);
};

/** Each has its object where that agent looks for it, the tenant as its owner, and this Argo CD. */
const expectOrdered = async (tickets: readonly Ticket[]): Promise<void> => {
  const owner = await one<{ id: string }>('select clusteruser_id as id from clusteruser');
  const instance = await one<{ id: string }>('select gitopsengineinstance_id as id from gitopsengineinstance');
  for (const ticket of tickets) {
    expect(ticket).toMatchObject({ instance_id: instance?.id, operation_owner_user_id: owner?.id });
    const ref = { namespace: engineNamespace, name: operationName(ticket.operation_id) };
    const object = await eventually('its object is there', () => world.client.get(operations, ref));
    expect(object.spec).toEqual({ operationID: ticket.operation_id });
  }
};

const environmentRow = () =>
  one<{ id: string; name: string; credentials: string }>(
    `select managedenvironment_id as id, name, clustercredentials_id as credentials from managedenvironment
     where managedenvironment_id in (
       select db_relation_key from apicrtodatabasemapping where db_relation_type = 'ManagedEnvironment')`,
  );
const credentialRow = () =>
  one<Record<string, string | null>>(
    `select repositorycredentials_id, repo_cred_user_id, repo_cred_url, repo_cred_user, repo_cred_pass, repo_cred_ssh,
       repo_cred_secret, repo_cred_engine_id from repositorycredentials`,
  );
const link = (uid: string) =>
  one(`select api_resource_type, api_resource_name, api_resource_namespace, api_resource_namespace_uid,
      db_relation_type, db_relation_key from apicrtodatabasemapping where api_resource_uid = '${uid}'`);
const applicationRow = () =>
  one<{ application_id: string; managed_environment_id: string | null; spec_field: string }>(
    'select application_id, managed_environment_id, spec_field from application',
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'served-'));
  const repository = await createGitRepository();
  await repository.commit({ 'app.yaml': 'a: 1\n' });
  await repository.git('clone', '--quiet', '--bare', repository.folder, join(folder, 'App.git'));
  await repository.remove();
  https = await startGitHttpServer(folder, { searchPath: process.env['PATH'] ?? '', login });
  ssh = await startGitSshServer(folder, [smallKey, largeKey]);
  remote = await startRemoteCluster(['api', 'web']);
  world = await createWorld();
  await world.createNamespace('team');
  await world.start('backend', { flags: { compat: 'original', recheck: '1h' } });
});
afterAll(async () => {
  await world.stop();
  await remote.stop();
  await Promise.all([https.stop(), ssh.stop()]);
  await rm(folder, { recursive: true });
});

const connected = () => becomes(world, 'environment', { ...environmentRef, condition: /=True Succeeded$/ });

describe('an environment of our backend', () => {
  it('is the rows that the original would write, and no Operation: nothing is deployed to it yet', async () => {
    await putKubeconfig(world, environmentRef, aKubeconfig({ server: remote.url, token: remote.token }));
    const { metadata } = await createEnvironment(world, environmentRef, {
      apiURL: remote.url,
      namespaces: ['web', 'api'],
      clusterResources: true,
    });
    uids = { environment: metadata.uid ?? '', credential: '' };
    await connected();
    const row = await environmentRow();
    expect(row?.name).toBe('prod');
    const credentials = await one(
      `select host, kube_config, kube_config_context, serviceaccount_bearer_token, serviceaccount_ns,
         allowinsecure_skiptlsverify, namespaces, cluster_resources
       from clustercredentials where clustercredentials_cred_id = '${row?.credentials}'`,
    );
    expect(credentials).toEqual({
      host: remote.url,
      kube_config: null,
      kube_config_context: null,
      serviceaccount_bearer_token: remote.token,
      serviceaccount_ns: 'kube-system',
      allowinsecure_skiptlsverify: true,
      namespaces: 'api,web',
      cluster_resources: true,
    });
    const user = await one<{ id: string; uid: string }>(
      'select clusteruser_id as id, user_name as uid from clusteruser',
    );
    expect(await link(uids.environment)).toEqual({
      api_resource_type: 'GitOpsDeploymentManagedEnvironment',
      api_resource_name: 'prod',
      api_resource_namespace: 'team',
      api_resource_namespace_uid: user?.uid,
      db_relation_type: 'ManagedEnvironment',
      db_relation_key: row?.id,
    });
    const permitted = `where clusteruser_id = '${user?.id}' and managed_environment_id = '${row?.id}'`;
    expect(await count(`appprojectmanagedenvironment ${permitted}`)).toBe(1);
    expect(
      await sql(`select clusteraccess_user_id as owner, clusteraccess_gitops_engine_instance_id is not null as placed
        from clusteraccess where clusteraccess_managed_environment_id = '${row?.id}'`),
    ).toEqual([{ owner: user?.id, placed: true }]);
    expect(await count('operation')).toBe(0);
  });

  it('has no conditions that the original does not know', async () => {
    const { status } = await world.client.get(gitOpsDeploymentManagedEnvironments, environmentRef);
    expect(status?.conditions?.map(({ type }) => type)).toEqual(['ConnectionInitializationSucceeded']);
  });

  it("is where an Application's text leads, by the name of the cluster Secret that the agent makes of its row", async () => {
    await world.apply(aDeployment({ namespace: 'team', destination: { environment: 'prod', namespace: 'web' } }));
    const tickets = await waiting(['Application']);
    await expectOrdered(tickets);
    const [environment, application] = [await environmentRow(), await applicationRow()];
    expect(tickets[0]?.resource_id).toBe(application?.application_id);
    expect(application?.managed_environment_id).toBe(environment?.id);
    const document = parseYaml(application?.spec_field ?? '');
    expect(oddKeys(document)).toEqual([]);
    expect(document).toMatchObject({
      spec: { destination: { server: '', namespace: 'web', name: `managed-env-${environment?.id}` } },
    });
    await carryOut(tickets);
  });

  it('whose values change is told by an Operation for each Application that uses it: the agent renews the Secret then', async () => {
    const body = { spec: { namespaces: null, clusterResources: null } };
    await world.client.patch(gitOpsDeploymentManagedEnvironments, environmentRef, { type: 'merge', body });
    const tickets = await waiting(['Application']);
    await expectOrdered(tickets);
    const { id = '', credentials = '' } = (await environmentRow()) ?? {};
    expect(tickets[0]?.resource_id).toBe((await applicationRow())?.application_id);
    expect(
      await one(`select namespaces, cluster_resources from clustercredentials
        where clustercredentials_cred_id = '${credentials}'`),
    ).toEqual({ namespaces: null, cluster_resources: false });
    expect(id).not.toBe('');
    await carryOut(tickets);
  });

  it('is checked again without any Operation when only the other words of its kubeconfig change', async () => {
    await world.quiet();
    const before = (await world.writes()).requests['create operations'];
    const hash = `select input_hash as hash from clustercredentials where host = '${remote.url}'`;
    const former = await one<{ hash: string }>(hash);
    const words = aKubeconfig({ server: remote.url, token: remote.token, cluster: { 'tls-server-name': 'other' } });
    await putKubeconfig(world, environmentRef, words);
    await eventually('it is noted', async () => (await one<{ hash: string }>(hash))?.hash !== former?.hash);
    await world.quiet();
    expect((await world.writes()).requests['create operations']).toBe(before);
  });
});

describe('a credential of our backend', () => {
  it('is the row that the original would write, and an Operation about it', async () => {
    const repository = `${https.url}/App.git`;
    await putCredential(world, credentialRef, login);
    const { metadata } = await createCredential(world, credentialRef, { repository });
    uids = { ...uids, credential: metadata.uid ?? '' };
    const tickets = await waiting(['RepositoryCredentials']);
    await expectOrdered(tickets);
    const row = await credentialRow();
    expect(row).toEqual({
      repositorycredentials_id: tickets[0]?.resource_id,
      repo_cred_user_id: tickets[0]?.operation_owner_user_id,
      repo_cred_url: repository,
      repo_cred_user: login.username,
      repo_cred_pass: login.password,
      repo_cred_ssh: null,
      repo_cred_secret: 'private',
      repo_cred_engine_id: tickets[0]?.instance_id,
    });
    expect(await link(uids.credential)).toMatchObject({
      api_resource_type: 'GitOpsDeploymentRepositoryCredential',
      api_resource_name: 'private',
      db_relation_type: 'RepositoryCredential',
      db_relation_key: row?.['repositorycredentials_id'],
    });
    // The key of the repository in the tenant's project is the URL in small letters, without its end.
    expect(await count(`appprojectrepository where repo_url = '${https.url}/app'`)).toBe(1);
    await carryOut(tickets);
  });

  it('says that it is valid, and nothing that the original does not know', async () => {
    await becomes(world, 'credential', { ...credentialRef, condition: /^ErrorOccurred=False/ });
    const { status } = await world.client.get(gitOpsDeploymentRepositoryCredentials, credentialRef);
    expect(status?.conditions?.map(({ type, status: holds }) => `${type}=${holds}`)).toEqual([
      'ErrorOccurred=False',
      'ValidRepositoryCredential=True',
      'ValidRepositoryURL=True',
    ]);
  });

  it('that changes is told by another Operation in the same namespace, about the same row', async () => {
    const before = await credentialRow();
    const repository = `ssh://git@127.0.0.1:${ssh.port}/App.git`;
    await putCredential(world, credentialRef, { sshPrivateKey: smallKey.private });
    const body = { spec: { repository } };
    await world.client.patch(gitOpsDeploymentRepositoryCredentials, credentialRef, { type: 'merge', body });
    const row = await eventually('the row has the other URL', async () => {
      const now = await credentialRow();
      return now?.['repo_cred_url'] === repository ? now : undefined;
    });
    expect(row['repositorycredentials_id']).toBe(before?.['repositorycredentials_id']);
    expect(row['repo_cred_ssh']).toBe(smallKey.private);
    const tickets = await waiting(['RepositoryCredentials']);
    await expectOrdered(tickets);
    expect(tickets[0]?.resource_id).toBe(row['repositorycredentials_id']);
    expect(await sql('select repo_url from appprojectrepository order by repo_url')).toEqual([
      { repo_url: `git@127.0.0.1:${ssh.port}/app` },
      { repo_url: 'https://github.com/org/repo' },
    ]);
    await carryOut(tickets);
  });
});

describe("the rows of environments and credentials, in the original's schema", () => {
  it('fit its lengths, required columns and references', async () => {
    expect(await copyToOriginal(world.database)).toMatchObject({
      clustercredentials: expect.any(Number),
      managedenvironment: 2,
      clusteraccess: 2,
      apicrtodatabasemapping: 2,
      appprojectmanagedenvironment: 1,
      appprojectrepository: 2,
      repositorycredentials: 1,
      operation: expect.any(Number),
    });
  });

  it('only do not fit where a team asks for more than it could ever hold: an RSA key has more than 1024 characters', async () => {
    await putCredential(world, credentialRef, { sshPrivateKey: largeKey.private });
    const tickets = await waiting(['RepositoryCredentials']);
    expect((await credentialRow())?.['repo_cred_ssh']).toBe(largeKey.private);
    await expect(copyToOriginal(world.database)).rejects.toThrow('SQLSTATE 22001');
    await carryOut(tickets);
    await putCredential(world, credentialRef, { sshPrivateKey: smallKey.private });
    await carryOut(await waiting(['RepositoryCredentials']));
  });
});

describe('what our backend removes', () => {
  it('is, for an environment, its rows; each Application names no cluster; the agent is told of these first', async () => {
    const { id = '', credentials = '' } = (await environmentRow()) ?? {};
    await world.client.delete(gitOpsDeploymentManagedEnvironments, environmentRef);
    const tickets = await waiting(['Application', 'ManagedEnvironment']);
    await expectOrdered(tickets);
    const application = await applicationRow();
    expect(tickets.map(({ resource_id }) => resource_id)).toEqual([application?.application_id, id]);
    expect(application?.managed_environment_id).toBeNull();
    expect(parseYaml(application?.spec_field ?? '')).toMatchObject({
      spec: { destination: { server: '', namespace: 'web', name: '' } },
    });
    // The agent fails an Operation about an environment that still has a row.
    expect(await count(`managedenvironment where managedenvironment_id = '${id}'`)).toBe(0);
    expect(await count(`clustercredentials where clustercredentials_cred_id = '${credentials}'`)).toBe(0);
    expect(await count(`clusteraccess where clusteraccess_managed_environment_id = '${id}'`)).toBe(0);
    expect(await count(`appprojectmanagedenvironment where managed_environment_id = '${id}'`)).toBe(0);
    expect(await link(uids.environment)).toBeUndefined();
    await copyToOriginal(world.database);
    await carryOut(tickets);
  });

  it('is, for a credential, its row, its link, and the repository in the project', async () => {
    const id = (await credentialRow())?.['repositorycredentials_id'];
    await world.client.delete(gitOpsDeploymentRepositoryCredentials, credentialRef);
    const tickets = await waiting(['RepositoryCredentials']);
    await expectOrdered(tickets);
    expect(tickets[0]?.resource_id).toBe(id);
    expect([await credentialRow(), await link(uids.credential)]).toEqual([undefined, undefined]);
    expect(await sql('select repo_url from appprojectrepository')).toEqual([
      { repo_url: 'https://github.com/org/repo' },
    ]);
    await copyToOriginal(world.database);
    await carryOut(tickets);
  });

  it('leaves no Operation behind: row and object are collected', async () => {
    await eventually('they are gone', async () => (await count('operation')) === 0);
    const { items } = await world.client.list(operations, { namespace: engineNamespace });
    expect(items).toEqual([]);
  });
});
