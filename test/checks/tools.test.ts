// Runs the tools that judge the whole tree, and shows for each that it sees a breach.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readTextFiles } from './source.ts';

const repository = join(import.meta.dirname, '../..');
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder with these files, inside the repository so that packages are found. */
const folderWith = (files: Readonly<Record<string, string>>): string => {
  mkdirSync(join(repository, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(repository, '.cache/tree-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
};

/** What a tool found, as it says it; empty when it is content. */
const complaints = (folder: string, program: string, ...flags: string[]): string => {
  const path = join(repository, 'node_modules', program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...flags], { cwd: folder, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}` || `it ended with ${status}`;
};

const tsconfig = JSON.stringify({ extends: '../../tsconfig.json', include: ['**/*.ts'] });

describe('types', () => {
  const check = (folder: string): string => complaints(folder, 'typescript/bin/tsc', '--project', '.');

  it('are right in the whole tree', () => {
    expect(check(repository)).toBe('');
  });

  it('that are wrong are seen', () => {
    const broken = folderWith({ 'tsconfig.json': tsconfig, 'a.ts': 'export const a: string = [1][0];' });
    expect(check(broken)).toContain("Type 'number | undefined' is not assignable to type 'string'");
  });
});

describe('lint with types', () => {
  const config = join(repository, '.oxlintrc.json');
  const check = (folder: string, ...flags: string[]): string =>
    complaints(
      folder,
      'oxlint/bin/oxlint',
      '--config',
      config,
      '--type-aware',
      '--deny-warnings',
      '-f',
      'unix',
      ...flags,
    );

  it('finds nothing in the whole tree', () => {
    expect(check(repository)).toBe('');
  });

  it('sees a promise that nobody waits for, a needless cast and a value import of a type', () => {
    const broken = folderWith({
      'tsconfig.json': tsconfig,
      'a.ts':
        'export interface A { a: number }\nexport const f = async (a: number): Promise<number> => await (a as number);',
      'b.ts': "import { A, f } from './a.ts';\nexport const g = (a: A): void => {\n  f(a.a);\n};",
    });
    const seen = check(broken, '--no-ignore', 'a.ts', 'b.ts');
    expect(seen).toContain('no-floating-promises');
    expect(seen).toContain('no-unnecessary-type-assertion');
    expect(seen).toContain('consistent-type-imports');
  });
});

describe('formatting', () => {
  const check = (folder: string, ...flags: string[]): string =>
    complaints(folder, 'prettier/bin/prettier.cjs', '--log-level=warn', '--check', '.', ...flags);

  it('is the same in the whole tree', () => {
    expect(check(repository)).toBe('');
  });

  it('that differs is seen', () => {
    const broken = folderWith({ 'a.ts': 'export const a = "a"\n' });
    expect(check(broken, '--config', join(repository, '.prettierrc.json'), '--ignore-path', 'none')).toContain('a.ts');
  });
});

describe('what nobody uses', () => {
  const check = (folder: string): string =>
    complaints(folder, 'knip/bin/knip.js', '--no-progress', '--no-config-hints');

  it('is not in the tree: no file, export or dependency', () => {
    expect(check(repository)).toBe('');
  });

  it('is seen', () => {
    const broken = folderWith({
      'package.json': JSON.stringify({ name: 'broken', dependencies: { pino: '*' } }),
      'src/main/managed-gitops.ts': "import { a } from '../lib/a.ts';\nimport 'a';\na();\n",
      'src/lib/a.ts': 'export const a = () => {};\nexport const needless = 1;\n',
      'src/lib/b.ts': 'export const b = 1;\n',
    });
    copyFileSync(join(repository, 'knip.json'), join(broken, 'knip.json'));
    const seen = check(broken);
    for (const name of ['needless', 'src/lib/b.ts', 'pino']) expect(seen).toContain(name);
  });
});

describe('generated files', () => {
  /** Those that differ from what generating makes now, and those that nothing makes any more. */
  const stale = (tree: (path: string) => string | undefined, paths: readonly string[]): string[] => {
    const made = folderWith({});
    execFileSync(process.execPath, [join(repository, 'scripts/generate.ts'), '--to', made]);
    const names = new Set(readTextFiles(made).map(({ path }) => path));
    const differing = [...names].filter((path) => tree(path) !== readFileSync(join(made, path), 'utf8'));
    return [...differing, ...paths.filter((path) => path.startsWith('deploy/crds/') && !names.has(path))];
  };
  const inTree = (path: string): string | undefined =>
    existsSync(join(repository, path)) ? readFileSync(join(repository, path), 'utf8') : undefined;

  it('equal what generating makes', () => {
    expect(
      stale(
        inTree,
        readTextFiles().map(({ path }) => path),
      ),
      'npm run generate writes them anew',
    ).toEqual([]);
  });

  it('that were changed by hand, are missing, or are made no more are seen', () => {
    const changed = (path: string): string | undefined =>
      path === 'docs/errors.md' ? undefined : `${inTree(path)}${path.includes('syncruns') ? '# by hand' : ''}`;
    const seen = stale(changed, ['deploy/crds/bygone.yaml']);
    expect(seen).toHaveLength(3);
    expect(seen).toEqual(expect.arrayContaining(['docs/errors.md', 'deploy/crds/bygone.yaml']));
  });
});

describe('the build', () => {
  it('is one file that starts without the sources and packages', () => {
    const to = folderWith({});
    execFileSync(process.execPath, [join(repository, 'scripts/build.ts'), to]);
    const help = execFileSync(process.execPath, [join(to, 'managed-gitops.mjs'), '--help'], { encoding: 'utf8' });
    expect(help).toContain('managed-gitops');
  });
});
