// The shell scripts that every command starts with, on a machine made of stand-ins.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'managed-gitops test-'));
  cpSync(join(import.meta.dirname, '../../scripts'), join(clone, 'scripts'), { recursive: true });
  cpSync(join(import.meta.dirname, '../../bin'), join(clone, 'bin'), { recursive: true });
  writeFileSync(join(clone, 'package-lock.json'), '{}');
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

const program = (path: string, text: string): void => {
  mkdirSync(dirname(join(clone, path)), { recursive: true });
  writeFileSync(join(clone, path), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
};
/** A Node.js that answers `--version`, and else says where it lies and what it was asked. */
const node = (path: string, version: string): void =>
  program(path, `[ "$1" = --version ] && echo ${version} || echo ${path} "$@"`);
const broken = (path: string): void =>
  program(path, 'echo "libatomic.so.1: cannot open shared object file" >&2; exit 127');

const run = (...command: [string, ...string[]]): { status: number | null; stdout: string; stderr: string } => {
  const PATH = `${join(clone, 'machine')}:/usr/bin:/bin`;
  return spawnSync(command[0], command.slice(1), { cwd: clone, encoding: 'utf8', env: { PATH } });
};

describe('scripts/node.sh', () => {
  it("runs the package's Node", () => {
    node('node_modules/.bin/node', 'v26.10.0');
    node('machine/node', 'v24.1.0');
    expect(run('sh', 'scripts/node.sh', 'a b', 'c').stdout).toBe('node_modules/.bin/node a b c\n');
  });

  it("runs the machine's own where the package's does not start", () => {
    broken('node_modules/.bin/node');
    node('machine/node', 'v24.1.0');
    expect(run('sh', 'scripts/node.sh', 'a').stdout).toBe('machine/node a\n');
  });

  it('says in one line what is missing where neither will do', () => {
    broken('node_modules/.bin/node');
    node('machine/node', 'v20.20.2');
    program('machine/dirname', 'exec /usr/bin/dirname "$@"'); // all else that the script needs of this PATH
    const { status, stdout, stderr } = run('env', `PATH=${join(clone, 'machine')}`, '/bin/sh', 'scripts/node.sh', 'a');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^managed-gitops needs Node\.js 24 or newer\..*libatomic.*\n$/);
  });
});

describe('bin/managed-gitops', () => {
  it('runs the sources from anywhere, through a link as well', () => {
    node('node_modules/.bin/node', 'v26.10.0');
    run('ln', '-s', join(clone, 'bin/managed-gitops'), 'linked');
    expect(run('sh', '-c', 'cd / && exec "$0" demo --repo x', join(clone, 'linked')).stdout).toMatch(
      /^node_modules\/\.bin\/node .*src\/main\/managed-gitops\.ts demo --repo x\n$/,
    );
  });
});

describe('scripts/install.sh', () => {
  const calls = (): string => readFileSync(join(clone, 'calls'), 'utf8');
  const install = (): number | null => run('sh', 'scripts/install.sh').status;

  it('installs once, without scripts of packages, and again when the lockfile has changed', () => {
    program('machine/npm', 'echo "$@" >>calls; mkdir -p node_modules');
    expect([install(), install()]).toEqual([0, 0]);
    expect(calls()).toMatch(/^ci --ignore-scripts [^\n]*\n$/);
    writeFileSync(join(clone, 'package-lock.json'), '{ }');
    install();
    expect(calls().split('\n')).toHaveLength(3);
  });

  it('fails, and tries again the next time, when npm could not', () => {
    program('machine/npm', 'mkdir -p node_modules; exit 7');
    expect([install(), install()]).toEqual([7, 7]);
  });
});
