// Bare mirrors of Git repositories: resolves revisions and reads files from the object database, never a checkout.
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '../../lib/fault.ts';
import type { RunOptions, RunProgram } from './git.ts';
import type { WithAccess } from './git-access.ts';
import { isSupportedGitUrl, redactGitUrl } from './git-url.ts';
import type { Repository } from './repository.ts';

/** A regular file in a commit; `path` is relative to the repository. */
export interface RepositoryFile {
  readonly path: string;
  readonly hash: string;
  readonly bytes: number;
}

/** The repositories that the engine has met. */
export interface Mirrors {
  /**
   * The commit that a branch, tag, commit id, `HEAD` or '' means now, asked of the repository.
   * @throws Fault('user') when the repository can't be reached or has no such revision.
   */
  resolve(repository: Repository, revision: string, signal: AbortSignal): Promise<string>;
  /** The regular files under `folder` ('' for all) of a commit; symbolic links and submodules are left out. */
  files(at: CommitFolder, signal: AbortSignal): Promise<readonly RepositoryFile[]>;
  /** The contents of files, in order. */
  contents(at: CommitFolder, files: readonly RepositoryFile[], signal: AbortSignal): Promise<readonly Buffer[]>;
}

/** A folder of a commit of a repository. `folder` has no `..` and no leading slash. */
export interface CommitFolder {
  readonly repository: Repository;
  readonly commit: string;
  readonly folder: string;
  /** Whether folders inside are read too. */
  readonly recurse: boolean;
}

const FULL_ID = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
const SHORT_ID = /^[0-9a-f]{7,63}$/;

/** The commit a name means among the lines of `git ls-remote`: an annotated tag's commit stands on its `^{}` line. */
const findRef = (lines: string, revision: string): string | undefined => {
  const refs = new Map<string, string>();
  for (const line of lines.split('\n')) {
    const [id = '', name = ''] = line.split('\t');
    if (name) refs.set(name, id);
  }
  const names =
    !revision || revision === 'HEAD' ? ['HEAD'] : [revision, `refs/heads/${revision}`, `refs/tags/${revision}`];
  return names.flatMap((name) => [refs.get(`${name}^{}`), refs.get(name)]).find((id) => id !== undefined);
};

const parseTree = (output: Buffer): readonly RepositoryFile[] =>
  output
    .toString('utf8')
    .split('\0')
    .flatMap((entry) => {
      const match = /^100\d{3} blob ([0-9a-f]+) +(\d+)\t(.*)$/s.exec(entry);
      return match ? [{ hash: match[1] ?? '', bytes: Number(match[2]), path: match[3] ?? '' }] : [];
    });

/** Splits the answer of `git cat-file --batch`: a line `<hash> blob <bytes>`, the content, a newline. */
const parseBatch = (output: Buffer, count: number): readonly Buffer[] => {
  const contents: Buffer[] = [];
  let index = 0;
  while (contents.length < count) {
    const lineEnd = output.indexOf(10, index);
    const bytes = Number(output.subarray(index, lineEnd).toString().split(' ')[2]);
    if (lineEnd < 0 || Number.isNaN(bytes)) throw new Fault('internal', 'GitFailed', 'git cat-file left out an object');
    contents.push(output.subarray(lineEnd + 1, lineEnd + 1 + bytes));
    index = lineEnd + 1 + bytes + 1;
  }
  return contents;
};

/** Runs one job at a time for each key, in the order they were asked for. */
const createTurns = () => {
  const last = new Map<string, Promise<unknown>>();
  return <T>(key: string, job: () => Promise<T>): Promise<T> => {
    const mine = (last.get(key) ?? Promise.resolve()).then(job, job);
    last.set(key, mine);
    const leave = (): void => void (last.get(key) === mine && last.delete(key));
    mine.then(leave, leave);
    return mine;
  };
};

type Git = (
  repository: Repository,
  args: readonly string[],
  options: Pick<RunOptions, 'signal' | 'input' | 'env'>,
) => Promise<Buffer>;

/** What is asked of the repositories themselves, and brought into their mirrors. */
const createTransfers = (git: Git, withAccess: WithAccess) => {
  /** Lets git talk to the repository's server. */
  const talk = (repository: Repository, args: readonly string[], signal: AbortSignal): Promise<Buffer> =>
    withAccess(repository, (env) => git(repository, args, { signal, env }));

  const commitOf = async (repository: Repository, id: string, signal: AbortSignal): Promise<string | undefined> => {
    try {
      const found = await git(repository, ['rev-parse', '--verify', '--quiet', `${id}^{commit}`], { signal });
      return found.toString().trim();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Fault) return undefined;
      throw error;
    }
  };

  const fetch = async (repository: Repository, refs: readonly string[], signal: AbortSignal): Promise<void> => {
    const options = ['--quiet', '--force', '--no-tags', '--no-write-fetch-head'];
    await talk(repository, ['fetch', ...options, '--', repository.url, ...refs], signal);
  };

  return {
    commitOf,

    /** The full id of a commit, fetched if the mirror hasn't got it: with all branches and tags, else by itself. */
    async obtain(repository: Repository, id: string, signal: AbortSignal): Promise<string | undefined> {
      const known = await commitOf(repository, id, signal);
      if (known) return known;
      await fetch(repository, ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'], signal);
      const fetched = await commitOf(repository, id, signal);
      if (fetched || !FULL_ID.test(id)) return fetched;
      await fetch(repository, [id], signal);
      return commitOf(repository, id, signal);
    },

    /** The lines of `git ls-remote`. */
    async listRefs(repository: Repository, signal: AbortSignal): Promise<string> {
      try {
        return (await talk(repository, ['ls-remote', '--', repository.url], signal)).toString();
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        throw new Fault('user', 'GitFailed', `failed to list refs: ${error.message}`, { cause: error });
      }
    },
  };
};

/** Creates the mirrors below `cacheDir`, one for each reader of a URL; one git run at a time writes to a mirror. */
export const createMirrors = (parts: {
  readonly cacheDir: string;
  readonly run: RunProgram;
  readonly withAccess: WithAccess;
}): Mirrors => {
  const { cacheDir, run, withAccess } = parts;
  const inTurn = createTurns();
  const opened = new Set<string>();
  const listings = new Map<string, Promise<string>>();
  const keyOf = ({ url, reader }: Repository): string => JSON.stringify([url, reader]);
  const folderOf = (repository: Repository): string =>
    path.join(cacheDir, 'mirrors', createHash('sha256').update(keyOf(repository)).digest('hex'));
  const git: Git = (repository, args, options) => run('git', args, { cwd: folderOf(repository), ...options });
  const { commitOf, obtain, listRefs } = createTransfers(git, withAccess);

  const open = async (repository: Repository, signal: AbortSignal): Promise<void> => {
    const { url } = repository;
    if (opened.has(keyOf(repository))) return;
    if (!isSupportedGitUrl(url)) {
      const message = `failed to list refs: not a URL that Git is used with: ${redactGitUrl(url)}`;
      throw new Fault('user', 'GitFailed', message);
    }
    await mkdir(folderOf(repository), { recursive: true });
    await git(repository, ['init', '--quiet', '--bare', '.'], { signal });
    opened.add(keyOf(repository));
  };

  /** Asks the repository once for all who ask while another listing is under way: many Applications share one. */
  const freshRefs = (repository: Repository, signal: AbortSignal): Promise<string> => {
    const key = keyOf(repository);
    const waiting = listings.get(key);
    if (waiting) return waiting;
    const listing = inTurn(key, () => {
      listings.delete(key);
      return listRefs(repository, signal);
    });
    listings.set(key, listing);
    return listing;
  };

  const obtainNamed = async (
    repository: Repository,
    revision: string,
    signal: AbortSignal,
  ): Promise<string | undefined> => {
    const named = findRef(await freshRefs(repository, signal), revision);
    const id = named ?? (SHORT_ID.test(revision) ? revision : undefined);
    if (!id) return undefined;
    try {
      return await inTurn(keyOf(repository), () => obtain(repository, id, signal));
    } catch (error) {
      if (named || signal.aborted || !(error instanceof Fault)) throw error;
      return undefined; // the repository doesn't give out a commit that it doesn't name
    }
  };

  return {
    async resolve(repository, revision, signal) {
      await inTurn(keyOf(repository), () => open(repository, signal));
      const known = FULL_ID.test(revision) ? await commitOf(repository, revision, signal) : undefined;
      const commit = known ?? (await obtainNamed(repository, revision, signal));
      if (commit) return commit;
      const message = `unable to resolve '${revision || 'HEAD'}' to a commit SHA`;
      throw new Fault('user', 'UnknownRevision', message);
    },
    async files({ repository, commit, folder, recurse }, signal) {
      const tree = ['ls-tree', '-z', '--long', ...(recurse ? ['-r'] : []), `${commit}:${folder}`];
      const listed = parseTree(await git(repository, tree, { signal }));
      return listed.map((file) => ({ ...file, path: path.posix.join(folder, file.path) }));
    },
    async contents({ repository }, files, signal) {
      if (files.length === 0) return [];
      const input = files.map(({ hash }) => `${hash}\n`).join('');
      return parseBatch(await git(repository, ['cat-file', '--batch'], { signal, input }), files.length);
    },
  };
};
