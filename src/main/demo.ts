// The composition root of the demo: sandbox and service in one process, and one deployment's way through them.
import { execFile } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { argoKinds } from '../api/argocd/kinds.ts';
import { customResourceDefinition } from '../api/crd.ts';
import { ownKinds } from '../api/v1alpha1/kinds.ts';
import type { Queryable } from '../db/pool.ts';
import type { KubeClient } from '../kube/client.ts';
import { createKubeClient } from '../kube/http-client.ts';
import { parseKubeconfig } from '../kube/kubeconfig.ts';
import { systemClock } from '../lib/clock.ts';
import { parseSettings } from '../lib/config.ts';
import { plainKeyring } from '../lib/envelope.ts';
import { Fault } from '../lib/fault.ts';
import { openGate } from '../lib/gate.ts';
import { createLogger } from '../lib/log.ts';
import { createMetrics } from '../lib/metrics.ts';
import { createProbes } from '../lib/probes.ts';
import { systemRandom } from '../lib/random.ts';
import { toYaml } from '../lib/yaml.ts';
import { createProcess } from '../runtime/process.ts';
import { untilAborted } from '../runtime/until-aborted.ts';
import { startApiServer } from '../sandbox/apiserver/server.ts';
import { startDatabase } from '../sandbox/database.ts';
import { runDemo } from '../sandbox/demo/demo.ts';
import type { OtherCluster } from '../sandbox/demo/environment.ts';
import { manifestsOf } from '../sandbox/demo/manifests.ts';
import { startEngine } from '../sandbox/engine/engine.ts';
import { startPrivateRepository, type PrivateRepository } from '../sandbox/private-repository.ts';
import { createSampleRepository, type SampleRepository } from '../sandbox/sample-repository.ts';
import { agentParts } from './agent.ts';
import { backendParts } from './backend.ts';
import { startAdmission } from './demo/admission.ts';
import { clientPart, databasePart } from './parts.ts';
import { openDatabase, type Platform } from './platform.ts';
import type { Environment } from './environment.ts';
import { allSettings } from './settings.ts';

/** The halves of the service that the demo can leave out, to see that their absence is noticed. */
export const demoHalves = ['backend', 'agent'] as const;

/** How the demo is called. */
export interface DemoArguments {
  /** A repository of the user's own, URL or folder; the sample repository without it. */
  readonly repo: string | undefined;
  /** The folder in it to deploy. */
  readonly path: string;
  readonly without: readonly (typeof demoHalves)[number][];
  /** How long each step may take. Milliseconds. */
  readonly stepMs: number;
  /** Stays up after the last step until it is told to end. */
  readonly stays: boolean;
}

/** Where the demo keeps what a user may want to look at, below the folder it is started in. */
const FOLDER = join('.cache', 'demo');
const NAMESPACE = 'demo';
const NAME = 'web';

/** Runs the demo. @throws Fault naming the step that was not seen, or what could not be started. */
export const demo = async (given: DemoArguments, environment: Environment): Promise<void> => {
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort(new Stopped(signal)));
  const write = createWriter(ended);
  await using stack = new AsyncDisposableStack();
  try {
    const source = await prepareSource(stack, given, environment);
    const platform = await createDemoPlatform(stack);
    const startMs = platform.clock.monotonicMs();
    const sandbox = await startSandbox(stack, platform, environment);
    await startService(stack, platform, {
      ...sandbox,
      without: given.without,
      searchPath: environment['PATH'] ?? '',
      signal: ended.signal,
    });
    write('Managed GitOps on this machine. PostgreSQL and Git are real; the API server and Argo CD are stand-ins.');
    write(`${sandbox.versions}: ready after ${seconds(platform.clock.monotonicMs() - startMs)}`);

    await runDemo({
      ...platform,
      ...sandbox,
      ...source,
      write,
      namespace: NAMESPACE,
      name: NAME,
      stepMs: given.stepMs,
      signal: ended.signal,
    });
    write('');
    write(`Everything was seen, ${seconds(platform.clock.monotonicMs() - startMs)} after the start.`);
    if (!given.stays) return;
    await explainHowToGoOn({ ...source, ...sandbox }, write);
    await untilAborted(new Promise<never>(() => undefined), ended.signal);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
  write('Stopping …');
};

/** The demo was told to end. */
class Stopped extends Error {}

/** Writes lines for as long as somebody reads them: a reader that leaves, as `head` does, ends the demo. */
const createWriter = (ended: AbortController): ((line: string) => void) => {
  process.stdout.on('error', (error) => ended.abort(new Stopped(error.message)));
  return (line) => void process.stdout.write(`${line}\n`);
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

interface Source {
  readonly shownSource: string;
  readonly source: { readonly repoURL: string; readonly path: string };
  readonly sample: SampleRepository | undefined;
}

/** The folder of the demo, emptied, and the repository to deploy from. */
const prepareSource = async (
  stack: AsyncDisposableStack,
  given: DemoArguments,
  environment: Environment,
): Promise<Source> => {
  const searchPath = environment['PATH'] ?? '';
  await requireGit(searchPath);
  await claimFolder(stack);
  if (given.repo !== undefined) {
    const repoURL = existsSync(given.repo) ? resolve(given.repo) : given.repo;
    return { source: { repoURL, path: given.path }, shownSource: `${given.path} of ${given.repo}`, sample: undefined };
  }
  const folder = resolve(FOLDER, 'repository');
  await mkdir(folder, { recursive: true });
  const sample = await createSampleRepository(folder, searchPath);
  const shownSource = `${sample.path} of ${relative('.', folder)}`;
  return { source: { repoURL: folder, path: sample.path }, shownSource, sample };
};

/** Sample and engine need it; without this look the first would end in a stack, and the second keep trying. */
const requireGit = async (searchPath: string): Promise<void> => {
  try {
    await promisify(execFile)('git', ['--version'], { env: { PATH: searchPath } });
  } catch {
    throw new Fault('user', 'GitMissing', 'the demo needs git, which is not installed or not in the PATH');
  }
};

/** Two demos in one folder would write over each other's files: the second is refused. */
const claimFolder = async (stack: AsyncDisposableStack): Promise<void> => {
  const claim = join(FOLDER, 'pid');
  const holder = Number(await readFile(claim, 'utf8').catch(() => '0'));
  if (holder > 0 && isRunning(holder)) {
    throw new Fault('user', 'DemoRuns', `a demo runs in this folder already (process ${holder}); stop it first`);
  }
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  await writeFile(claim, String(process.pid));
  stack.defer(() => rm(claim, { force: true }));
};

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** The platform; the logs of all parts go to one file. */
const createDemoPlatform = async (stack: AsyncDisposableStack): Promise<Platform> => {
  const file = createWriteStream(join(FOLDER, 'managed-gitops.log'));
  stack.defer(() => new Promise<void>((done) => file.end(() => done())));
  const log = createLogger({ level: 'info', sink: file });
  return { clock: systemClock, random: systemRandom, gate: openGate, log, metrics: createMetrics() };
};

interface Sandbox {
  readonly client: KubeClient;
  readonly db: Queryable;
  readonly kubeconfig: string;
  readonly databaseUrl: string;
  readonly engineNamespace: string;
  readonly versions: string;
  readonly other: OtherCluster;
  readonly privateRepository: PrivateRepository;
}

/** Starts PostgreSQL, the API servers, the engine, and the server of the private repository. */
const startSandbox = async (
  stack: AsyncDisposableStack,
  platform: Platform,
  environment: Environment,
): Promise<Sandbox> => {
  const searchPath = environment['PATH'] ?? '';
  const engineNamespace = allSettings.argocdNamespace.fallback;
  const database = await startDatabase({ ...platform, searchPath });
  stack.defer(() => database.stop());
  const crds = [...ownKinds, ...argoKinds].map(customResourceDefinition);
  const api = await startApiServer({ ...platform, crds, namespaces: [engineNamespace] });
  stack.defer(() => api.stop());
  await writeFile(join(FOLDER, 'kubeconfig'), api.kubeconfig, { mode: 0o600 });
  const client = createKubeClient({ ...platform, access: parseKubeconfig(api.kubeconfig) });
  stack.defer(() => client.close());
  const privateRepository = await startPrivateRepository(resolve(FOLDER, 'private'), { ...platform, searchPath });
  stack.defer(() => privateRepository.stop());
  const engine = await startEngine({
    ...platform,
    client,
    namespace: engineNamespace,
    cacheDir: join(FOLDER, 'git-cache'),
    settings: {
      refreshMs: 1000,
      workloadReadyAfterMs: 500,
      env: { PATH: searchPath, GIT_SSL_CAINFO: privateRepository.caFile },
    },
  });
  stack.defer(() => engine.stop());
  const { pool } = openDatabase(platform, { url: database.url }, 'demo');
  stack.defer(() => pool.stop());
  const other = await startOtherCluster(stack, platform);
  const versions = `PostgreSQL ${database.version}, API server ${api.url}`;
  return {
    client,
    db: pool,
    kubeconfig: api.kubeconfig,
    databaseUrl: database.url,
    engineNamespace,
    versions,
    other,
    privateRepository,
  };
};

/** Starts an API server that plays another cluster, with a namespace to deploy to. */
const startOtherCluster = async (stack: AsyncDisposableStack, platform: Platform): Promise<OtherCluster> => {
  const namespace = 'web';
  const { url, kubeconfig, stop } = await startApiServer({ ...platform, namespaces: [namespace] });
  stack.defer(stop);
  const client = createKubeClient({ ...platform, access: parseKubeconfig(kubeconfig) });
  stack.defer(() => client.close());
  await writeFile(join(FOLDER, 'other-kubeconfig'), kubeconfig, { mode: 0o600 });
  return { client, namespace, url, kubeconfig };
};

/** Starts backend and agent, as they are in production, each with its own connections. */
const startService = async (
  stack: AsyncDisposableStack,
  platform: Platform,
  sandbox: Sandbox & {
    readonly without: DemoArguments['without'];
    readonly searchPath: string;
    readonly signal: AbortSignal;
  },
): Promise<void> => {
  const flags = {
    'allowed-addresses': 'all', // the other cluster and the private repository are on this machine
    'git-ca-file': sandbox.privateRepository.caFile,
    'git-path': sandbox.searchPath,
  };
  const { values: settings } = parseSettings(allSettings, { flags, environment: {} });
  const nowhere = { host: '', port: 0, off: true };
  const halves = { backend: backendParts, agent: agentParts };
  const wanted = demoHalves.filter((half) => !sandbox.without.includes(half));
  for (const half of wanted) {
    const named = { ...platform, log: platform.log.with({ component: half }), metrics: createMetrics() };
    const client = createKubeClient({ ...named, access: parseKubeconfig(sandbox.kubeconfig) });
    const database = openDatabase(named, { url: sandbox.databaseUrl }, half);
    const probes = createProbes({ ...named, health: nowhere, metricsAddress: nowhere });
    const running = createProcess({
      ...named,
      parts: [
        databasePart(named, database, { probes, migrates: half === wanted[0] }),
        clientPart(client),
        ...halves[half]({ platform: named, client, database, probes, keyring: plainKeyring, settings }),
      ],
    });
    stack.defer(() => running.stop());
    sandbox.signal.throwIfAborted();
    await running.start();
  }
  if (wanted.includes('backend')) {
    await startAdmission(stack, platform, { client: sandbox.client, folder: join(FOLDER, 'admission') });
  }
};

const explainHowToGoOn = async (
  { source, sample, other, privateRepository }: Source & Sandbox,
  write: (line: string) => void,
): Promise<void> => {
  const manifests = manifestsOf({ namespace: NAMESPACE, name: NAME, source, other, privateRepository });
  for (const [name, objects] of Object.entries(manifests)) {
    const text = objects.map((object) => toYaml(object)).join('---\n');
    await writeFile(join(FOLDER, name), text, { mode: 0o600 });
  }
  write('');
  write('It stays up. In another terminal, in this folder:');
  write(`  export KUBECONFIG=${join(FOLDER, 'kubeconfig')}`);
  write(`  kubectl apply -f ${join(FOLDER, 'deployment.yaml')}`);
  write(`  kubectl -n ${NAMESPACE} wait --for=condition=Ready gitopsdeployment/${NAME}`);
  write(`  kubectl -n ${NAMESPACE} get gitopsdeployments`);
  write(`  kubectl -n ${NAMESPACE} delete gitopsdeployment ${NAME}`);
  write('Beside it are environment.yaml, another cluster, and credential.yaml, a private repository.');
  if (sample) write(`The repository is ${relative('.', sample.folder)}: commit to it, and see the change arrive.`);
  write(`Logs: ${join(FOLDER, 'managed-gitops.log')}. Ctrl-C ends the demo and all it started.`);
};
