// The processes that die: bundled once, so that a start costs a tenth of a second, and spoken to while they live.
import { spawn } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { Armament, CrashReport, Question } from './crash-process.ts';

/** What a process does: as `managed-gitops backend`, `agent` and `all`. */
export type Role = 'backend' | 'agent' | 'all';

/** A process, from its start to its end. */
export interface Child {
  readonly role: Role;
  readonly pid: number;
  readonly ended: boolean;
  readonly whenEnded: Promise<void>;
  /** Undefined when it has ended before it answered. */
  ask(question: Question): Promise<CrashReport | undefined>;
  /** SIGKILL; waits for the end. */
  kill(): Promise<void>;
  /** The end of its log. */
  log(): string;
}

/** What a start takes. */
export interface ChildOptions {
  readonly program: string;
  readonly role: Role;
  readonly flags: Readonly<Record<string, string>>;
  readonly armament?: Armament;
}

/** A process of two seconds is mostly its start: this saves it the collection of garbage. */
const START_FAST = ['--max-semi-space-size=32'];
const LOG_KEPT = 20_000;
const root = join(import.meta.dirname, '../..');

/** Bundles the program of the processes into a folder, and gives its path. */
export const bundleChild = async (folder: string): Promise<string> => {
  const program = join(folder, 'crash-process.mjs');
  buildSync({
    absWorkingDir: root,
    entryPoints: [join(import.meta.dirname, 'crash-process.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['pg-native'],
    // The CommonJS packages inside ask for Node's own modules with `require`, which an ES module lacks.
    banner: {
      js: "import * as bundled from 'node:module';\nconst require = bundled.createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  await cp(join(root, 'src/db/migrations'), join(folder, 'migrations'), {
    recursive: true,
  });
  return program;
};

/** Starts a process, armed from its first call on if it is to be. It ends with this one. */
export const startChild = ({ program, role, flags, armament = {} }: ChildOptions): Child => {
  const written = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const child = spawn(process.execPath, [...START_FAST, program, role, JSON.stringify(armament), ...written], {
    // Compiled code is kept beside the program: the second start is twice as fast.
    env: { NODE_COMPILE_CACHE: join(program, '../compiled') },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let log = '';
  let ended = false;
  const waiting: ((report: CrashReport | undefined) => void)[] = [];
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (log = (log + chunk).slice(-LOG_KEPT)));
  child.on('message', (report: CrashReport) => waiting.shift()?.(report));
  const whenEnded = new Promise<void>((resolve) => {
    const end = (): void => {
      ended = true;
      for (const answer of waiting.splice(0)) answer(undefined);
      resolve();
    };
    child.on('exit', end);
    child.on('error', end);
  });
  return {
    role,
    pid: child.pid ?? 0,
    whenEnded,
    get ended() {
      return ended;
    },
    ask: (question) =>
      new Promise((resolve) => {
        if (ended) return resolve(undefined);
        waiting.push(resolve);
        child.send(question, () => undefined); // a process that dies meanwhile answers by its end
      }),
    async kill() {
      child.kill('SIGKILL');
      await whenEnded;
    },
    log: () => log,
  };
};
