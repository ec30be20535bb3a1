// Environments and credentials of the original are continued: what works stays as it is, in rows and in Argo CD.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appProjects, type AppProject } from '../../src/api/argocd/app-project.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { secrets } from '../../src/kube/object.ts';
import { orAbsent } from '../kit/deployments.ts';
import { aKubeconfig, becomes, ownConditions, putCredential, putKubeconfig } from '../kit/environments.ts';
import { eventually } from '../kit/eventually.ts';
import { startGitHttpServer, type GitHttpServer } from '../../src/sandbox/git-http-server.ts';
import { makeServedFolder } from '../kit/served-folder.ts';
import { createSshKey, startGitSshServer, type GitSshServer } from '../kit/git-ssh-server.ts';
import { originalInsert } from '../kit/original-database.ts';
import {
  makeOriginalCredential,
  makeOriginalEnvironment,
  type OriginalEnvironment,
  type OriginalOutside,
} from '../kit/original-environment.ts';
import { makeOriginal, type OriginalDeployment, type OriginalInstallation } from '../kit/original-installation.ts';
import { installOriginalAccount, issueOriginalToken, serviceAccounts } from '../kit/original-remote.ts';
import { readOriginalRows, rowDifferences, type OriginalValues } from '../kit/original-rows.ts';
import { startRemoteCluster, type RemoteCluster } from '../kit/remote-cluster.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

const login = { username: 'git', password: 'secret-password' };
const sshKey = createSshKey('ed25519');

let world: World;
let remote: RemoteCluster;
let folder: string;
let https: GitHttpServer;
let ssh: GitSshServer;
let outside: OriginalOutside;
let made: OriginalInstallation;
let installed: OriginalDeployment;
let before: OriginalValues;
let objectsBefore: unknown;
let projectBefore: AppProject['spec'];
let halves: readonly RunningHalf[];

const sql = <R>(text: string): Promise<R[]> => world.database.sql<R>(text);
const team = (name: string) => ({ namespace: 'team-a', name });
const own = (condition: RegExp, name: string, kind: 'environment' | 'credential') =>
  becomes(world, kind, { ...team(name), condition });

const makeOutside: NonNullable<Parameters<typeof makeOriginal>[1]>['makeOutside'] = async (of, rows, tenant) => {
  const environment = (name: string, more: Partial<OriginalEnvironment> = {}) =>
    makeOriginalEnvironment(of, rows, {
      tenant,
      name,
      apiURL: remote.url,
      token: async () => remote.token,
      kubeconfig: aKubeconfig({ server: remote.url, token: remote.token }),
      ...more,
    });
  const credential = (name: string, repository: string, values: Readonly<Record<string, string>>) =>
    makeOriginalCredential(of, rows, { tenant, name, repository, values, hasSecret: true });
  const environments = {
    prod: await environment('prod'),
    limited: await environment('limited', { namespaces: ['web', 'api'], clusterResources: true }),
    installed: await environment('installed', {
      createNewServiceAccount: true,
      async token(uid) {
        await installOriginalAccount(remote, uid);
        return issueOriginalToken(remote, uid);
      },
    }),
    // Its team has changed the Secret since: the original did not look at it, because what it had still worked.
    changed: await environment('changed', { kubeconfig: aKubeconfig({ server: remote.url, token: 'wrong' }) }),
  };
  const byPassword = `${https.url}/app.git`;
  const bySsh = `ssh://git@127.0.0.1:${ssh.port}/app.git`;
  const credentialId = await credential('private', byPassword, login);
  await credential('by-ssh', bySsh, { sshPrivateKey: sshKey.private });
  return { environments, credentialId, repositories: [`${https.url}/app`, `git@127.0.0.1:${ssh.port}/app`] };
};

const projectOfTeam = async () => {
  const ref = { namespace: engineNamespace, name: `app-project-${made.teamA.userId}` };
  return (await world.client.get(appProjects, ref)).spec;
};
const versions = async () => {
  const ref = { namespace: engineNamespace };
  const labelSelector = 'argocd.argoproj.io/secret-type';
  const all = await Promise.all([
    world.client.list(applications, ref),
    world.client.list(secrets, { ...ref, labelSelector }),
  ]);
  return all.flatMap(({ items }) => items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`));
};
const ordered = async () => (await world.writes()).requests['create operations'] ?? 0;

const startHalves = async () => {
  halves = [await world.start('backend', { flags: { recheck: '1h' } }), await world.start('agent')];
};
const stopHalves = () => Promise.all(halves.map(({ process }) => process.stop()));

/** What Argo CD has for an environment, or the text of one of its fields. */
const clusterConfig = async (id: string): Promise<string> => {
  const secret = await orAbsent(world.client.get(secrets, { namespace: engineNamespace, name: `managed-env-${id}` }));
  return Buffer.from(secret?.data?.['config'] ?? '', 'base64').toString();
};
const environmentUid = async (name: string) =>
  (await world.client.get(gitOpsDeploymentManagedEnvironments, team(name))).metadata.uid ?? '';
const tokenSecretsOf = async (name: string) => {
  const { items } = await remote.client.list(secrets, { namespace: 'kube-system' });
  const account = `argocd-manager-${await environmentUid(name)}`;
  return items.filter(({ metadata }) => metadata.annotations?.['kubernetes.io/service-account.name'] === account);
};
const rowOf = async (id: string) => {
  const [row] = await sql<{ token: string; hash: string | null; account: string | null; credentials: string }>(
    `select c.serviceaccount_bearer_token as token, c.input_hash as hash, c.service_account as account,
       c.clustercredentials_cred_id as credentials
     from managedenvironment e
     join clustercredentials c on c.clustercredentials_cred_id = e.clustercredentials_id
     where e.managedenvironment_id = '${id}'`,
  );
  return row;
};

beforeAll(async () => {
  folder = await makeServedFolder('app');
  https = await startGitHttpServer(folder, { searchPath: process.env['PATH'] ?? '', login });
  ssh = await startGitSshServer(folder, [sshKey]);
  remote = await startRemoteCluster(['api', 'web']);
  world = await createWorld({ migrated: false });
  made = await makeOriginal(world, {
    async makeOutside(...args) {
      outside = await makeOutside(...args);
      return outside;
    },
  });
  installed = await made.deploy({ name: 'installed', destination: { environment: 'installed', namespace: 'web' } });
  before = await readOriginalRows(world);
  objectsBefore = await versions();
  projectBefore = await projectOfTeam();
});
afterAll(async () => {
  await world.stop();
  await remote.stop();
  await Promise.all([https.stop(), ssh.stop()]);
  await rm(folder, { recursive: true });
});

describe('environments and credentials of the original', () => {
  it('are found to work, and are noted as ours', async () => {
    const operationsBefore = await ordered();
    await startHalves();
    for (const name of ['prod', 'limited', 'installed']) await own(/=True Succeeded$/, name, 'environment');
    for (const name of ['private', 'by-ssh']) await own(/^ValidRepositoryCredential=True/, name, 'credential');
    await own(/=Unknown UnableToValidateClusterCredentials/, 'changed', 'environment');
    await world.quiet();
    expect(await ordered()).toBe(operationsBefore);
    const { prod, limited, installed: account, changed } = outside.environments;
    for (const id of [prod, limited, account]) expect((await rowOf(id ?? ''))?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect((await rowOf(account ?? ''))?.account).toBe(`argocd-manager-${await environmentUid('installed')}`);
    expect((await rowOf(changed ?? ''))?.hash).toBeNull();
  });

  it('keep every value of their rows: no Operation is made, and no Application or Secret of Argo CD is written', async () => {
    const { made: rows, changed, removed } = rowDifferences(before, await readOriginalRows(world));
    expect(rows).toEqual([]);
    expect(removed).toEqual([`operation ${made.tickets.longEnded}`]);
    expect(changed.filter((row) => !/^(applicationstate|operation) /.test(row))).toEqual([]);
    expect(await versions()).toEqual(objectsBefore);
  });

  it('are permitted to their team as before; a repository by ssh at a port is so only now', async () => {
    const { sourceRepos, destinations } = await projectOfTeam();
    const key = `git@127.0.0.1:${ssh.port}/app`;
    expect(sourceRepos?.toSorted()).toEqual(
      projectBefore.sourceRepos?.map((one) => (one === key ? `ssh://${key}` : one)).toSorted(),
    );
    expect(destinations).toEqual(projectBefore.destinations);
  });

  it('lose the tokens that the original left behind on the cluster, and keep the one that Argo CD uses', async () => {
    const row = await rowOf(outside.environments['installed'] ?? '');
    const left = (await tokenSecretsOf('installed')).map(({ data }) =>
      Buffer.from(data?.['token'] ?? '', 'base64').toString(),
    );
    expect(left).toEqual([row?.token]);
  });

  it('are looked at again after a restart without a write', async () => {
    // The sync that Argo CD carries out is taken up again: its Operation is locked.
    const settled = async () => (await world.quiet()).rows.split('\n').filter((row) => !row.startsWith('operation '));
    await stopHalves();
    const rows = await settled();
    await startHalves();
    await eventually('all lanes have been looked at', async () => {
      const passes = async (lanes: string) => (await halves[0]?.passes(lanes)) ?? 0;
      return (await passes('environment')) >= 4 && (await passes('credential')) >= 2;
    });
    expect(await settled()).toEqual(rows);
    expect(await versions()).toEqual(objectsBefore);
  });
});

describe('what the original has changed after we had noted it', () => {
  it('is adopted again: a token of its own stays, and one that was put back is not taken for the present', async () => {
    await stopHalves();
    const id = outside.environments['installed'] ?? '';
    const token = await issueOriginalToken(remote, await environmentUid('installed'));
    await replaceAsOriginal(id, token);
    // The password was another one for a while; the Secret has the old one again.
    await sql(`update repositorycredentials set repo_cred_pass = 'of a while'
      where repositorycredentials_id = '${outside.credentialId}'`);
    await startHalves();
    await eventually('the environment is noted', async () => (await rowOf(id))?.hash);
    expect((await rowOf(id))?.token).toBe(token);
    await eventually('Argo CD has its token', async () => (await clusterConfig(id)).includes(token));
    await eventually('the password is put right', async () => {
      const [row] = await sql<{ password: string }>(
        `select repo_cred_pass as password from repositorycredentials
         where repositorycredentials_id = '${outside.credentialId}'`,
      );
      return row?.password === login.password;
    });
    await world.quiet();
  });
});

describe('environments and credentials that were adopted', () => {
  it('get another token when theirs was revoked, which Argo CD gets at once', async () => {
    await stopHalves();
    const id = outside.environments['installed'] ?? '';
    const revoked = (await rowOf(id))?.token ?? '';
    for (const { metadata } of await tokenSecretsOf('installed'))
      await remote.client.delete(secrets, { namespace: 'kube-system', name: metadata.name });
    await sql(`delete from probe_result`);
    await startHalves();
    const token = await eventually('there is another token', async () => {
      const now = (await rowOf(id))?.token;
      return now === revoked ? undefined : now;
    });
    await eventually('Argo CD has it', async () => (await clusterConfig(id)).includes(token));
    await own(/=True Succeeded$/, 'installed', 'environment');
  });

  it('follow what their teams change', async () => {
    await putKubeconfig(world, team('changed'), aKubeconfig({ server: remote.url, token: remote.token }));
    await own(/=True Succeeded$/, 'changed', 'environment');
    await putCredential(world, team('private'), { password: 'wrong' });
    await own(/^ErrorOccurred=True InvalidCredentials/, 'private', 'credential');
    await putCredential(world, team('private'), login);
    await own(/^ErrorOccurred=False/, 'private', 'credential');
    expect(await ownConditions(world, 'credential', team('by-ssh'))).toHaveLength(3);
  });

  it('leave nothing behind when they are deleted, not even what the original had made', async () => {
    const id = outside.environments['installed'] ?? '';
    const account = { namespace: 'kube-system', name: `argocd-manager-${await environmentUid('installed')}` };
    await world.client.delete(gitOpsDeploymentManagedEnvironments, team('installed'));
    await eventually('the rows are gone', async () => (await rowOf(id)) === undefined);
    await eventually('the Application goes nowhere', async () => {
      const ref = { namespace: engineNamespace, name: installed.application.metadata.name };
      return (await world.client.get(applications, ref)).spec.destination.name !== `managed-env-${id}`;
    });
    await eventually('the cluster Secret is gone', async () => (await clusterConfig(id)) === '');
    await eventually(
      'the ServiceAccount is gone',
      async () => (await orAbsent(remote.client.get(serviceAccounts, account))) === undefined,
    );
  });
});

/** As its backend replaces credentials: a new row, which the environment then refers to; the old one goes. */
const replaceAsOriginal = async (environmentId: string, token: string): Promise<void> => {
  const old = (await rowOf(environmentId))?.credentials ?? '';
  await sql(
    originalInsert('clustercredentials', {
      clustercredentials_cred_id: 'replaced',
      host: remote.url,
      serviceaccount_bearer_token: token,
      serviceaccount_ns: 'kube-system',
      allowinsecure_skiptlsverify: true,
      cluster_resources: false,
    }),
  );
  await sql(`update managedenvironment set name = 'installed', clustercredentials_id = 'replaced'
    where managedenvironment_id = '${environmentId}'`);
  await sql(`delete from clustercredentials where clustercredentials_cred_id = '${old}'`);
};
