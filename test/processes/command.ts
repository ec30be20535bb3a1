// Programs run as their users run them: started, read, signalled, and never left behind.
import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../kit/eventually.ts';

/** How a program ended and all that it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly errors: string;
}

/** A program that runs. Leaving the scope of an `await using` kills it. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  /** What it has written so far, to standard output and to standard error. */
  out(): string;
  errors(): string;
  /** Waits for a text in either of the two. */
  says(text: string | RegExp, withinMs?: number): Promise<void>;
  /** Types into its standard input. */
  type(text: string): void;
  /** Stops reading what it writes, as a reader does that has seen enough. */
  closeOutput(): void;
  kill(signal: NodeJS.Signals): void;
  readonly whenEnded: Promise<Ended>;
}

/** Where and with what a program runs: nothing of this process's environment is passed on but the PATH. */
export interface Surroundings {
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Long enough for a demo's start on a machine that has other things to do. */
const START_MS = 60_000;

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const command = join(root, 'bin/managed-gitops');

/** Runs `managed-gitops` with these arguments. */
export const managedGitops = (args: readonly string[], surroundings: Surroundings): Running =>
  run('sh', [command, ...args], surroundings);

/** Runs `managed-gitops` in a terminal of its own, with `script`. */
export const managedGitopsInTerminal = (args: readonly string[], surroundings: Surroundings): Running =>
  run('script', ['-qec', ['exec sh', command, ...args].join(' '), '/dev/null'], surroundings);

/** Runs a program. */
export const run = (program: string, args: readonly string[], { folder, environment }: Surroundings): Running => {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...environment },
    stdio: 'pipe',
  });
  const text = { out: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.errors += chunk));
  child.stdin.on('error', () => {}); // it ended before it read all
  let ended = false;
  const whenEnded = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      ended = true;
      resolve({ code, signal, ...text });
    });
  });
  whenEnded.catch(() => {}); // whoever waits hears of it
  return {
    pid: child.pid ?? 0,
    out: () => text.out,
    errors: () => text.errors,
    async says(wanted, withinMs = START_MS) {
      await eventually(
        `${args.join(' ')} says ${String(wanted)}`,
        () => {
          const said = text.out + text.errors;
          if (typeof wanted === 'string' ? said.includes(wanted) : wanted.test(said)) return true;
          throw new Error(`${ended ? 'it ended, and ' : ''}it said: ${said}`);
        },
        withinMs,
      );
    },
    type: (typed) => void child.stdin.write(typed),
    closeOutput: () => void child.stdout.destroy(),
    kill: (signal) => void child.kill(signal),
    whenEnded,
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill('SIGKILL');
      await whenEnded.catch(() => {});
    },
  };
};

/** A folder that goes when its scope is left; everybody may pass through it, PostgreSQL's account too. */
export const temporaryFolder = async (): Promise<AsyncDisposable & { readonly path: string }> => {
  const path = await mkdtemp(join(tmpdir(), 'managed-gitops-e2e-'));
  await chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
};

/** Whether something takes connections on a loopback port. */
export const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => socket.end(() => resolve(true)).destroy());
    socket.on('error', () => resolve(false));
  });

/** Whether a process is there. */
export const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Whether a program is on this machine, by calling it with harmless arguments. */
export const isInstalled = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args).status === 0;
