import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSshKey, startGitSshServer, type GitSshServer } from '../../../test/kit/git-ssh-server.ts';
import { createGitRepository } from '../../../test/kit/git-repository.ts';
import { startGitHttpServer, type GitHttpServer } from '../git-http-server.ts';
import { configMap, startFixture, TARGET, type EngineFixture } from './engine.fixture.ts';
import type { Application } from './shapes.ts';

const searchPath = process.env['PATH'] ?? '';
const login = { username: 'git', password: 'secret-password' };
const key = createSshKey('ed25519');
const project = { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }] };

let served: string;
let commit: string;
let server: GitHttpServer;
let ssh: GitSshServer;
let fixture: EngineFixture;

beforeAll(async () => {
  served = await mkdtemp(path.join(tmpdir(), 'served-'));
  const repository = await createGitRepository();
  commit = await repository.commit({ 'deploy/a.yaml': configMap('a') });
  await repository.git('clone', '--quiet', '--bare', repository.folder, path.join(served, 'app.git'));
  await repository.remove();
  server = await startGitHttpServer(served, { searchPath, login });
  ssh = await startGitSshServer(served, [key]);
});
afterAll(async () => {
  await server.stop();
  await ssh.stop();
  await rm(served, { recursive: true });
});
beforeEach(async () => {
  const GIT_SSH_COMMAND =
    'ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null';
  fixture = await startFixture({ env: { PATH: searchPath, GIT_SSH_COMMAND } });
  await fixture.createProject('team', project);
  await fixture.createProject('others', project);
});
afterEach(() => fixture.stop());

const httpUrl = (): string => `${server.url}/app.git`;
const sshUrl = (): string => `ssh://git@127.0.0.1:${ssh.port}/app.git`;
const create = (name: string, repoURL: string, more: { project?: string; targetRevision?: string } = {}) =>
  fixture.create(name, {
    project: more.project ?? 'team',
    source: { repoURL, ...(more.targetRevision ? { targetRevision: more.targetRevision } : {}) },
    destination: { name: 'in-cluster', namespace: TARGET },
  });
const reads = (name: string) =>
  fixture.until(`${name} reads it`, name, ({ status }) => status?.sync?.revision === commit);
const isRefused = ({ status }: Application): boolean =>
  status?.conditions?.some(({ type }) => type === 'ComparisonError') ?? false;
const refusalOf = async (name: string): Promise<string> =>
  (await fixture.until(`${name} is refused`, name, isRefused)).status?.conditions?.[0]?.message ?? '';

const refused = (reason: string): string =>
  `Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = failed to list refs: ${reason}`;

describe('a private repository', () => {
  test.each([
    ['https', httpUrl, login],
    ['ssh', sshUrl, { sshPrivateKey: key.private }],
  ])('is read over %s with what is in its Secret, which stays nowhere else', async (_how, url, credentials) => {
    await fixture.putSecret('mine', 'repository', { url: url(), project: 'team', ...credentials });
    await create('app', url());
    await reads('app');
    const kept = await readdir(fixture.cacheDir);
    expect(kept.filter((name) => name.startsWith('key-'))).toEqual([]);
  });

  test('is not read without one, and is as soon as there is one', async () => {
    await create('app', httpUrl());
    expect(await refusalOf('app')).toBe(refused('authentication required'));
    await fixture.putSecret('mine', 'repository', { url: httpUrl(), ...login });
    await reads('app');
  });

  test.each([
    {
      what: 'a password',
      url: httpUrl,
      credentials: { ...login, password: 'wrong' },
      reason: 'authentication required',
    },
    {
      what: 'a key',
      url: sshUrl,
      credentials: { sshPrivateKey: createSshKey('ed25519').private },
      reason:
        'ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain',
    },
  ])('is not read with $what that is wrong, which nobody is shown', async ({ url, credentials, reason }) => {
    await fixture.putSecret('mine', 'repository', { url: url(), ...credentials });
    await create('app', url());
    expect(await refusalOf('app')).toBe(refused(reason));
  });

  test("is not read with another project's Secret, not even what that project has read of it", async () => {
    await fixture.putSecret('mine', 'repository', { url: httpUrl(), project: 'team', ...login });
    await create('app', httpUrl());
    await reads('app');
    await create('stranger', httpUrl(), { project: 'others', targetRevision: commit });
    expect(await refusalOf('stranger')).toBe(refused('authentication required'));
  });
});
