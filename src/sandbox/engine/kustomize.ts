// Renders a folder with kustomize, from files written for this one run.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '../../lib/fault.ts';
import type { RunProgram } from './git.ts';
import type { CommitFolder, Mirrors } from './mirror.ts';

/**
 * Gives the YAML that kustomize makes of a folder.
 * @throws Fault('user') with kustomize's own words, or when the machine has no kustomize.
 */
export type Kustomize = (from: CommitFolder, signal: AbortSignal) => Promise<string>;

/** The most that is written out. */
const MAX_TREE_BYTES = 50 * 1024 * 1024;

const wrong = (message: string): Fault => new Fault('user', 'InvalidSource', message);

/** Creates the renderer; `program` is `kustomize` or `kubectl`, undefined where there is neither. */
export const createKustomize = (parts: {
  readonly mirrors: Mirrors;
  readonly run: RunProgram;
  readonly cacheDir: string;
  readonly program: string | undefined;
}): Kustomize => {
  const { mirrors, run, cacheDir, program } = parts;

  /** Writes the commit's regular files below `root`, a folder of our own, so that no link leads out of it. */
  const writeTree = async (root: string, from: CommitFolder, signal: AbortSignal): Promise<void> => {
    const whole = { ...from, folder: '', recurse: true };
    const files = await mirrors.files(whole, signal);
    if (files.reduce((sum, { bytes }) => sum + bytes, 0) > MAX_TREE_BYTES)
      throw wrong(`the repository has more than ${MAX_TREE_BYTES} bytes, too many for the sandbox to run kustomize on`);
    const contents = await mirrors.contents(whole, files, signal);
    for (const [index, file] of files.entries()) {
      await mkdir(path.join(root, path.dirname(file.path)), { recursive: true });
      await writeFile(path.join(root, file.path), contents[index] ?? '');
    }
  };

  return async (from, signal) => {
    if (!program)
      throw wrong('the sandbox engine renders plain YAML only here: there is neither kustomize nor kubectl');
    const root = await mkdtemp(path.join(cacheDir, 'kustomize-'));
    try {
      await writeTree(root, from, signal);
      const folder = path.join(root, from.folder);
      const args = path.basename(program) === 'kubectl' ? ['kustomize', folder] : ['build', folder];
      return (await run(program, args, { cwd: cacheDir, signal })).toString('utf8');
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  };
};
