// Whether a check of a repository over HTTP says what is so, to real servers, and leaves nothing behind.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../test/kit/eventually.ts';
import { createGitChecks, type GitChecks } from '../../test/kit/git-checks.ts';
import { createGitRepository } from '../../test/kit/git-repository.ts';
import { startGitHttpServer, type GitHttpServer } from '../sandbox/git-http-server.ts';
import { freePort } from '../../test/kit/programs.ts';
import { startScriptedServer, type ScriptedServer } from '../../test/kit/scripted-server.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { userFault } from '../api/reasons.ts';
import { seededRandom } from '../lib/random.ts';
import { createServerCertificate } from '../sandbox/apiserver/http/certificate.ts';

const login = { username: 'x-access-token', password: 'correct horse: battery' };
const missing = 'InvalidRepositoryUrl: Repository does not exist: repository not found';
const refusedAt = (url: string): string =>
  `InvalidCredentials: Repository Credentials provided token for Repository ${url} are invalid`;
const unreachableAt = (url: string, cause: string): string =>
  `RepositoryUnreachable: Repository ${url} can not be reached: ${cause}`;

const searchPath = process.env['PATH'] ?? '';

let checks: GitChecks;
let caFile: string;
let server: GitHttpServer;
let open: GitHttpServer;
let scripted: ScriptedServer;
let silent: Server;
const connected: Socket[] = [];

beforeAll(async () => {
  checks = await createGitChecks();
  const { ca, certificate, key } = createServerCertificate({ hosts: ['127.0.0.1'], random: seededRandom(1) });
  caFile = join(checks.root, '..', 'ca file.pem');
  await writeFile(caFile, ca);
  server = await startGitHttpServer(checks.root, { searchPath, tls: { cert: certificate, key }, login });
  open = await startGitHttpServer(checks.root, { searchPath });
  scripted = await startScriptedServer((_request, response) => response.end());
  silent = createServer((socket) => {
    connected.push(socket);
    socket.on('error', () => undefined); // git is killed while it waits
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  scripted.requests.length = 0;
});
afterAll(async () => {
  await Promise.all([server.stop(), open.stop(), scripted.stop()]);
  for (const socket of connected) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
  await checks.remove();
});

const silentUrl = (): string => {
  const address = silent.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/a`;
};

describe('over HTTPS', () => {
  test('a repository is read with user and password, or with a token', async () => {
    expect(await checks.check({ url: `${server.url}/Team/App.git`, ...login }, { caFile })).toBe('valid');
  });

  test.each([
    ['a wrong password', { ...login, password: 'wrong' }],
    ['a wrong user', { ...login, username: 'somebody' }],
    ['nothing', {}],
    ['a password that would be a line of its own', { ...login, password: `wrong\r\nHost: elsewhere\r\nX: ` }],
  ])('with %s, the credential is invalid, whatever the server writes', async (_what, credential) => {
    const url = `${server.url}/Team/App.git`;
    expect(await checks.check({ url, ...credential }, { caFile })).toBe(refusedAt(url));
  });

  test('user and password in the URL count where the Secret has none, and are not shown', async () => {
    const urlWith = (password: string): string =>
      `${server.url.replace('://', `://x-access-token:${encodeURIComponent(password)}@`)}/Team/App.git`;
    expect(await checks.check({ url: urlWith(login.password) }, { caFile })).toBe('valid');
    expect(await checks.check({ url: urlWith('wrong'), password: login.password }, { caFile })).toBe('valid');
    expect(await checks.check({ url: urlWith('wrong') }, { caFile })).toBe(refusedAt(`${server.url}/Team/App.git`));
  });

  test('a repository that is not there is missing, also with the right password', async () => {
    expect(await checks.check({ url: `${server.url}/Team/Other.git`, ...login }, { caFile })).toBe(missing);
  });

  test('a path in the wrong case is another repository: nothing of the URL is written in lower case', async () => {
    expect(await checks.check({ url: `${server.url}/team/app.git`, ...login }, { caFile })).toBe(missing);
  });

  test('a certificate that nobody knows is a failure of the network, and no password is sent', async () => {
    const url = `${server.url}/Team/App.git`;
    expect(await checks.check({ url, ...login })).toBe(
      unreachableAt(url, 'x509: certificate signed by unknown authority'),
    );
  });

  test('a certificate for another host is one as well', async () => {
    const url = `${server.url.replace('127.0.0.1', 'localhost')}/Team/App.git`;
    expect(await checks.check({ url, ...login }, { caFile })).toBe(
      unreachableAt(url, 'x509: certificate is not valid for the host'),
    );
  });

  test('a key opens nothing, and goes before a password', async () => {
    const url = `${server.url}/Team/App.git`;
    expect(await checks.check({ url, ...login, sshPrivateKey: 'key' }, { caFile })).toBe(refusedAt(url));
  });
});

describe('over HTTP', () => {
  test('a repository is read only where a setting allows it', async () => {
    const url = `${open.url}/Team/App.git`;
    expect(await checks.check({ url })).toBe('valid');
    expect(await checks.check({ url }, { allowHttp: false })).toBe(
      'InvalidRepositoryUrl: Repository does not exist: repository must begin with ssh:// or https://',
    );
  });

  test.each([
    [401, refusedAt],
    [403, refusedAt],
    [404, () => missing],
    [410, () => missing],
    [429, (url: string) => unreachableAt(url, 'unexpected status code: 429')],
    [500, (url: string) => unreachableAt(url, 'unexpected status code: 500')],
    [503, (url: string) => unreachableAt(url, 'unexpected status code: 503')],
  ])('a server that answers %i', async (code, saying) => {
    scripted.respond = (_request, response) => response.writeHead(code, { 'content-type': 'text/plain' }).end('no');
    const url = `${scripted.url}/a`;
    expect(await checks.check({ url, ...login })).toBe(saying(url));
  });

  test('a web page is no repository', async () => {
    scripted.respond = (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>\n<body>\n</body></html>\n');
    expect(await checks.check({ url: `${scripted.url}/a` })).toBe(missing);
  });

  test('a server that hangs up in the middle was not reached', async () => {
    scripted.respond = (_request, response) => response.destroy();
    const url = `${scripted.url}/a`;
    expect(await checks.check({ url })).toBe(unreachableAt(url, 'unexpected EOF'));
  });

  test('a redirect is not followed, so no password goes to another host', async () => {
    scripted.respond = (request, response) =>
      response.writeHead(301, { location: `${open.url}/Team/App.git${request.path}` }).end();
    expect(await checks.check({ url: `${scripted.url}/a.git`, ...login })).toBe(
      'InvalidRepositoryUrl: Repository does not exist: repository not found: the server names another URL for it, write that one',
    );
    expect(scripted.requests).toHaveLength(1);
  });

  test('a server that redirects to the name with .git is asked for that name, on the same host', async () => {
    scripted.respond = (request, response) => {
      const known = request.path.startsWith('/a.git/');
      if (known) response.writeHead(404).end();
      else response.writeHead(302, { location: 'http://elsewhere.example/' }).end();
    };
    expect(await checks.check({ url: `${scripted.url}/a/` })).toBe(missing);
    expect(scripted.requests.map(({ path }) => path)).toEqual(['/a/info/refs', '/a.git/info/refs']);
  });

  test('an answer without end is ended, before it fills the memory', async () => {
    scripted.respond = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
      response.write('001e# service=git-upload-pack\n0000');
      const ref = `${'a'.repeat(40)} refs/heads/${'x'.repeat(60_000)}\n`;
      const line = `${(ref.length + 4).toString(16).padStart(4, '0')}${ref}`;
      const more = (): void => {
        while (response.write(line)); // until the connection is full
      };
      response.on('drain', more);
      response.on('error', () => undefined); // git is gone
      more();
    };
    const url = `${scripted.url}/a`;
    expect(await checks.check({ url })).toBe(unreachableAt(url, 'the answer is too long, or none of a Git server'));
  });
});

describe('a server that is not reached is never a wrong credential', () => {
  test('because its name does not resolve', async () => {
    const url = 'https://git.invalid/team/app';
    expect(await checks.check({ url, ...login })).toBe(unreachableAt(url, 'dial tcp: lookup: no such host'));
  });

  test('because nobody listens', async () => {
    const url = `https://127.0.0.1:${await freePort()}/team/app`;
    expect(await checks.check({ url, ...login })).toBe(unreachableAt(url, 'dial tcp: connect: connection refused'));
  });

  test('because it speaks no TLS', async () => {
    const url = `${open.url.replace('http:', 'https:')}/Team/App.git`;
    expect(await checks.check({ url, ...login })).toBe(unreachableAt(url, 'tls: handshake failure'));
  });

  test('because it never answers: git is given up at the deadline', async () => {
    const clock = createVirtualClock();
    const url = silentUrl();
    const before = connected.length;
    const checking = checks.check({ url, ...login }, { clock, deadlineMs: 30_000 });
    await eventually('git has connected', () => connected.length > before);
    await clock.advance(30_000);
    expect(await checking).toBe(unreachableAt(url, 'i/o timeout: no answer within 30 s'));
    expect(clock.pending).toBe(0);
  });

  test('because its address is looked up for ever', async () => {
    const clock = createVirtualClock();
    const url = 'https://git.example/a';
    const allowHost = (): Promise<void> => new Promise(() => undefined);
    const checking = checks.check({ url }, { clock, deadlineMs: 30_000, allowHost });
    await clock.advance(30_000);
    expect(await checking).toBe(unreachableAt(url, 'i/o timeout: no answer within 30 s'));
  });
});

test('a check that is not wanted any more ends at once, with its reason, and leaves nothing', async () => {
  const stop = new AbortController();
  const before = connected.length;
  const checking = checks.check({ url: silentUrl(), ...login }, {}, stop.signal);
  await eventually('git has connected', () => connected.length > before);
  expect(await checks.files()).toHaveLength(1);
  stop.abort(new Error('the process stops'));
  expect(await checking).toBe('the process stops');
  expect(await checks.check({ url: silentUrl() }, {}, stop.signal)).toBe('the process stops');
});

test('a host that may not be talked to is asked nothing', async () => {
  const asked: string[] = [];
  const allowHost = async (host: string): Promise<void> => {
    asked.push(host);
    throw userFault('RepositoryUnreachable', 'not allowed');
  };
  const url = `${scripted.url.replace('127.0.0.1', 'LocalHost')}/a`;
  expect(await checks.check({ url }, { allowHost })).toBe('RepositoryUnreachable: not allowed');
  expect([asked, scripted.requests]).toEqual([['LocalHost'], []]);
});

test.each([
  '--upload-pack=touch pwned',
  '-c',
  'ext::sh -c "touch pwned"',
  'fd::3',
  '/etc',
  'file:///etc',
  'git://127.0.0.1/a',
])('%s starts nothing', async (url) => {
  expect(await checks.check({ url }, { searchPath: '/nowhere' })).toMatch(/^InvalidRepositoryUrl: /);
});

test('a machine without git is our failure, not the credential of anybody', async () => {
  expect(await checks.check({ url: `${open.url}/Team/App.git` }, { searchPath: '/nowhere' })).toBe(
    'GitNotInstalled: git was not found',
  );
});

test('a clone that the folder lies in changes nothing of what is asked', async () => {
  const clone = await createGitRepository();
  await clone.git('config', 'url.http://127.0.0.1:1/.insteadOf', `${open.url}/`);
  await mkdir(join(clone.folder, 'temporary'));
  const folder = join(clone.folder, 'temporary');
  expect(await checks.check({ url: `${open.url}/Team/App.git` }, { folder })).toBe('valid');
  await clone.remove();
});

test('a secret is in no argument, and no setting of the machine reaches git', async () => {
  const programs = join(checks.root, '..', 'programs');
  const seen = join(checks.root, '..', 'seen');
  await mkdir(programs);
  await writeFile(join(programs, 'git'), `#!/bin/sh\n{ echo "$@"; env; } >'${seen}'\n`, { mode: 0o700 });
  const url = `${server.url.replace('://', '://bob:hunter2@')}/a`;
  expect(await checks.check({ url, ...login }, { searchPath: `${programs}::/usr/bin:/bin` })).toBe('valid');
  const [args = '', ...environment] = (await readFile(seen, 'utf8')).split('\n');
  expect(args).toBe(`ls-remote -- ${server.url}/a HEAD`);
  const names = environment.map((line) => line.split('=')[0] ?? '');
  const byTheShell = /^(|PWD|OLDPWD|SHLVL|_)$/;
  const given = names.filter((name) => !name.startsWith('GIT_') && !byTheShell.test(name));
  expect(new Set(given)).toEqual(new Set(['HOME', 'LC_ALL', 'PATH', 'SSH_ASKPASS_REQUIRE', 'XDG_CONFIG_HOME']));
  expect(environment).toContain('GIT_ALLOW_PROTOCOL=https:ssh:http');
  expect(environment).toContain(`PATH=${programs}:/usr/bin:/bin`); // an empty part would be the folder of the check
});
