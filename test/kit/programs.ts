// Programs that run beside a test, with their files and logs in one folder: all of it goes when the test is over.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** What a program is started with. */
export interface ProgramOptions {
  readonly file: string;
  /** As `--name=value`; a list gives the flag several times. */
  readonly flags?: Readonly<Record<string, string | readonly string[]>>;
  /** Words before the flags. */
  readonly words?: readonly string[];
  /** The whole environment; that of this process unless given. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Where it works; the folder of the programs unless given. */
  readonly directory?: string;
  /** Names its log; the file's name unless given. */
  readonly name?: string;
}

/** A program that was started. */
export interface Program {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it has ended, with its exit code or signal. */
  readonly ended: Promise<string>;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** A folder and the programs that work in it. */
export interface Programs {
  readonly folder: string;
  /** Writes a file that only its owner may read; its path. */
  file(name: string, content: string | Buffer): Promise<string>;
  start(options: ProgramOptions): Program;
  /** What a program has written so far. */
  log(name: string): string;
  /** The first program that ended without having been asked, with the end of its log. */
  fallen(): string | undefined;
  /** Ends all, last started first, and removes the folder. */
  stop(): Promise<void>;
}

/** A port of loopback that was free a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
      server.close(() => resolve(port));
    });
  });

const wordsOf = ({ words = [], flags = {} }: ProgramOptions): string[] => [
  ...words,
  ...Object.entries(flags).flatMap(([flag, value]) => [value].flat().map((one) => `--${flag}=${one}`)),
];

const startIn = (folder: string, options: ProgramOptions): Program & { readonly fell: () => boolean } => {
  const name = options.name ?? basename(options.file);
  const log = openSync(join(folder, `${name}.log`), 'a');
  const child = spawn(options.file, wordsOf(options), {
    stdio: ['ignore', log, log],
    cwd: options.directory ?? folder,
    ...(options.environment && { env: options.environment }),
    detached: true, // a Ctrl-C of the terminal is for the test alone, which then ends them in order
  });
  closeSync(log);
  let asked = false;
  let over = false;
  const ended = endOf(child).finally(() => (over = true));
  return {
    name,
    pid: child.pid ?? 0,
    ended,
    fell: () => over && !asked,
    async end(signal) {
      asked = true;
      child.kill(signal);
      await ended;
    },
  };
};

const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? String(code)));
    child.once('error', (error) => resolve(error.message));
  });

/** Kills what was started when this process ends without having stopped it, also when it is told to end. */
const followOwnEnd = (pids: () => readonly number[]): { stop(): void } => {
  const killAll = (): void => {
    for (const pid of pids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended before.
      }
    }
  };
  const leave = (): void => process.exit(143); // as the signal would have it; `exit` comes with that
  process.once('exit', killAll).once('SIGTERM', leave);
  return { stop: () => void process.off('exit', killAll).off('SIGTERM', leave) };
};

/** Makes a folder for programs; its name begins with `prefix`. */
export const createPrograms = async (prefix: string): Promise<Programs> => {
  const folder = await mkdtemp(join(tmpdir(), `${prefix}-`));
  const started: ReturnType<typeof startIn>[] = [];
  const endWithUs = followOwnEnd(() => started.map(({ pid }) => pid));
  const log = (name: string): string => readFileSync(join(folder, `${name}.log`), 'utf8');
  return {
    folder,
    log,
    async file(name, content) {
      const path = join(folder, name);
      await writeFile(path, content, { mode: 0o600 });
      return path;
    },
    start(options) {
      const program = startIn(folder, options);
      started.push(program);
      return program;
    },
    fallen() {
      const program = started.find(({ fell }) => fell());
      return program && `${program.name} ended: ${log(program.name).slice(-2000)}`;
    },
    async stop() {
      for (const program of started.toReversed()) await program.end('SIGKILL'); // nothing of it is kept
      endWithUs.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
