import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGitHttpServer, type GitHttpServer } from '../git-http-server.ts';
import { createGitRepository, type GitRepository } from '../../../test/kit/git-repository.ts';
import { createVirtualClock } from '../../../test/kit/virtual-clock.ts';
import { systemClock } from '../../lib/clock.ts';
import { createGitAccess } from './git-access.ts';
import { createProgramRunner, findProgram } from './git.ts';
import { createKustomize } from './kustomize.ts';
import { createManifestReader, type ManifestReader } from './manifests.ts';
import { createMirrors, type Mirrors } from './mirror.ts';
import { anonymous } from './repository.ts';

const { signal } = new AbortController();
const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

let cacheDir: string;
let repository: GitRepository;
let server: GitHttpServer;
let mirrors: Mirrors;
let manifests: ManifestReader;
let kustomize: string | undefined;
let first: string;
let second: string;

beforeAll(async () => {
  cacheDir = await mkdtemp(path.join(tmpdir(), 'engine-'));
  repository = await createGitRepository();
  server = await startGitHttpServer(path.dirname(repository.folder), { searchPath: env.PATH });
  const run = await createProgramRunner({ clock: systemClock, cacheDir, env, deadlineMs: 20_000 });
  mirrors = createMirrors({ cacheDir, run, withAccess: createGitAccess({ cacheDir, sshCommand: 'ssh' }) });
  kustomize = await findProgram(['kustomize', 'kubectl'], env.PATH);
  manifests = createManifestReader({
    mirrors,
    kustomize: createKustomize({ mirrors, run, cacheDir, program: kustomize }),
  });
  first = await repository.commit({ 'deploy/app.yaml': configMap('one'), 'README.md': 'read me' });
  await repository.git('tag', 'light');
  await repository.git('tag', '-a', 'annotated', '-m', 'a tag of its own');
  second = await repository.commit({ 'deploy/app.yaml': configMap('two') });
  await repository.git('branch', 'release/1.0', first);
});

afterAll(async () => {
  await server.stop();
  await repository.remove();
  await rm(cacheDir, { recursive: true, force: true });
});

const namesAt = async (revision: string, more: Record<string, unknown> = {}): Promise<string[]> => {
  const source = { repoURL: repository.folder, path: 'deploy', ...more };
  const commit = await mirrors.resolve(anonymous(repository.folder), revision, signal);
  return (await manifests.read(source, { repository: anonymous(repository.folder), commit }, signal)).objects.map(
    ({ metadata }) => metadata.name,
  );
};

describe('a revision', () => {
  test.each([
    ['', () => second],
    ['HEAD', () => second],
    ['main', () => second],
    ['refs/heads/main', () => second],
    ['release/1.0', () => first],
    ['light', () => first],
    ['annotated', () => first],
    ['refs/tags/annotated', () => first],
  ])("'%s' is the commit it means", async (revision, commit) => {
    expect(await mirrors.resolve(anonymous(repository.folder), revision, signal)).toBe(commit());
  });

  test('may be a full or a short commit id', async () => {
    expect(await mirrors.resolve(anonymous(repository.folder), first, signal)).toBe(first);
    expect(await mirrors.resolve(anonymous(repository.folder), first.slice(0, 8), signal)).toBe(first);
  });

  test.each(['nowhere', 'abcdef0', 'f'.repeat(40), '--upload-pack=touch', 'HEAD~1'])(
    "'%s' that the repository doesn't have is named",
    async (revision) => {
      await expect(mirrors.resolve(anonymous(repository.folder), revision, signal)).rejects.toThrow(
        `unable to resolve '${revision}' to a commit SHA`,
      );
    },
  );

  test('of a branch moves with the repository', async () => {
    const moving = await createGitRepository();
    try {
      const before = await moving.commit({ a: '1' });
      expect(await mirrors.resolve(anonymous(moving.folder), 'main', signal)).toBe(before);
      await moving.git('commit', '--quiet', '--amend', '-m', 'rewritten');
      expect(await mirrors.resolve(anonymous(moving.folder), 'main', signal)).toBe(
        await moving.git('rev-parse', 'HEAD'),
      );
    } finally {
      await moving.remove();
    }
  });
});

describe('a repository', () => {
  test('is read over HTTP and by file URL as well as by path', async () => {
    const url = `${server.url}/${path.basename(repository.folder)}/.git`;
    expect(await mirrors.resolve(anonymous(url), 'annotated', signal)).toBe(first);
    const { objects } = await manifests.read(
      { repoURL: url, path: 'deploy' },
      { repository: anonymous(url), commit: first },
      signal,
    );
    expect(objects).toMatchObject([{ metadata: { name: 'one' } }]);
    expect(await mirrors.resolve(anonymous(`file://${repository.folder}`), '', signal)).toBe(second);
  });

  test('that is not there gives the reason', async () => {
    const wrong = `${server.url}/nothing.git`;
    await expect(mirrors.resolve(anonymous(wrong), '', signal)).rejects.toThrow(/failed to list refs: .*not found/);
    await expect(mirrors.resolve(anonymous('/nowhere/at-all'), '', signal)).rejects.toThrow(
      /failed to list refs: .*\/nowhere/,
    );
  });

  test('is refused when its URL would run a program', async () => {
    await expect(mirrors.resolve(anonymous('ext::sh -c "touch /tmp/x"'), '', signal)).rejects.toThrow('not a URL');
  });

  test('that does not answer in time is given up, and so is any run when the engine stops', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo; // a server that listens on TCP has one
    const clock = createVirtualClock();
    const run = await createProgramRunner({ clock, cacheDir, env, deadlineMs: 1000 });
    const asked = new Promise((resolve) => silent.once('request', resolve));
    const ask = (stop: AbortSignal): Promise<unknown> =>
      run('git', ['ls-remote', `http://127.0.0.1:${port}/x`], { cwd: cacheDir, signal: stop });
    const late = expect(ask(signal)).rejects.toThrow('git ls-remote took longer than 1000 ms');
    await asked;
    await clock.advance(1000);
    await late;
    const stop = new AbortController();
    const stopped = expect(ask(stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
    stop.abort();
    await stopped;
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe('the manifests of a folder', () => {
  test('are those of the commit asked for', async () => {
    expect(await namesAt(first)).toEqual(['one']);
    expect(await namesAt(second)).toEqual(['two']);
  });

  test('are read below it only when asked to', async () => {
    const commit = await repository.commit({
      'deploy/below/more.yaml': configMap('below'),
      'deploy/skip.yaml': 'a: 1',
    });
    expect(await namesAt(commit)).toEqual(['two']);
    expect(await namesAt(commit, { directory: { recurse: true } })).toEqual(['two', 'below']);
    expect(await namesAt(commit, { path: '.', directory: { recurse: true, include: 'deploy/app*' } })).toEqual(['two']);
  });

  test('never come from outside through a symbolic link', async () => {
    await symlink('/etc/hostname', path.join(repository.folder, 'deploy', 'link.yaml'));
    const commit = await repository.commit({});
    expect(await namesAt(commit)).toEqual(['two']);
    await repository.commit({ 'deploy/link.yaml': null });
  });

  test.each([
    ['nowhere', 'nowhere: app path does not exist'],
    ['../up', '../up: app path outside root'],
    ['/etc', '/etc: app path is absolute'],
  ])('in %s: %s', async (folder, message) => {
    await expect(namesAt(second, { path: folder })).rejects.toThrow(message);
  });

  test('are what kustomize makes of them', async () => {
    const commit = await repository.commit({
      'base/app.yaml': configMap('app'),
      'base/kustomization.yaml': 'resources: [app.yaml]\n',
      'over/kustomization.yaml': 'resources: [../base]\nnamePrefix: my-\n',
    });
    await mirrors.resolve(anonymous(repository.folder), commit, signal);
    const reading = manifests.read(
      { repoURL: repository.folder, path: 'over' },
      { repository: anonymous(repository.folder), commit },
      signal,
    );
    if (!kustomize) return expect(reading).rejects.toThrow('there is neither kustomize nor kubectl');
    const { objects, sourceType } = await reading;
    expect([sourceType, objects[0]?.metadata.name]).toEqual(['Kustomize', 'my-app']);
  });

  test('of a Helm chart are refused in one sentence', async () => {
    const commit = await repository.commit({ 'chart/Chart.yaml': 'name: x\n' });
    await expect(namesAt(commit, { path: 'chart' })).rejects.toThrow('chart is a Helm chart');
    await expect(namesAt(commit, { helm: { values: '' } })).rejects.toThrow('not source.helm');
  });
});
