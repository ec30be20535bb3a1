// Repository credentials: from a Secret, by way of the Git server, to a row, to Argo CD's repository Secret, and back.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { gitOpsDeploymentRepositoryCredentials } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { secrets } from '../../src/kube/object.ts';
import { orAbsent } from '../kit/deployments.ts';
import { becomes, createCredential, ownConditions, putCredential } from '../kit/environments.ts';
import { eventually } from '../kit/eventually.ts';
import { startGitHttpServer, type GitHttpServer } from '../../src/sandbox/git-http-server.ts';
import { makeServedFolder } from '../kit/served-folder.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

const searchPath = process.env['PATH'] ?? '';
const login = { username: 'git', password: 'secret-password' };

const flags = { recheck: '1h' };

let world: World;
let backend: RunningHalf;
let folder: string;
let server: GitHttpServer;
let url: string;
let namespace: string;
let count = 0;

beforeAll(async () => {
  folder = await makeServedFolder('app');
  server = await startGitHttpServer(folder, { searchPath, login });
  url = `${server.url}/app.git`;
  world = await createWorld();
  backend = await world.start('backend', { flags });
  await world.start('agent');
});
afterAll(async () => {
  await world.stop();
  await server.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
});

const ref = () => ({ namespace, name: 'repo' });
const credential = async (data: Readonly<Record<string, string>> = login, repository = url) => {
  await putCredential(world, ref(), data);
  return createCredential(world, ref(), { repository });
};
const valid = () => becomes(world, 'credential', { ...ref(), condition: /^ValidRepositoryCredential=True/ });
const rowsOf = () =>
  world.database.sql<{ id: string; user_id: string; password: string; url: string }>(
    `select c.repositorycredentials_id as id, c.repo_cred_user_id as user_id, c.repo_cred_pass as password,
       c.repo_cred_url as url
     from apicrtodatabasemapping m join repositorycredentials c on c.repositorycredentials_id = m.db_relation_key
     where m.api_resource_namespace = '${namespace}'`,
  );
const theRow = () =>
  eventually('there is a row', async () => {
    const [row] = await rowsOf();
    return row;
  });
const argoSecret = async (id: string): Promise<Record<string, string> | undefined> => {
  const secret = await orAbsent(world.client.get(secrets, { namespace: engineNamespace, name: `repo-cred-${id}` }));
  if (!secret) return undefined;
  const data = Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  return Object.fromEntries(data) as Record<string, string>; // its values are texts
};
const repositoriesOf = async (userId: string): Promise<readonly string[] | undefined> =>
  (await orAbsent(world.client.get(appProjects, { namespace: engineNamespace, name: `app-project-${userId}` })))?.spec
    .sourceRepos;

describe('a credential', () => {
  it('is tried, kept, and handed to Argo CD with the repository permitted to the team', async () => {
    await credential();
    await valid();
    expect(await ownConditions(world, 'credential', ref())).toEqual([
      'ErrorOccurred=False RepositoryCredentialUpToDate RepositoryCredentials are Valid',
      `ValidRepositoryCredential=True RepositoryCredentialUpToDate Repository Credentials provided repo for Repository ${url} are valid`,
      `ValidRepositoryURL=True ValidRepositoryUrl Repository ${url} exists`,
    ]);
    const row = await theRow();
    expect(row).toMatchObject({ url, password: login.password });
    const secret = await eventually('Argo CD has it', () => argoSecret(row.id));
    expect(secret).toMatchObject({
      url,
      username: 'git',
      password: login.password,
      project: `app-project-${row.user_id}`,
    });
    expect(await repositoriesOf(row.user_id)).toEqual([url.replace(/\.git$/, '')]);
  });

  it('that is refused is told so, and is tried again as soon as its Secret changes', async () => {
    await credential({ ...login, password: 'wrong' });
    await becomes(world, 'credential', { ...ref(), condition: /^ErrorOccurred=True InvalidCredentials/ });
    expect(await ownConditions(world, 'credential', ref())).toEqual([
      `ErrorOccurred=True InvalidCredentials Repository Credentials provided repo for Repository ${url} are invalid`,
      `ValidRepositoryCredential=False InvalidCredentials Repository Credentials provided repo for Repository ${url} are invalid`,
      `ValidRepositoryURL=True ValidRepositoryUrl Repository ${url} exists`,
    ]);
    expect(await rowsOf()).toEqual([]);
    await putCredential(world, ref(), login);
    await valid();
  });

  it('keeps what worked while what is in the Secret does not', async () => {
    await credential();
    await valid();
    const before = await theRow();
    await putCredential(world, ref(), { password: 'wrong' });
    await becomes(world, 'credential', { ...ref(), condition: /InvalidCredentials/ });
    expect(await rowsOf()).toEqual([before]);
  });

  it('hands a changed URL to Argo CD at once, and permits it in place of the old one', async () => {
    await credential();
    await valid();
    const row = await theRow();
    await eventually('Argo CD has it', () => argoSecret(row.id));
    const open = await startGitHttpServer(folder, { searchPath });
    try {
      const body = { spec: { repository: `${open.url}/app.git` } };
      await world.client.patch(gitOpsDeploymentRepositoryCredentials, ref(), { type: 'merge', body });
      await eventually(
        'Argo CD has the other URL',
        async () => (await argoSecret(row.id))?.['url'] === body.spec.repository,
      );
      await eventually('the project follows', async () => {
        const [only, ...more] = (await repositoriesOf(row.user_id)) ?? [];
        return more.length === 0 && only === `${open.url}/app`;
      });
    } finally {
      await open.stop();
    }
  });

  it('that was made again while nobody looked takes the place of the old one', async () => {
    await credential();
    await valid();
    const old = await theRow();
    await backend.process.stop();
    await world.client.delete(gitOpsDeploymentRepositoryCredentials, ref());
    await createCredential(world, ref(), { repository: url });
    backend = await world.start('backend', { flags });
    await valid();
    const rows = await rowsOf();
    expect(rows).toHaveLength(1);
    expect(rows[0]?.id).not.toBe(old.id);
  });

  it('leaves with all that was made for it', async () => {
    await credential();
    await valid();
    const row = await theRow();
    await eventually('Argo CD has it', () => argoSecret(row.id));
    await world.client.delete(gitOpsDeploymentRepositoryCredentials, ref());
    await eventually('the row is gone', async () => (await rowsOf()).length === 0);
    await eventually('the Secret is gone', async () => (await argoSecret(row.id)) === undefined);
    await eventually('the project is gone', async () => (await repositoriesOf(row.user_id)) === undefined);
    expect(
      await world.database.sql(`select 1 from appprojectrepository where clusteruser_id = '${row.user_id}'`),
    ).toEqual([]);
  });

  it('a network failure is not called an invalid credential', async () => {
    await credential(login, 'http://127.0.0.1:9/app.git');
    await becomes(world, 'credential', { ...ref(), condition: /^ErrorOccurred=True RepositoryUnreachable/ });
    expect(await ownConditions(world, 'credential', ref())).toEqual([
      expect.stringMatching(/^ErrorOccurred=True RepositoryUnreachable .*connection refused/),
      expect.stringMatching(/^ValidRepositoryCredential=Unknown RepositoryUnreachable/),
      expect.stringMatching(/^ValidRepositoryURL=Unknown RepositoryUnreachable/),
    ]);
  });

  it('one bad URL does not hurt the other credentials of the namespace', async () => {
    await putCredential(world, { namespace, name: 'bad' }, login);
    await createCredential(world, { namespace, name: 'bad' }, { repository: 'https://@host:test:git' });
    await credential();
    await valid();
    await becomes(world, 'credential', {
      namespace,
      name: 'bad',
      condition: /^ErrorOccurred=True InvalidRepositoryUrl/,
    });
  });

  it.each([
    [
      'SecretNotSpecified Secret field is missing value',
      async () => createCredential(world, ref(), { repository: url, secret: '' }),
    ],
    ['SecretNotFound Secret specified not found', async () => createCredential(world, ref(), { repository: url })],
    [
      'SecretInvalidType Secret has an invalid type, must be managed-gitops.redhat.com/repository-credential',
      async () => {
        await world.client.create(secrets, {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: ref(),
          type: 'Opaque',
          data: {},
        });
        return createCredential(world, ref(), { repository: url });
      },
    ],
    [
      'InvalidRepositoryUrl Repository does not exist: repository not found',
      async () => credential(login, `${server.url}/none.git`),
    ],
  ])('says %s', async (text, make) => {
    await make();
    await becomes(world, 'credential', { ...ref(), condition: /^ErrorOccurred=True/ });
    expect(await ownConditions(world, 'credential', ref())).toEqual([
      `ErrorOccurred=True ${text}`,
      `ValidRepositoryCredential=False ${text}`,
      `ValidRepositoryURL=False ${text}`,
    ]);
  });
});
