// The versions of the service that are measured: the tree this bench stands in, and what a git ref names.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../src/lib/fault.ts';

const run = promisify(execFile);

/** A version: what it is called, and where its source is. */
export interface Version {
  readonly label: string;
  readonly root: string;
}

/** The tree that this bench stands in. */
export const ownTree: Version = { label: 'this', root: join(import.meta.dirname, '../..') };

/**
 * Checks a ref out into a work tree of its own, which goes again when it is disposed of. The packages are shared where
 * both trees name the same.
 * @throws when there is no such ref, or nothing to run in it.
 */
export const checkOut = async (
  ref: string,
  options: { readonly folder: string; readonly signal: AbortSignal; readonly say: (line: string) => void },
): Promise<Version & AsyncDisposable> => {
  const { folder, signal, say } = options;
  const root = join(folder, 'against');
  const git = (...args: string[]) => run('git', ['-C', ownTree.root, ...args]);
  await git('worktree', 'add', '--detach', root, ref).catch((error: unknown) => {
    throw new Error(`--against ${ref}: ${/fatal: (.*)/.exec(messageOf(error))?.[1] ?? messageOf(error)}`);
  });
  const remove = async (): Promise<void> => void (await git('worktree', 'remove', '--force', root));
  try {
    if (!existsSync(join(root, 'bin/managed-gitops')))
      throw new Error(`--against ${ref}: it has no bin/managed-gitops`);
    await takePackages(root, { signal, say });
  } catch (error) {
    await remove();
    throw error;
  }
  return { label: ref, root, [Symbol.asyncDispose]: remove };
};

const takePackages = async (
  root: string,
  { signal, say }: { readonly signal: AbortSignal; readonly say: (line: string) => void },
): Promise<void> => {
  const lockfile = (tree: string): string => readFileSync(join(tree, 'package-lock.json'), 'utf8');
  if (lockfile(root) === lockfile(ownTree.root)) {
    symlinkSync(join(ownTree.root, 'node_modules'), join(root, 'node_modules'));
    return;
  }
  say('installing the packages of that version, which are others');
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root, signal });
};
