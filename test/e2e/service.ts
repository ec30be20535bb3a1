// The service as its manifests name it: applied to the cluster, then started as processes under their ServiceAccounts.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemRandom } from '../../src/lib/random.ts';
import { eventually } from '../kit/eventually.ts';
import { freePort, type Program, type Programs } from '../kit/programs.ts';
import { kubeconfigWith } from './ground.ts';
import { runPage } from './install-page.ts';
import type { Kubectl } from './kubectl.ts';

/** The two processes. */
export const halves = ['backend', 'agent'] as const;
/** One of them. */
export type Half = (typeof halves)[number];

/** Where it runs. */
export interface ServiceOptions {
  /** The root of the source tree. */
  readonly root: string;
  readonly programs: Programs;
  readonly kubectl: Kubectl;
  /** A file: the administrator's. */
  readonly kubeconfig: string;
  readonly databaseUrl: string;
  /** Flags besides those of the manifests, such as shorter waits. */
  readonly flags: Readonly<Record<Half, readonly string[]>>;
  /** Variables besides those of the manifests. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The service while it runs. */
export interface Service {
  /** Kills a half without warning, and starts it again. Returns when it is ready. */
  kill(half: Half): Promise<void>;
  /** The number of times each half was killed. */
  readonly kills: Readonly<Record<Half, number>>;
}

const NAMESPACE = 'gitops';
const READY_WITHIN_MS = 60_000;

interface Container {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {
      readonly secretKeyRef?: { readonly name: string; readonly key: string };
      readonly fieldRef?: { readonly fieldPath: string };
    };
  }[];
}

/** The service's manifests in the cluster, and the program that they name. */
export interface InstalledService {
  /** Starts a half as its Deployment says; returns when it is ready. Started again, it has the same command line. */
  start(half: Half): Promise<Program>;
}

/** Applies the manifests, gives them the database, and builds the program. */
export const installService = async (options: ServiceOptions): Promise<InstalledService> => {
  const { root, programs } = options;
  await runPage(root, 'Install', { ...process.env, KUBECONFIG: options.kubeconfig, DATABASE_URL: options.databaseUrl });
  const dist = join(programs.folder, 'dist');
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.ts'), dist], { cwd: root });
  const lines = new Map<Half, CommandLine>();
  for (const half of halves) lines.set(half, await commandLine(half, options));
  return {
    async start(half) {
      const { args = [], environment } = lines.get(half) ?? {};
      const port = await freePort();
      const program = programs.start({
        name: half,
        file: process.execPath,
        words: [
          '--max-semi-space-size=4',
          join(dist, 'managed-gitops.mjs'),
          ...args,
          ...options.flags[half],
          `--health-probe-bind-address=:${port}`,
          '--metrics-bind-address=0',
        ],
        ...(environment && { environment }),
      });
      await isReady(half, port);
      return program;
    },
  };
};

/** Installs the service and starts both halves. */
export const startService = async (options: ServiceOptions): Promise<Service> => {
  const installed = await installService(options);
  const started = new Map<Half, Program>();
  const kills = { backend: 0, agent: 0 };
  for (const half of halves) started.set(half, await installed.start(half));
  return {
    kills,
    async kill(half) {
      await started.get(half)?.end('SIGKILL');
      kills[half] += 1;
      started.set(half, await installed.start(half));
    },
  };
};

/** Waits until a process answers at its health port that it is ready. */
export const isReady = async (name: string, port: number): Promise<void> => {
  const ask = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/readyz`, { headers: { connection: 'close' } })).ok;
  await eventually(`${name} is ready`, ask, READY_WITHIN_MS);
};

interface CommandLine {
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** What the kubelet would make of the Deployment in the cluster, and a kubeconfig in place of a mounted token. */
const commandLine = async (half: Half, options: ServiceOptions): Promise<CommandLine> => {
  const { kubectl, kubeconfig, programs } = options;
  const read = async (kind: string, name: string, path: string): Promise<unknown> =>
    JSON.parse(await kubectl(['-n', NAMESPACE, 'get', kind, name, '-o', `jsonpath={${path}}`]));
  const name = `managed-gitops-${half}`;
  const [container] = (await read('deployment', name, '.spec.template.spec.containers')) as Container[]; // our own manifest
  const environment: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: programs.folder, ...options.environment };
  for (const { configMapRef } of container?.envFrom ?? []) {
    Object.assign(environment, await read('configmap', configMapRef.name, '.data'));
  }
  for (const { name: variable, value, valueFrom } of container?.env ?? []) {
    if (valueFrom?.fieldRef?.fieldPath === 'metadata.uid')
      environment[variable] = systemRandom.uuid(); // of the pod
    else
      environment[variable] = value ?? (valueFrom?.secretKeyRef && (await secretText(kubectl, valueFrom.secretKeyRef)));
  }
  const account = (await read('deployment', name, '.spec.template.spec')) as { readonly serviceAccountName: string }; // it names one
  const token = await kubectl(['-n', NAMESPACE, 'create', 'token', account.serviceAccountName, '--duration=4h']);
  environment['KUBECONFIG'] = await programs.file(`${half}.kubeconfig`, kubeconfigWith(kubeconfig, token.trim()));
  return { args: container?.args ?? [], environment };
};

const secretText = async (
  kubectl: Kubectl,
  { name, key }: { readonly name: string; readonly key: string },
): Promise<string> => {
  const encoded = await kubectl(['-n', NAMESPACE, 'get', 'secret', name, '-o', `jsonpath={.data.${key}}`]);
  return Buffer.from(encoded, 'base64').toString();
};
