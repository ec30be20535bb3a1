// What the service stands on in a run of the suite: a cluster with Argo CD, PostgreSQL, and a Git server.
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startDatabase } from '../../src/sandbox/database.ts';
import { startControlPlane } from '../kit/control-plane.ts';
import { startGitHttpServer } from '../../src/sandbox/git-http-server.ts';
import { kubeconfigText } from '../kit/kubeconfig-text.ts';
import { createPrograms, type Programs } from '../kit/programs.ts';
import { startArgoCd } from './argo-cd.ts';
import { createKubectl } from './kubectl.ts';
import { startPodStub } from './pods.ts';
import { startPrivateGit, type GitPlace, type PrivateGit } from './private-git.ts';
import { argoCdVersions, prepareTools, type ArgoCdVersion } from './tools.ts';
import type { Webhooks } from './webhooks.ts';

/** What a test file is told of the run. */
export interface EndToEndRun {
  /** A file: the cluster's administrator. */
  readonly kubeconfig: string;
  readonly argocdNamespace: string;
  readonly databaseUrl: string;
  readonly git: GitPlace;
  /** Absent on a cluster that was there before: its Argo CD knows neither their certificate nor their keys. */
  readonly privateGit: PrivateGit | undefined;
  /** A file: the administrator of another cluster; absent where none was started. */
  readonly elsewhere: string | undefined;
  /** How the API server may reach the backend's webhooks; absent on a cluster that was there before. */
  readonly webhooks: Webhooks | undefined;
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

/** Says on the terminal what goes on before the first test. */
export const say = (line: string): void => void process.stderr.write(`… ${line}\n`);

/** The version of Argo CD that `E2E_ARGO_CD` asks for. @throws with what it may be. */
export const versionOf = (asked: string | undefined): ArgoCdVersion => {
  const version = argoCdVersions.find((one) => one === (asked ?? '3.2'));
  if (version) return version;
  throw new Error(`E2E_ARGO_CD is ${argoCdVersions.join(' or ')}, not "${asked}"`);
};

/** A cluster with Argo CD. */
interface Cluster {
  /** A file: its administrator. */
  readonly kubeconfig: string;
  readonly auditLog: string | undefined;
  readonly privateGit: PrivateGit | undefined;
}

/** What a cluster is started with. */
interface ClusterOptions {
  readonly stack: AsyncDisposableStack;
  readonly programs: Programs;
  readonly temporary: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Starts a control plane, Argo CD and private Git servers on loopback. */
const startCluster = async ({ stack, programs, temporary, environment }: ClusterOptions): Promise<Cluster> => {
  const argoCd = versionOf(environment['E2E_ARGO_CD']);
  const tools = await prepareTools({ environment, argoCd, say });
  say('starting the control plane');
  const { kubeconfig: text, auditLog } = await startControlPlane(programs, tools);
  const kubeconfig = join(temporary, 'kubeconfig');
  await writeFile(kubeconfig, text, { mode: 0o600 });
  stack.defer(startPodStub(text));
  const { privateGit, trusted } = await startPrivateGit(stack, temporary);
  say(`starting Argo CD ${argoCd}`);
  const kubectl = createKubectl(kubeconfig);
  const surroundings = { kubeconfig, kubectl, namespace: ARGOCD_NAMESPACE, path: environment['PATH'], trusted };
  await startArgoCd({ programs, tools, ...surroundings });
  return { kubeconfig, auditLog, privateGit };
};

/** Starts a second control plane, with nothing on it. Its kubeconfig's file, and its programs. */
export const startElsewhere = async (
  stack: AsyncDisposableStack,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly elsewhere: string; readonly ca: string; readonly programs: Programs }> => {
  const tools = await prepareTools({ environment, argoCd: versionOf(environment['E2E_ARGO_CD']), say });
  say('starting another control plane');
  const programs = await createPrograms('e2e-elsewhere');
  stack.defer(programs.stop);
  const { kubeconfig, ca } = await startControlPlane(programs, tools);
  return { elsewhere: await programs.file('kubeconfig', kubeconfig), ca, programs };
};

/** The kubeconfig of who has this token, on the cluster of a kubeconfig file. */
export const kubeconfigWith = (kubeconfig: string, token: string): string => {
  const readFile = (file: string): string => readFileSync(file, 'utf8');
  const { server, ca, insecureSkipTlsVerify, tlsServerName } = parseKubeconfig(readFile(kubeconfig), {
    readFile,
    directory: dirname(kubeconfig),
  });
  return kubeconfigText({ server, ca, insecureSkipTlsVerify, tlsServerName, token });
};

/** The ground while it is there. */
export interface Ground {
  readonly run: EndToEndRun;
  readonly programs: Programs;
}

/**
 * Starts what the service stands on; the stack stops it. With `E2E_KUBECONFIG` the cluster is one that is there
 * already, with an Argo CD that reads Git from this machine.
 */
export const startGround = async (stack: AsyncDisposableStack, environment: NodeJS.ProcessEnv): Promise<Ground> => {
  const temporary = await mkdtemp(join(tmpdir(), 'e2e-'));
  stack.defer(() => rm(temporary, { recursive: true, force: true }));
  const programs = await createPrograms('e2e-programs');
  stack.defer(programs.stop);
  const given = environment['E2E_KUBECONFIG'];
  const cluster = given
    ? { kubeconfig: given, auditLog: undefined, privateGit: undefined }
    : await startCluster({ stack, programs, temporary, environment });
  const database = await startDatabase({
    clock: systemClock,
    random: systemRandom,
    source: undefined,
    searchPath: environment['PATH'],
    settings: {},
  });
  stack.defer(database.stop);
  const [repositories, records] = [join(temporary, 'git'), join(temporary, 'records')];
  await mkdir(repositories);
  await mkdir(records);
  const git = await startGitHttpServer(repositories, {
    searchPath: environment['PATH'] ?? '',
    host: environment['E2E_GIT_HOST'],
  });
  stack.defer(git.stop);
  const run: EndToEndRun = {
    ...cluster,
    argocdNamespace: ARGOCD_NAMESPACE,
    databaseUrl: database.url,
    git: { root: repositories, url: git.url },
    elsewhere: undefined,
    webhooks: undefined,
    records,
  };
  return { run, programs };
};
