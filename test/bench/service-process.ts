// A half of the service as operators run it: the real command line in a process of its own.
import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep, systemClock } from '../../src/lib/clock.ts';

/**
 * Standard input is the bench's hand on the process: when it closes, also because the bench was killed, the process is
 * told to end. The shell becomes the program, so its id is the program's.
 */
const SCRIPT = `
exec 3<&0 </dev/null
{ read -r word <&3; kill -TERM $$ 2>/dev/null; } &
exec 3<&-
exec "$@"
`;

const READY_WITHIN_MS = 60_000;
const END_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 25;

/** Which half, of which source tree, and on what. */
export interface ServiceOptions {
  readonly half: 'backend' | 'agent';
  /** The source tree that the program is of. */
  readonly root: string;
  /** The program, as it is shipped: see `bundleOf`. */
  readonly program: string;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where the log goes, and from where it runs. */
  readonly folder: string;
  /** Told when it ends without having been asked. */
  readonly onEnd: (error: Error) => void;
}

/** A half that runs. Disposing of it stops it and waits. */
export interface ServiceProcess extends AsyncDisposable {
  readonly pid: number;
  /** Waits until it is ready. @throws the signal's reason. */
  whenReady(signal: AbortSignal): Promise<void>;
  /** Its metrics, as Prometheus would read them. */
  metrics(): Promise<string>;
}

/** Puts a source tree's service into one file below `folder`, as it is shipped. Returns the file. */
export const bundleOf = async (root: string, folder: string): Promise<string> => {
  const to = join(folder, 'dist');
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.ts'), to], { cwd: root });
  return join(to, 'managed-gitops.mjs');
};

/** Starts a half. */
export const startService = (options: ServiceOptions): ServiceProcess => {
  const { half, root, program, folder } = options;
  const logFile = join(folder, `${half}.log`);
  const log = openSync(logFile, 'a');
  const node = [join(root, 'scripts/node.sh'), '--max-semi-space-size=4']; // as bin/managed-gitops has it
  const command = [...node, program, half, '--health-probe-bind-address=:0', ...options.flags];
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', 'sh', ...command, '--metrics-bind-address=0'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...options.environment },
    detached: true, // a Ctrl-C of the terminal is for the bench alone
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const hand = child.stdin;
  hand?.on('error', () => {}); // it has ended already
  let stopping = false;
  const ended = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      hand?.destroy();
      if (!stopping) options.onEnd(endedEarly(half, String(signal ?? code), logFile));
      resolve();
    });
  });
  const ask = async (path: string): Promise<Response> => {
    const port = /"port":(\d+),.*"msg":"probes are up"|"msg":"probes are up".*"port":(\d+)/.exec(
      readFileSync(logFile, 'utf8'),
    );
    return fetch(`http://127.0.0.1:${port?.[1] ?? port?.[2]}${path}`, { headers: { connection: 'close' } });
  };
  return {
    pid: child.pid ?? 0,
    async whenReady(signal) {
      const untilMs = systemClock.monotonicMs() + READY_WITHIN_MS;
      while (!(await ask('/readyz').catch(() => undefined))?.ok) {
        if (systemClock.monotonicMs() > untilMs) throw notReady(half, logFile);
        await sleep(systemClock, LOOK_EVERY_MS, signal);
      }
    },
    metrics: async () => (await ask('/metrics')).text(),
    async [Symbol.asyncDispose]() {
      stopping = true;
      hand?.end();
      const late = systemClock.after(END_WITHIN_MS, () => child.kill('SIGKILL'));
      await ended;
      late.cancel();
    },
  };
};

const endedEarly = (half: string, how: string, logFile: string): Error =>
  new Error(`the ${half} ended by itself (${how}); its log is ${logFile}`);

const notReady = (half: string, logFile: string): Error =>
  new Error(`the ${half} was not ready within a minute; its log is ${logFile}`);
