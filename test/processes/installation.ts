// The processes of production as child processes, against an API server, a database and an Argo CD of the test's own.
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type World } from '../kit/world.ts';
import { managedGitops, type Running } from './command.ts';

/** What a child process is started with, besides the kubeconfig and ports of its own. */
export interface Start {
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** By way of which port the API server is reached; directly unless given. */
  readonly apiPort?: number;
}

/** One line of a log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** One of the processes. */
export interface ServiceProcess extends Running {
  /** Asks the process for a page of its probes. */
  probe(path: '/healthz' | '/readyz' | '/metrics'): Promise<{ readonly code: number; readonly body: string }>;
  /** Waits until it is ready. */
  whenReady(): Promise<void>;
  /** Its log so far. @throws where a line is no JSON. */
  log(): LogLine[];
  /** Its log lines with this message. */
  logged(message: string): LogLine[];
}

/** A place where the service can be run. */
export interface Installation extends AsyncDisposable {
  readonly world: World;
  readonly folder: string;
  /** The token in the kubeconfig, which nobody should see. */
  readonly token: string;
  /** Starts a process on the database of the world, unless the environment names another. */
  start(kind: 'backend' | 'agent' | 'all' | 'migrate', options?: Start): ServiceProcess;
  /** Stops, in order, what a test that failed has left running: the next test has its Leases. */
  stopRest(): Promise<void>;
}

/** Where to find the database, as one of our own settings. */
export const databaseUrl = (url: string): Readonly<Record<string, string>> => ({ MANAGED_GITOPS_DATABASE_URL: url });

/** Short intervals, for what a test waits for. */
const quickly = ['--second-look=50ms', '--redeliver=300ms'];

/** Creates an installation on which nothing of the service runs. */
export const createInstallation = async (options: { readonly migrated?: boolean } = {}): Promise<Installation> => {
  const world = await createWorld(options);
  const folder = await mkdtemp(join(tmpdir(), 'managed-gitops-e2e-'));
  const { kubeconfig, url } = world.api;
  const started: ServiceProcess[] = [];
  const start: Installation['start'] = (kind, given = {}) => {
    const { flags = [], environment = databaseUrl(world.database.connection.url), apiPort } = given;
    const ofKind = kind === 'migrate' ? [] : ['--health-probe-bind-address=:0', '--metrics-bind-address=0'];
    const pace = kind === 'backend' || kind === 'all' ? quickly : [];
    const file = join(folder, `kubeconfig-${apiPort ?? 'direct'}`);
    writeFileSync(file, kubeconfig.replace(url, apiPort === undefined ? url : `https://127.0.0.1:${apiPort}`));
    const running = managedGitops([kind, ...ofKind, ...pace, ...flags], {
      folder,
      environment: { KUBECONFIG: file, ...environment },
    });
    const service = serviceOf(kind, running);
    started.push(service);
    return service;
  };
  return {
    world,
    folder,
    token: /token: *(\S+)/.exec(kubeconfig)?.[1] ?? '',
    start,
    async stopRest() {
      for (const one of started) one.kill('SIGTERM');
      await Promise.all(started.splice(0).map((one) => one.whenEnded));
    },
    async [Symbol.asyncDispose]() {
      for (const one of started) await one[Symbol.asyncDispose]();
      await world.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const serviceOf = (kind: string, running: Running): ServiceProcess => {
  const log = (): LogLine[] =>
    running
      .errors()
      .split('\n')
      .slice(0, -1) // the last is still being written, or empty
      .map((line) => JSON.parse(line));
  const logged = (message: string): LogLine[] => log().filter((line) => line['msg'] === message);
  const port = (): Promise<number> =>
    eventually(`the probes of ${kind} are up`, () => Number(logged('probes are up')[0]?.['port']), 30_000);
  const probe: ServiceProcess['probe'] = async (path) => {
    const answer = await fetch(`http://127.0.0.1:${await port()}${path}`, { headers: { connection: 'close' } });
    return { code: answer.status, body: await answer.text() };
  };
  return {
    ...running,
    log,
    logged,
    probe,
    async whenReady() {
      await eventually(`${kind} is ready`, async () => {
        const { code, body } = await probe('/readyz');
        if (code !== 200) throw new Error(body);
        return true;
      });
    },
  };
};
