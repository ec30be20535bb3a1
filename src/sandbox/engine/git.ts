// Runs the git program: an argument vector, no shell, no prompt, no configuration of the machine, a deadline.
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isAbort, withDeadline } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { Fault } from '../../lib/fault.ts';
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

const run = (program: string, args: readonly string[], options: RunOptions & { env: Record<string, string> }) =>
  new Promise<Buffer>((resolve, reject) => {
    const { cwd, env, signal } = options;
    const child = spawn(program, [...args], { cwd, env, signal, killSignal: 'SIGKILL', stdio: 'pipe' });
    const output: Buffer[] = [];
    let size = 0;
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-10_000)));
    child.stdin.on('error', () => undefined); // a program that ends before it read all says why on stderr
    child.on('error', (error) => reject(error));
    child.on('close', (code) => {
      if (size > MAX_OUTPUT_BYTES)
        reject(new Fault('user', 'GitFailed', `${program} printed more than the engine reads`));
      else if (code === 0) resolve(Buffer.concat(output));
      else reject(new Fault('user', 'GitFailed', reasonIn(stderr)));
    });
    child.stdin.end(options.input ?? '');
  });

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
    const what = `${program} ${args[0] ?? ''}`;
    try {
      return await withDeadline({ clock, deadlineMs, what, signal: options.signal }, (signal) =>
        run(program, args, { ...options, signal, env: all }),
      );
    } catch (error) {
      if (isAbort(error) && !options.signal.aborted)
        throw new Fault('user', 'GitFailed', `${what} took longer than ${deadlineMs} ms`, { cause: error });
      throw error;
    }
  };
};
