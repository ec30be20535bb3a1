// Whether a check of a repository over ssh says what is so, to a real ssh server, and leaves no key behind.
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../test/kit/eventually.ts';
import { createGitChecks, type GitChecks } from '../../test/kit/git-checks.ts';
import { createSshKey, startGitSshServer, type GitSshServer } from '../../test/kit/git-ssh-server.ts';
import { freePort } from '../../test/kit/programs.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { findProgram } from '../sandbox/engine/git.ts';

const ed25519 = createSshKey('ed25519');
const rsa = createSshKey('rsa');
const stranger = createSshKey('ed25519');
const missing = 'InvalidRepositoryUrl: Repository does not exist: repository not found';
const refusedAt = (url: string): string =>
  `InvalidCredentials: Repository Credentials provided token for Repository ${url} are invalid`;
const unreachableAt = (url: string, cause: string): string =>
  `RepositoryUnreachable: Repository ${url} can not be reached: ${cause}`;

let checks: GitChecks;
let server: GitSshServer;
let url: string;
let silent: Server;
let silentUrl: string;
const connected: Socket[] = [];

beforeAll(async () => {
  checks = await createGitChecks();
  server = await startGitSshServer(checks.root, [ed25519, rsa]);
  url = `ssh://git@127.0.0.1:${server.port}/Team/App.git`;
  silent = createServer((socket) => {
    connected.push(socket.resume());
    socket.on('error', () => undefined); // ssh is killed while it waits
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  silentUrl = `ssh://git@127.0.0.1:${(silent.address() as AddressInfo).port}/a`; // it listens on TCP
});
afterAll(async () => {
  await server.stop();
  for (const socket of connected) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
  await checks.remove();
});

/** A folder with an `ssh` that the real one is started by, at the server's port, and what it was started with. */
const sshAtPort = async (name: string): Promise<{ searchPath: string; seen: () => Promise<string[]> }> => {
  const folder = join(checks.root, '..', name);
  await mkdir(folder);
  const script = `#!/bin/sh\n{ printf '%s\\n' "$@"; ls -lna; } >'${folder}/seen'\nexec /usr/bin/ssh -p ${server.port} "$@"\n`;
  await writeFile(join(folder, 'ssh'), script, { mode: 0o700 });
  return {
    searchPath: `${folder}:${checks.context.searchPath}`,
    seen: async () => (await readFile(join(folder, 'seen'), 'utf8')).split('\n'),
  };
};

describe('over ssh', () => {
  test.each([
    ['an Ed25519 key', ed25519.private],
    ['an RSA key', rsa.private],
    ['a key without the end of its last line', ed25519.private.trimEnd()],
  ])('a repository is read with %s', async (_what, sshPrivateKey) => {
    expect(await checks.check({ url, sshPrivateKey })).toBe('valid');
  });

  test('a URL is used as it was written: no path or host in lower case, no port lost', async () => {
    const written = `ssh://Bob@LocalHost:${server.port}/Team/App.git`;
    expect(await checks.check({ url: written, sshPrivateKey: ed25519.private })).toBe('valid');
    expect(server.commands.at(-1)).toBe("Bob git-upload-pack '/Team/App.git'");
  });

  test('a URL that names nobody means the user git', async () => {
    const written = `ssh://127.0.0.1:${server.port}/Team/App.git`;
    expect(await checks.check({ url: written, sshPrivateKey: ed25519.private })).toBe('valid');
    expect(server.commands.at(-1)).toBe("git git-upload-pack '/Team/App.git'");
  });

  test('a URL as scp writes it is one of ssh', async () => {
    const { searchPath, seen } = await sshAtPort('scp');
    const written = 'git@127.0.0.1:Team/App.git';
    expect(await checks.check({ url: written, sshPrivateKey: rsa.private }, { searchPath })).toBe('valid');
    expect(server.commands.at(-1)).toBe("git git-upload-pack 'Team/App.git'");
    expect(await seen()).toContain('git@127.0.0.1');
  });

  test.each([
    ['a key that the server does not know', stranger.private],
    ['no key', ''],
    ['junk for a key', 'junk'],
    ['a key of 1 MiB of junk', 'x'.repeat(2 ** 20)],
    ['the public half of a key', ed25519.public],
  ])('with %s, the credential is invalid', async (_what, sshPrivateKey) => {
    expect(await checks.check({ url, sshPrivateKey, ...(sshPrivateKey ? {} : { password: 'x' }) })).toBe(
      refusedAt(url),
    );
  });

  test('a repository that is not there is missing', async () => {
    const other = url.replace('App', 'Other');
    expect(await checks.check({ url: other, sshPrivateKey: ed25519.private })).toBe(missing);
  });

  test('the key is readable by its owner only, in a folder that is too', async () => {
    const { searchPath, seen } = await sshAtPort('modes');
    expect(await checks.check({ url, sshPrivateKey: ed25519.private }, { searchPath })).toBe('valid');
    const listed = await seen();
    expect(listed.find((line) => line.endsWith(' key'))).toMatch(/^-rw------- /);
    expect(listed.find((line) => line.endsWith(' .'))).toMatch(/^drwx------ /);
  });

  test("ssh gets git's wish and our options, and nothing of this user's configuration or agent", async () => {
    const { searchPath, seen } = await sshAtPort('options');
    await checks.check({ url, sshPrivateKey: ed25519.private }, { searchPath });
    const options = await seen();
    expect(options.slice(0, 2)).toEqual(['-F', 'none']);
    expect(options).toEqual(
      expect.arrayContaining(['BatchMode=yes', 'IdentitiesOnly=yes', 'IdentityAgent=none', 'IdentityFile=key']),
    );
  });
});

describe("a host's key", () => {
  test('is accepted when it is among those that are known', async () => {
    const known = { knownHosts: server.knownHosts };
    expect(await checks.check({ url, sshPrivateKey: ed25519.private }, known)).toBe('valid');
    expect(await checks.check({ url, sshPrivateKey: stranger.private }, known)).toBe(refusedAt(url));
  });

  test('is refused when others are known, and that is no wrong credential', async () => {
    const others = {
      knownHosts: server.knownHosts.replaceAll('127.0.0.1', '127.0.0.2').replaceAll('localhost', 'other'),
    };
    expect(await checks.check({ url, sshPrivateKey: ed25519.private }, others)).toBe(
      unreachableAt(url, 'ssh: handshake failed: knownhosts: key is unknown'),
    );
  });

  test('is refused when another one is known for this host', async () => {
    const [names = ''] = server.knownHosts.split(' ');
    expect(
      await checks.check({ url, sshPrivateKey: ed25519.private }, { knownHosts: `${names} ${stranger.public}` }),
    ).toBe(unreachableAt(url, 'ssh: handshake failed: knownhosts: key mismatch'));
  });
});

describe('a server that is not reached is never a wrong credential', () => {
  const sshPrivateKey = ed25519.private;

  test('because its name does not resolve', async () => {
    const nowhere = 'git@git.invalid:team/app.git';
    expect(await checks.check({ url: nowhere, sshPrivateKey })).toBe(
      unreachableAt(nowhere, 'dial tcp: lookup: no such host'),
    );
  });

  test('because nobody listens', async () => {
    const closed = `ssh://git@127.0.0.1:${await freePort()}/a`;
    expect(await checks.check({ url: closed, sshPrivateKey })).toBe(
      unreachableAt(closed, 'dial tcp: connect: connection refused'),
    );
  });

  test('because it hangs up before it says anything', async () => {
    const rude = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
    const at = `ssh://git@127.0.0.1:${(rude.address() as AddressInfo).port}/a`; // it listens on TCP
    const said = await checks.check({ url: at, sshPrivateKey });
    await new Promise((resolve) => rude.close(resolve));
    expect(said).toBe(unreachableAt(at, 'ssh: handshake failed: EOF'));
  });

  test('because it never answers: git and ssh are given up at the deadline, and the key is gone', async () => {
    const clock = createVirtualClock();
    const before = connected.length;
    const checking = checks.check({ url: silentUrl, sshPrivateKey }, { clock, deadlineMs: 30_000 });
    const socket = await eventually('ssh has connected', () => connected[before]);
    const hungUp = new Promise((resolve) => socket.once('close', resolve));
    await clock.advance(30_000);
    expect(await checking).toBe(unreachableAt(silentUrl, 'i/o timeout: no answer within 30 s'));
    await hungUp; // nobody is left who would hold the connection
  });
});

test('a machine without ssh is our failure, not the credential of anybody', async () => {
  const folder = join(checks.root, '..', 'only-git');
  await mkdir(folder);
  await symlink((await findProgram(['git'], checks.context.searchPath)) ?? '', join(folder, 'git'));
  expect(await checks.check({ url, sshPrivateKey: ed25519.private }, { searchPath: folder })).toBe(
    'GitNotInstalled: ssh was not found',
  );
});

test('a machine whose user has no name, so that ssh does not run, is our failure as well', async () => {
  const folder = join(checks.root, '..', 'nameless');
  await mkdir(folder);
  const script = `#!/bin/sh\necho "No user exists for uid $(id -u)" >&2\nexit 255\n`;
  await writeFile(join(folder, 'ssh'), script, { mode: 0o700 });
  const searchPath = `${folder}:${checks.context.searchPath}`;
  expect(await checks.check({ url, sshPrivateKey: ed25519.private }, { searchPath })).toBe(
    'GitNotInstalled: ssh does not run as a user without a name',
  );
});
