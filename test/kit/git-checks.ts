// Checks of repositories as the backend makes them, with a repository that real servers serve and a folder to look into.
import { mkdtemp, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkRepository, type GitCheckContext } from '../../src/backend/git-check.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { messageOf } from '../../src/lib/fault.ts';
import { openGate } from '../../src/lib/gate.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { CredentialWish } from '../../src/domain/credential-wish.ts';
import { capturedLog } from './captured-log.ts';
import { createGitRepository } from './git-repository.ts';

/** A repository `Team/App.git` below `root`, and what checks it. */
export interface GitChecks {
  /** Servers serve this folder. */
  readonly root: string;
  readonly context: GitCheckContext;
  /** Each line that was logged. */
  readonly lines: readonly Record<string, unknown>[];
  /**
   * Checks a credential: 'valid', or the reason and message of the fault. Fails when a file is left behind, or a secret
   * is in the message or the log.
   */
  check(
    wish: Partial<CredentialWish> & { readonly url: string },
    changes?: Partial<GitCheckContext>,
    signal?: AbortSignal,
  ): Promise<string>;
  /** The names of what lies in the folder for temporary files now. */
  files(): Promise<string[]>;
  remove(): Promise<void>;
}

/** Makes the repository. Without `changes`, checks are made with the machine's git, clock and any host. */
export const createGitChecks = async (): Promise<GitChecks> => {
  const folder = await mkdtemp(join(tmpdir(), 'git checks-')); // a blank, as a path may have one
  const [root, temporary] = [join(folder, 'served'), join(folder, 'temporary')];
  await mkdir(join(root, 'Team'), { recursive: true });
  await mkdir(temporary);
  const repository = await createGitRepository();
  await repository.commit({ 'app.yaml': 'a: 1\n' });
  await repository.git('clone', '--quiet', '--bare', repository.folder, join(root, 'Team', 'App.git'));
  await repository.remove();
  const { log, lines } = capturedLog();
  const context: GitCheckContext = {
    clock: systemClock,
    random: systemRandom,
    gate: openGate,
    log,
    deadlineMs: 20_000,
    allowHost: async () => undefined,
    knownHosts: '',
    allowHttp: true,
    caFile: '',
    searchPath: process.env['PATH'] ?? '/usr/bin:/bin',
    folder: temporary,
  };
  return {
    root,
    context,
    lines,
    async check(wish, changes = {}, signal = new AbortController().signal) {
      const whole = { username: '', password: '', sshPrivateKey: '', secretName: 'token', inputHash: '', ...wish };
      const said = await checkRepository({ ...context, ...changes }, whole, signal).then(
        () => 'valid',
        (error: unknown) =>
          error instanceof Error && 'reason' in error ? `${String(error.reason)}: ${error.message}` : messageOf(error),
      );
      const left = await readdir(temporary);
      if (left.length > 0) throw new Error(`left behind: ${left.join()}`);
      const told = said + JSON.stringify(lines);
      for (const secret of [whole.password, whole.sshPrivateKey])
        if (secret !== '' && told.includes(secret)) throw new Error('a secret was told');
      return said;
    },
    files: () => readdir(temporary),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};
