// Runs another program to its end: an argument vector, no shell, an environment of its own, output that is bounded.
import { spawn } from 'node:child_process';

/** One run. */
export interface ProgramRun {
  /** A file, or a name that is looked up in the PATH of `env`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing of this process's is added. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends the program, and whatever it has started. */
  readonly signal: AbortSignal;
  /** What the program reads; nothing unless given. */
  readonly input?: string;
  /** A program that prints more than this, on both channels together, is ended. */
  readonly maxOutputBytes: number;
}

/** How a run ended. */
export interface ProgramEnd {
  /** Null when it was ended by a signal. */
  readonly code: number | null;
  readonly stdout: Buffer;
  /** Its last 10,000 characters. */
  readonly stderr: string;
  /** True when it printed too much. */
  readonly overflowed: boolean;
}

const STDERR_CHARACTERS = 10_000;

/**
 * Runs the program; settles only when it, and whatever it started and shares its output with, has ended.
 * @throws the signal's reason when it aborts, and the system's error when there is no such program.
 */
export const runProgram = (run: ProgramRun): Promise<ProgramEnd> =>
  new Promise((resolve, reject) => {
    const { program, args, cwd, env, signal } = run;
    signal.throwIfAborted();
    const child = spawn(program, [...args], { cwd, env, detached: true, stdio: 'pipe' });
    const kill = (): void => killGroup(child.pid);
    signal.addEventListener('abort', kill, { once: true });
    const stdout: Buffer[] = [];
    let stderr = '';
    let size = 0;
    const count = (chunk: Buffer): boolean => {
      size += chunk.length;
      if (size > run.maxOutputBytes) kill();
      return size <= run.maxOutputBytes;
    };
    child.stdout.on('data', (chunk: Buffer) => {
      if (count(chunk)) stdout.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (count(chunk)) stderr = (stderr + chunk.toString()).slice(-STDERR_CHARACTERS);
    });
    child.stdin.on('error', () => undefined); // a program that ends before it read all says why on stderr
    child.on('error', (error) => {
      signal.removeEventListener('abort', kill);
      reject(error);
    });
    child.on('close', (code) => {
      signal.removeEventListener('abort', kill);
      if (signal.aborted) reject(signal.reason);
      else resolve({ code, stdout: Buffer.concat(stdout), stderr, overflowed: size > run.maxOutputBytes });
    });
    child.stdin.end(run.input ?? '');
  });

/** Ends a program with those it started: git leaves the talking to a child of its own. */
const killGroup = (pid: number | undefined): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error; // it has ended by itself
  }
};
