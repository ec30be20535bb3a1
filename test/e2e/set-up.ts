// Starts everything once for a run of the suite: a real cluster with Argo CD, Git and PostgreSQL, and the service on it.
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startDatabase } from '../../src/sandbox/database.ts';
import { startControlPlane } from '../kit/control-plane.ts';
import { startGitHttpServer } from '../kit/git-http-server.ts';
import { kubeconfigText } from '../kit/kubeconfig-text.ts';
import { createPrograms, type Programs } from '../kit/programs.ts';
import { startArgoCd } from './argo-cd.ts';
import { startKiller } from './killer.ts';
import { createKubectl } from './kubectl.ts';
import { startPodStub } from './pods.ts';
import { writeReport } from './report.ts';
import { startService } from './service.ts';
import { argoCdVersions, prepareTools, type ArgoCdVersion } from './tools.ts';

/** What a test file is told of the run. */
export interface EndToEndRun {
  /** A file: the cluster's administrator. */
  readonly kubeconfig: string;
  readonly argocdNamespace: string;
  readonly databaseUrl: string;
  /** Where the Git server has its repositories, and its URL. */
  readonly git: { readonly root: string; readonly url: string };
  /** The API server's audit log; absent on a cluster that was there before. */
  readonly auditLog: string | undefined;
  /** Where each scenario leaves what it measured. */
  readonly records: string;
}

declare module 'vitest' {
  /** What the global set-up tells the tests; `inject('endToEnd')` reads it. */
  export interface ProvidedContext {
    endToEnd: EndToEndRun;
  }
}

/** The namespace of Argo CD in the manifests. */
const ARGOCD_NAMESPACE = 'gitops-service-argocd';
const root = fileURLToPath(new URL('../..', import.meta.url));

const say = (line: string): void => void process.stderr.write(`… ${line}\n`);

const versionOf = (asked: string | undefined): ArgoCdVersion => {
  const version = argoCdVersions.find((one) => one === (asked ?? '3.2'));
  if (version) return version;
  throw new Error(`E2E_ARGO_CD is ${argoCdVersions.join(' or ')}, not "${asked}"`);
};

/** A cluster with Argo CD. */
interface Cluster {
  /** A file: its administrator. */
  readonly kubeconfig: string;
  kubeconfigOf(token: string): string;
  readonly auditLog: string | undefined;
}

/** What a cluster is started with. */
interface Ground {
  readonly stack: AsyncDisposableStack;
  readonly programs: Programs;
  readonly temporary: string;
  readonly argoCd: ArgoCdVersion;
}

/** Starts a control plane and Argo CD on loopback. */
const startCluster = async ({ stack, programs, temporary, argoCd }: Ground): Promise<Cluster> => {
  const { env } = process;
  const tools = await prepareTools({ environment: env, argoCd, say });
  say('starting the control plane');
  const { kubeconfig: text, kubeconfigOf, auditLog } = await startControlPlane(programs, tools);
  const kubeconfig = join(temporary, 'kubeconfig');
  await writeFile(kubeconfig, text, { mode: 0o600 });
  stack.defer(startPodStub(text));
  say(`starting Argo CD ${argoCd}`);
  const kubectl = createKubectl(kubeconfig);
  await startArgoCd({ programs, tools, kubeconfig, kubectl, namespace: ARGOCD_NAMESPACE, path: env['PATH'] });
  return { kubeconfig, kubeconfigOf, auditLog };
};

/** A cluster that is there already, with an Argo CD that reads Git from this machine. */
const openCluster = (kubeconfig: string): Cluster => {
  const readFile = (file: string): string => readFileSync(file, 'utf8');
  const { server, ca, insecureSkipTlsVerify, tlsServerName } = parseKubeconfig(readFile(kubeconfig), {
    readFile,
    directory: dirname(kubeconfig),
  });
  const kubeconfigOf = (token: string): string =>
    kubeconfigText({ server, ca, insecureSkipTlsVerify, tlsServerName, token });
  return { kubeconfig, kubeconfigOf, auditLog: undefined };
};

/** Starts what is needed; what it returns stops it again and writes the report. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const { env } = process;
  const argoCd = versionOf(env['E2E_ARGO_CD']);
  await using stack = new AsyncDisposableStack();
  const temporary = await mkdtemp(join(tmpdir(), 'e2e-'));
  stack.defer(() => rm(temporary, { recursive: true, force: true }));
  const programs = await createPrograms('e2e-programs');
  stack.defer(programs.stop);
  const given = env['E2E_KUBECONFIG'];
  const cluster = given ? openCluster(given) : await startCluster({ stack, programs, temporary, argoCd });
  const { kubeconfig } = cluster;
  const kubectl = createKubectl(kubeconfig);

  const database = await startDatabase({
    clock: systemClock,
    random: systemRandom,
    source: undefined,
    searchPath: env['PATH'],
    settings: {},
  });
  stack.defer(database.stop);
  const repositories = join(temporary, 'git');
  await mkdir(repositories);
  const git = await startGitHttpServer(repositories, env['E2E_GIT_HOST']);
  stack.defer(git.stop);

  say('starting the service');
  const service = await startService({
    root,
    programs,
    kubectl,
    kubeconfig,
    kubeconfigOf: cluster.kubeconfigOf,
    databaseUrl: database.url,
    flags: { backend: [], agent: [] },
  });
  const killer = startKiller(service, { seed: env['E2E_KILL'], say });
  stack.defer(killer.stop);

  const records = join(temporary, 'records');
  await mkdir(records);
  project.provide('endToEnd', {
    kubeconfig,
    argocdNamespace: ARGOCD_NAMESPACE,
    databaseUrl: database.url,
    git: { root: repositories, url: git.url },
    auditLog: cluster.auditLog,
    records,
  });
  const running = stack.move();
  return async () => {
    try {
      await killer.stop();
      const fallen = programs.fallen();
      await writeReport({ records, root, argoCd, kills: service.kills, seed: env['E2E_KILL'], fallen });
    } finally {
      await running.disposeAsync();
    }
  };
};
