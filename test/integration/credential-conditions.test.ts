// What a repository credential says of itself: every reason there is, brought about by real Git servers.
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gitOpsDeploymentRepositoryCredentials } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { secrets } from '../../src/kube/object.ts';
import { localCertificate } from '../kit/admission.ts';
import { becomes, createCredential, ownConditions, putCredential } from '../kit/environments.ts';
import { eventually } from '../kit/eventually.ts';
import { startGitHttpServer, type GitHttpServer } from '../../src/sandbox/git-http-server.ts';
import { makeServedFolder } from '../kit/served-folder.ts';
import { createSshKey, startGitSshServer, type GitSshServer } from '../kit/git-ssh-server.ts';
import { createWorld, type World } from '../kit/world.ts';

const login = { username: 'git', password: 'secret-password' };
const [key, strangersKey, rsaKey] = [createSshKey('ed25519'), createSshKey('ed25519'), createSshKey('rsa')];
/** Far longer than anything on this machine takes; only what never answers reaches it. */
const CHECK_DEADLINE = '3s';

const searchPath = process.env['PATH'] ?? '';

let world: World;
let folder: string;
let https: GitHttpServer;
let strange: GitHttpServer;
let ssh: GitSshServer;
let silent: Server;
const held: Socket[] = [];
let namespace: string;
let count = 0;

beforeAll(async () => {
  folder = await makeServedFolder('app', 'other');
  const certificate = localCertificate();
  const tlsOf = ({ certificate: cert, key: tlsKey }: typeof certificate) => ({ tls: { cert, key: tlsKey }, login });
  https = await startGitHttpServer(folder, { searchPath, ...tlsOf(certificate) });
  strange = await startGitHttpServer(folder, { searchPath, ...tlsOf(localCertificate()) });
  ssh = await startGitSshServer(folder, [key, rsaKey]);
  silent = createServer((socket) => {
    held.push(socket.resume());
    socket.on('error', () => undefined); // git is ended while it waits
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const [caFile, knownHosts] = [join(folder, 'ca.pem'), join(folder, 'known_hosts')];
  await writeFile(caFile, certificate.ca);
  await writeFile(knownHosts, ssh.knownHosts);
  world = await createWorld();
  const flags = {
    recheck: '1h',
    'check-deadline': CHECK_DEADLINE,
    'git-ca-file': caFile,
    'git-known-hosts': knownHosts,
  };
  await world.start('backend', { flags });
});
afterAll(async () => {
  await world.stop();
  for (const server of [https, strange, ssh]) await server.stop();
  for (const socket of held) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
});

const ref = () => ({ namespace, name: 'repo' });
const credential = async (data: Readonly<Record<string, string>>, repository: string) => {
  await putCredential(world, ref(), data);
  await createCredential(world, ref(), { repository });
};
const httpsUrl = (path = 'app.git') => `${https.url}/${path}`;
const sshUrl = (path = 'app.git') => `ssh://git@127.0.0.1:${ssh.port}/${path}`;
const silentPort = () => (silent.address() as AddressInfo).port; // it listens on TCP
const says = async (...conditions: readonly [error: string, credential: string, url: string]) => {
  const escaped = conditions[0].replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
  await becomes(world, 'credential', { ...ref(), condition: new RegExp(`^ErrorOccurred=${escaped}$`) });
  expect(await ownConditions(world, 'credential', ref())).toEqual([
    `ErrorOccurred=${conditions[0]}`,
    `ValidRepositoryCredential=${conditions[1]}`,
    `ValidRepositoryURL=${conditions[2]}`,
  ]);
};
const saysAll = (text: string) => says(`True ${text}`, `False ${text}`, `False ${text}`);
const saysValid = (url: string) =>
  says(
    'False RepositoryCredentialUpToDate RepositoryCredentials are Valid',
    `True RepositoryCredentialUpToDate Repository Credentials provided repo for Repository ${url} are valid`,
    `True ValidRepositoryUrl Repository ${url} exists`,
  );
const saysInvalid = (url: string) => {
  const text = `InvalidCredentials Repository Credentials provided repo for Repository ${url} are invalid`;
  return says(`True ${text}`, `False ${text}`, `True ValidRepositoryUrl Repository ${url} exists`);
};
const saysUnreachable = (url: string, cause: string) => {
  const text = `RepositoryUnreachable Repository ${url} can not be reached: ${cause}`;
  return says(`True ${text}`, `Unknown ${text}`, `Unknown ${text}`);
};
const rowCount = async (): Promise<number> => {
  const rows = await world.database.sql(
    `select 1 from apicrtodatabasemapping where api_resource_namespace = '${namespace}'`,
  );
  return rows.length;
};

describe('a credential that is right', () => {
  it.each([
    ['a password', () => login, httpsUrl],
    ['an ssh key', () => ({ sshPrivateKey: key.private }), sshUrl],
    ['an RSA key, which needs more room than the original had', () => ({ sshPrivateKey: rsaKey.private }), sshUrl],
  ] as const)('is valid with %s', async (_what, data, url) => {
    await credential(data(), url());
    await saysValid(url());
    expect(await rowCount()).toBe(1);
  });
});

describe('a credential that the server does not accept', () => {
  it.each([
    ['another password', () => ({ ...login, password: 'wrong' }), httpsUrl],
    ['another user', () => ({ ...login, username: 'wrong' }), httpsUrl],
    ['nothing in its Secret', () => ({}), httpsUrl],
    ['a key that the server does not know', () => ({ sshPrivateKey: strangersKey.private }), sshUrl],
    ['a key that is none', () => ({ sshPrivateKey: 'no key at all' }), sshUrl],
    ['a password for ssh', () => login, sshUrl],
    ['a key for https', () => ({ sshPrivateKey: key.private }), httpsUrl],
  ] as const)('is invalid with %s', async (_what, data, url) => {
    await credential(data(), url());
    await saysInvalid(url());
    expect(await rowCount()).toBe(0);
  });
});

describe('a repository that is not there', () => {
  it.each([
    ['over https', () => login, () => httpsUrl('none.git')],
    ['over ssh', () => ({ sshPrivateKey: key.private }), () => sshUrl('none.git')],
  ] as const)('does not exist %s', async (_what, data, url) => {
    await credential(data(), url());
    await saysAll('InvalidRepositoryUrl Repository does not exist: repository not found');
    expect(await rowCount()).toBe(0);
  });

  it.each([
    ['https://@host:test:git', 'the URL can not be read, write it as https://host/path or ssh://user@host/path'],
    ['file:///etc/passwd', 'repository must begin with ssh:// or https://'],
    ['ext::sh -c id', 'repository must begin with ssh:// or https://'],
    ['', 'the URL can not be read, write it as https://host/path or ssh://user@host/path'],
  ])('has no URL like %j', async (repository, cause) => {
    await credential(login, repository);
    await saysAll(`InvalidRepositoryUrl Repository does not exist: ${cause}`);
  });
});

describe('a server that is not reached', () => {
  it('says nothing of the credential when its name does not resolve', async () => {
    const url = 'https://no-such-server.invalid/app.git';
    await credential(login, url);
    await saysUnreachable(url, 'dial tcp: lookup: no such host');
  });

  it('says nothing of the credential when nobody knows who has signed its certificate', async () => {
    const url = `${strange.url}/app.git`;
    await credential(login, url);
    await saysUnreachable(url, 'x509: certificate signed by unknown authority');
  });

  it.each([
    ['https', () => `https://127.0.0.1:${silentPort()}/app.git`, login],
    ['ssh', () => `ssh://git@127.0.0.1:${silentPort()}/app.git`, { sshPrivateKey: key.private }],
  ] as const)(
    'says nothing of the credential when it never answers over %s, after a deadline',
    async (_what, url, data) => {
      await credential(data, url());
      await saysUnreachable(url(), 'i/o timeout: no answer within 3 s');
    },
  );

  it('says nothing of the credential when it is another host than was known', async () => {
    const other = await startGitSshServer(folder, [key]);
    try {
      const url = `ssh://git@127.0.0.1:${other.port}/app.git`;
      await credential({ sshPrivateKey: key.private }, url);
      await saysUnreachable(url, 'ssh: handshake failed: knownhosts: key is unknown');
    } finally {
      await other.stop();
    }
  });
});

describe('a Secret', () => {
  it('has to be named', async () => {
    await createCredential(world, ref(), { repository: httpsUrl(), secret: '' });
    await saysAll('SecretNotSpecified Secret field is missing value');
  });

  it('has to be there, and to be of its type; what is said does not change by itself', async () => {
    await createCredential(world, ref(), { repository: httpsUrl() });
    await saysAll('SecretNotFound Secret specified not found');
    const made = { apiVersion: 'v1', kind: 'Secret', metadata: ref(), type: 'Opaque', stringData: login };
    await world.client.create(secrets, made);
    // The type is not watched: it is seen when the credential is looked at.
    const body = { metadata: { labels: { looked: 'at' } } };
    await world.client.patch(gitOpsDeploymentRepositoryCredentials, ref(), { type: 'merge', body });
    await saysAll(
      'SecretInvalidType Secret has an invalid type, must be managed-gitops.redhat.com/repository-credential',
    );
    await world.client.delete(secrets, ref());
    await putCredential(world, ref(), login);
    await saysValid(httpsUrl());
  });

  it.each([
    ['password', 4096],
    ['username', 256],
    ['sshPrivateKey', 8192],
  ])('holds no %s that the rows could not keep', async (field, most) => {
    await credential({ ...login, [field]: 'x'.repeat(most + 1) }, httpsUrl());
    await saysAll(`CredentialTooLong ${field} value exceeds maximum size: max: ${most}, actual: ${most + 1}`);
  });
});

describe('conditions', () => {
  it('that say the same keep the time at which they began to', async () => {
    await credential(login, httpsUrl());
    await saysValid(httpsUrl());
    const read = () => world.client.get(gitOpsDeploymentRepositoryCredentials, ref());
    const { metadata, status } = await read();
    const where = `where uid = '${metadata.uid}'`;
    await world.database.script(`update probe_result set checked_at = '2000-01-01' ${where}`); // so it is asked for again
    const body = { metadata: { labels: { looked: 'at' } } };
    await world.client.patch(gitOpsDeploymentRepositoryCredentials, ref(), { type: 'merge', body });
    await eventually('it has been checked again', async () => {
      const again = await world.database.sql(`select 1 from probe_result ${where} and checked_at > '2001-01-01'`);
      return again.length > 0;
    });
    await world.quiet();
    expect((await read()).status).toEqual(status);
  });

  it('follow the URL', async () => {
    await credential(login, httpsUrl('none.git'));
    await saysAll('InvalidRepositoryUrl Repository does not exist: repository not found');
    const body = { spec: { repository: httpsUrl('other.git') } };
    await world.client.patch(gitOpsDeploymentRepositoryCredentials, ref(), { type: 'merge', body });
    await saysValid(httpsUrl('other.git'));
  });
});
