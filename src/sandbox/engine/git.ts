// Runs the git program: an argument vector, no shell, no prompt, no configuration of the machine, a deadline.
import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DeadlineExceeded, withDeadline } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { Fault } from '../../lib/fault.ts';
import { runProgram } from '../../lib/run-program.ts';
import { gitReason } from './git-reason.ts';

/** How git is run. `env` is added to its otherwise empty environment: PATH, proxies, an ssh agent. */
export interface GitOptions {
  readonly clock: Clock;
  /** A folder of the engine's own; git's home is made in it. */
  readonly cacheDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
}

/** One run of a program. */
export interface RunOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly input?: string;
  /** Variables for this run only. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and gives what it printed. */
export type RunProgram = (program: string, args: readonly string[], options: RunOptions) => Promise<Buffer>;

/** More output than this is not a folder of manifests. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Git's whole configuration. A repository on this machine may belong to another user: reading it is what the sandbox is
 * for. Nothing runs in the background, so that whatever was started has ended when the engine stops.
 */
const GIT_CONFIG =
  '[safe]\n\tdirectory = *\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[core]\n\thooksPath = /dev/null\n';

const failed = (message: string, cause?: unknown): Fault => new Fault('user', 'GitFailed', message, { cause });

/** Gives what the program printed, or its own words on why it failed. */
const run = async (
  program: string,
  args: readonly string[],
  options: RunOptions & Required<Pick<RunOptions, 'env'>>,
) => {
  const { code, stdout, stderr, overflowed } = await runProgram({
    ...options,
    program,
    args,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  if (overflowed) throw failed(`${program} printed more than ${MAX_OUTPUT_BYTES} bytes`);
  if (code !== 0) throw failed(gitReason(stderr));
  return stdout;
};

/** The first of the programs that is in one of the folders of `searchPath`, a PATH. */
export const findProgram = async (names: readonly string[], searchPath: string): Promise<string | undefined> => {
  const places = names.flatMap((name) => searchPath.split(path.delimiter).map((folder) => path.join(folder, name)));
  for (const place of places) {
    const found = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return place;
  }
  return undefined;
};

/** How ssh is called: as the environment says, else without asking anybody. */
export const sshCommandOf = (env: Readonly<Record<string, string>>): string =>
  env['GIT_SSH_COMMAND'] ?? 'ssh -o BatchMode=yes';

/**
 * Prepares git's home and gives the function that runs git and its kind. A run that fails is a
 * `Fault('user', 'GitFailed')` with the program's own reason: wrong URL, no access, no such object.
 */
export const createProgramRunner = async ({ clock, cacheDir, env, deadlineMs }: GitOptions): Promise<RunProgram> => {
  const home = path.join(cacheDir, 'home');
  await mkdir(home, { recursive: true });
  await writeFile(path.join(home, '.gitconfig'), GIT_CONFIG);
  const all = {
    ...env,
    HOME: home,
    XDG_CONFIG_HOME: home,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ALLOW_PROTOCOL: 'https:http:ssh:file',
    GIT_SSH_COMMAND: sshCommandOf(env),
  };
  return async (program, args, options) => {
    const what = `${path.basename(program)} ${args[0] ?? ''}`;
    try {
      return await withDeadline({ clock, deadlineMs, what, signal: options.signal }, (signal) =>
        run(program, args, { ...options, signal, env: { ...all, ...options.env } }),
      );
    } catch (error) {
      if (error instanceof DeadlineExceeded) throw failed(error.message, error);
      throw error;
    }
  };
};
