// A real Git repository in a temporary folder, which a test commits to.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const IDENTITY = [
  '-c',
  'user.name=test',
  '-c',
  'user.email=test@example.com',
  '-c',
  'commit.gpgsign=false',
  '-c',
  'tag.gpgsign=false',
];

/** Files by path; null removes one. */
export type Files = Readonly<Record<string, string | null>>;

/** A repository with a working tree, on branch `main` unless told. */
export interface GitRepository {
  /** Its folder; a URL that git clones from. */
  readonly folder: string;
  /** Writes the files, commits, and gives the commit's id. */
  commit(files: Files, message?: string): Promise<string>;
  /** Any git command in the folder; gives what it printed, trimmed. */
  git(...args: string[]): Promise<string>;
  remove(): Promise<void>;
}

/** Makes an empty repository; it is removed by `remove`. */
export const createGitRepository = async (): Promise<GitRepository> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'repository-'));
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', [...IDENTITY, ...args], { cwd: folder })).stdout.trim();
  await git('init', '--quiet', '--initial-branch=main');
  return {
    folder,
    git,
    async commit(files, message = 'change') {
      for (const [name, text] of Object.entries(files)) {
        const file = path.join(folder, name);
        if (text === null) await rm(file);
        else {
          await mkdir(path.dirname(file), { recursive: true });
          await writeFile(file, text);
        }
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};
