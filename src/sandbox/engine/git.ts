// Runs the git program: an argument vector, no shell, no prompt, no configuration of the machine, a deadline.
import { spawn } from 'node:child_process';
import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DeadlineExceeded, withDeadline } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { Fault } from '../../lib/fault.ts';
import { at } from './fields.ts';
import { redactGitUrl } from './git-url.ts';

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

/** The last line that says why, without "fatal:" and without a password. */
const reasonIn = (stderr: string): string => {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const line = lines.find((text) => /^(fatal|error|ERROR):/.test(text)) ?? lines.at(-1) ?? 'no reason given';
  return redactGitUrl(line.replace(/^(fatal|error|ERROR): /, ''));
};

const failed = (message: string, cause?: unknown): Fault => new Fault('user', 'GitFailed', message, { cause });

/** Ends a program with those it started: git leaves the talking to a child of its own. */
const killGroup = (pid: number | undefined): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (at(error, 'code') !== 'ESRCH') throw error; // it has ended by itself
  }
};

/** Runs the program; the promise settles only when it, and whatever it started, has ended. */
const run = (program: string, args: readonly string[], options: RunOptions & { env: Record<string, string> }) =>
  new Promise<Buffer>((resolve, reject) => {
    const { cwd, env, signal } = options;
    signal.throwIfAborted();
    const child = spawn(program, [...args], { cwd, env, detached: true, stdio: 'pipe' });
    const kill = (): void => killGroup(child.pid);
    signal.addEventListener('abort', kill, { once: true });
    const output: Buffer[] = [];
    let size = 0;
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT_BYTES) kill();
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-10_000)));
    child.stdin.on('error', () => undefined); // a program that ends before it read all says why on stderr
    child.on('error', reject);
    child.on('close', (code) => {
      signal.removeEventListener('abort', kill);
      if (signal.aborted) reject(signal.reason);
      else if (size > MAX_OUTPUT_BYTES) reject(failed(`${program} printed more than ${MAX_OUTPUT_BYTES} bytes`));
      else if (code === 0) resolve(Buffer.concat(output));
      else reject(failed(reasonIn(stderr)));
    });
    child.stdin.end(options.input ?? '');
  });

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
    GIT_SSH_COMMAND: env['GIT_SSH_COMMAND'] ?? 'ssh -o BatchMode=yes',
  };
  return async (program, args, options) => {
    const what = `${path.basename(program)} ${args[0] ?? ''}`;
    try {
      return await withDeadline({ clock, deadlineMs, what, signal: options.signal }, (signal) =>
        run(program, args, { ...options, signal, env: all }),
      );
    } catch (error) {
      if (error instanceof DeadlineExceeded) throw failed(error.message, error);
      throw error;
    }
  };
};
