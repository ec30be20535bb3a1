// Bare mirrors of Git repositories: resolves revisions and reads files from the object database, never a checkout.
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '../../lib/fault.ts';
import type { RunProgram } from './git.ts';
import { isSupportedGitUrl, redactGitUrl } from './git-url.ts';

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
  resolve(url: string, revision: string, signal: AbortSignal): Promise<string>;
  /** The regular files under `folder` ('' for all) of a commit; symbolic links and submodules are left out. */
  files(at: CommitFolder, signal: AbortSignal): Promise<readonly RepositoryFile[]>;
  /** The contents of files, in order. */
  contents(at: CommitFolder, files: readonly RepositoryFile[], signal: AbortSignal): Promise<readonly Buffer[]>;
}

/** A folder of a commit of a repository. `folder` has no `..` and no leading slash. */
export interface CommitFolder {
  readonly url: string;
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
  url: string,
  args: readonly string[],
  options: { readonly signal: AbortSignal; readonly input?: string },
) => Promise<Buffer>;

/** What is asked of the repositories themselves, and brought into their mirrors. */
const createTransfers = (git: Git) => {
  const commitOf = async (url: string, id: string, signal: AbortSignal): Promise<string | undefined> => {
    try {
      const found = await git(url, ['rev-parse', '--verify', '--quiet', `${id}^{commit}`], { signal });
      return found.toString().trim();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Fault) return undefined;
      throw error;
    }
  };

  const fetch = async (url: string, refs: readonly string[], signal: AbortSignal): Promise<void> => {
    const options = ['--quiet', '--force', '--no-tags', '--no-write-fetch-head'];
    await git(url, ['fetch', ...options, '--', url, ...refs], { signal });
  };

  return {
    commitOf,

    /** The full id of a commit, fetched if the mirror hasn't got it: with all branches and tags, else by itself. */
    async obtain(url: string, id: string, signal: AbortSignal): Promise<string | undefined> {
      const known = await commitOf(url, id, signal);
      if (known) return known;
      await fetch(url, ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'], signal);
      const fetched = await commitOf(url, id, signal);
      if (fetched || !FULL_ID.test(id)) return fetched;
      await fetch(url, [id], signal);
      return commitOf(url, id, signal);
    },

    /** The lines of `git ls-remote`. */
    async listRefs(url: string, signal: AbortSignal): Promise<string> {
      try {
        return (await git(url, ['ls-remote', '--', url], { signal })).toString();
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        throw new Fault('user', 'GitFailed', `failed to list refs: ${error.message}`, { cause: error });
      }
    },
  };
};

/** Creates the mirrors below `cacheDir`; one git run at a time writes to a mirror. */
export const createMirrors = ({ cacheDir, run }: { readonly cacheDir: string; readonly run: RunProgram }): Mirrors => {
  const inTurn = createTurns();
  const opened = new Set<string>();
  const listings = new Map<string, Promise<string>>();
  const folderOf = (url: string): string =>
    path.join(cacheDir, 'mirrors', createHash('sha256').update(url).digest('hex'));
  const git: Git = (url, args, options) => run('git', args, { cwd: folderOf(url), ...options });
  const { commitOf, obtain, listRefs } = createTransfers(git);

  const open = async (url: string, signal: AbortSignal): Promise<void> => {
    if (opened.has(url)) return;
    if (!isSupportedGitUrl(url)) {
      const message = `failed to list refs: not a URL that Git is used with: ${redactGitUrl(url)}`;
      throw new Fault('user', 'GitFailed', message);
    }
    await mkdir(folderOf(url), { recursive: true });
    await git(url, ['init', '--quiet', '--bare', '.'], { signal });
    opened.add(url);
  };

  /** Asks the repository once for all who ask while another listing is under way: many Applications share one. */
  const freshRefs = (url: string, signal: AbortSignal): Promise<string> => {
    const waiting = listings.get(url);
    if (waiting) return waiting;
    const listing = inTurn(url, () => {
      listings.delete(url);
      return listRefs(url, signal);
    });
    listings.set(url, listing);
    return listing;
  };

  const obtainNamed = async (url: string, revision: string, signal: AbortSignal): Promise<string | undefined> => {
    const named = findRef(await freshRefs(url, signal), revision);
    const id = named ?? (SHORT_ID.test(revision) ? revision : undefined);
    if (!id) return undefined;
    try {
      return await inTurn(url, () => obtain(url, id, signal));
    } catch (error) {
      if (named || signal.aborted || !(error instanceof Fault)) throw error;
      return undefined; // the repository doesn't give out a commit that it doesn't name
    }
  };

  return {
    async resolve(url, revision, signal) {
      await inTurn(url, () => open(url, signal));
      const known = FULL_ID.test(revision) ? await commitOf(url, revision, signal) : undefined;
      const commit = known ?? (await obtainNamed(url, revision, signal));
      if (commit) return commit;
      const message = `unable to resolve '${revision || 'HEAD'}' to a commit SHA`;
      throw new Fault('user', 'UnknownRevision', message);
    },
    async files({ url, commit, folder, recurse }, signal) {
      const tree = ['ls-tree', '-z', '--long', ...(recurse ? ['-r'] : []), `${commit}:${folder}`];
      const listed = parseTree(await git(url, tree, { signal }));
      return listed.map((file) => ({ ...file, path: path.posix.join(folder, file.path) }));
    },
    async contents({ url }, files, signal) {
      if (files.length === 0) return [];
      const input = files.map(({ hash }) => `${hash}\n`).join('');
      return parseBatch(await git(url, ['cat-file', '--batch'], { signal, input }), files.length);
    },
  };
};
