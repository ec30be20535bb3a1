// The whole service on a laptop's scale: embedded API server, real PostgreSQL, backend, agent, and the engine if wanted.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argoKinds } from '../../src/api/argocd/kinds.ts';
import { customResourceDefinition } from '../../src/api/crd.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { namespaces } from '../../src/kube/object.ts';
import { isNotFound } from '../../src/kube/status-error.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { parseSettings } from '../../src/lib/config.ts';
import { openGate, type Gate } from '../../src/lib/gate.ts';
import { plainKeyring, type Keyring } from '../../src/lib/envelope.ts';
import type { Logger } from '../../src/lib/log.ts';
import { createMetrics, type Metrics } from '../../src/lib/metrics.ts';
import { createProbes, type Probes } from '../../src/lib/probes.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { agentParts } from '../../src/main/agent.ts';
import { backendParts } from '../../src/main/backend.ts';
import { clientPart, databasePart } from '../../src/main/parts.ts';
import { openDatabase, type Platform } from '../../src/main/platform.ts';
import { allSettings } from '../../src/main/settings.ts';
import { createProcess, type Process } from '../../src/runtime/process.ts';
import { startApiServer, type ApiServer, type ApiServerOptions } from '../../src/sandbox/apiserver/server.ts';
import { startEngine, type Engine } from '../../src/sandbox/engine/engine.ts';
import { silentLog } from './captured-log.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { eventually } from './eventually.ts';
import { recordSaid } from './said.ts';

/** The namespace of Argo CD in a world. */
export const engineNamespace = 'gitops-service-argocd';

/** Which half runs, and how. Flags as on the command line, without dashes. */
export interface HalfOptions {
  readonly flags?: Readonly<Record<string, string>>;
  readonly gate?: Gate;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Opens what rows keep sealed. */
  readonly keyring?: Keyring;
  /** Stands between the half and the API server's client. */
  readonly client?: (client: KubeClient) => KubeClient;
  /** By way of which port the API server is reached. */
  readonly apiPort?: number;
  /** By way of which URL the database is reached. */
  readonly databaseUrl?: string;
}

/** A running half of the service. */
export interface RunningHalf {
  readonly process: Process;
  readonly probes: Probes;
  /** Passes that a controller has ended so far, whatever their result. */
  passes(controller: string): Promise<number>;
  /** What `/metrics` would answer. */
  metrics(): Promise<string>;
}

/** What has been written so far: a difference is a write. */
interface Writes {
  readonly rows: string;
  /** By verb and resource, Leases aside. */
  readonly requests: Readonly<Record<string, number>>;
}

/** Everything around the service, and the service itself, started piece by piece. */
export interface World {
  readonly api: ApiServer;
  readonly client: KubeClient;
  readonly database: TestDatabase;
  /** Starts a half; it stops with the world unless stopped before. */
  start(half: 'backend' | 'agent', options?: HalfOptions): Promise<RunningHalf>;
  startEngine(): Promise<void>;
  createNamespace(name: string): Promise<string>;
  /** Applies a GitOpsDeployment; a merge patch where it exists. */
  apply(deployment: GitOpsDeployment): Promise<GitOpsDeployment>;
  writes(): Promise<Writes>;
  /** Waits until nothing has been written for a while, and gives what was written until then. */
  quiet(): Promise<Writes>;
  stop(): Promise<void>;
}

const crds = [...ownKinds, ...argoKinds].map(customResourceDefinition);

/** Short intervals: what a test waits for must not take the default's minutes. */
const quickly = {
  'second-look': '50ms',
  redeliver: '300ms',
  'blocked-after': '200ms',
  // Whatever a test asks is on this machine.
  'allowed-addresses': 'all',
  'http-repositories': 'true',
};

/** Longer than anything goes on by itself, a retry's first backoff and the engine's rhythm included. */
const QUIET_MS = 400;

/** Creates a world with nothing of the service running. */
export const createWorld = async (
  options: { readonly migrated?: boolean; readonly log?: Logger } & Pick<ApiServerOptions, 'onAnswer'> = {},
): Promise<World> => {
  const log = options.log ?? silentLog;
  const base = { clock: systemClock, random: systemRandom, gate: openGate, log };
  const record = recordSaid();
  const onAnswer: ApiServerOptions['onAnswer'] = (request, answer) => {
    record(request, answer);
    options.onAnswer?.(request, answer);
  };
  const database = await createTestDatabase({ migrated: options.migrated ?? true });
  const api = await startApiServer({ ...base, crds, namespaces: [engineNamespace], onAnswer });
  const connect = (more: Partial<typeof base> = {}, port = Number(new URL(api.url).port)): KubeClient => {
    const kubeconfig = api.kubeconfig.replace(api.url, `https://127.0.0.1:${port}`);
    return createKubeClient({ ...base, ...more, metrics: createMetrics(), access: parseKubeconfig(kubeconfig) });
  };
  const client = connect();
  const halves: RunningHalf[] = [];
  let engine: Engine | undefined;
  let cacheDir: string | undefined;

  const start: World['start'] = async (half, given = {}) => {
    const running = createHalf(half, given, { base, connect, database });
    halves.push(running);
    await running.process.start();
    return running;
  };

  return {
    api,
    client,
    database,
    start,
    async startEngine() {
      cacheDir = await mkdtemp(join(tmpdir(), 'managed-gitops-engine-'));
      engine = await startEngine({
        ...base,
        client: connect(),
        namespace: engineNamespace,
        metrics: createMetrics(),
        cacheDir,
        settings: { refreshMs: 500, workloadReadyAfterMs: 50 },
      });
    },
    async createNamespace(name) {
      const made = await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      return made.metadata.uid ?? '';
    },
    async apply(deployment) {
      const { namespace = '', name } = deployment.metadata;
      const body = { metadata: deployment.metadata, spec: deployment.spec };
      try {
        return await client.patch(gitOpsDeployments, { namespace, name }, { type: 'merge', body });
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return client.create(gitOpsDeployments, deployment);
      }
    },
    ...watchWrites(database, api),
    async stop() {
      await Promise.all(halves.map((half) => half.process.stop()));
      await engine?.stop();
      client.close();
      await api.stop();
      await database.drop();
      if (cacheDir) await rm(cacheDir, { recursive: true, force: true });
    },
  };
};

const countPasses = async (metrics: Metrics, controller: string): Promise<number> => {
  const lines = (await metrics.text()).split('\n');
  return lines
    .filter((line) => line.startsWith(`controller_runtime_reconcile_total{controller="${controller}"`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
};

/** What a world stands on. */
interface Ground {
  readonly base: Omit<Platform, 'metrics'>;
  readonly connect: (more?: Partial<Omit<Platform, 'metrics'>>, port?: number) => KubeClient;
  readonly database: TestDatabase;
}

const createHalf = (half: 'backend' | 'agent', options: HalfOptions, ground: Ground): RunningHalf => {
  const { flags = {}, client: between, apiPort, databaseUrl, keyring = plainKeyring, ...given } = options;
  const { base, connect, database } = ground;
  const platform = { ...base, ...given, metrics: createMetrics() };
  const { values } = parseSettings(allSettings, { flags: { ...quickly, ...flags }, environment: {} });
  const pool = openDatabase(platform, databaseUrl ? { url: databaseUrl } : database.connection, half);
  const off = { host: '', port: 0, off: true };
  const probes = createProbes({ ...platform, health: off, metricsAddress: off });
  const direct = connect(given, apiPort);
  const context = { platform, client: between?.(direct) ?? direct, database: pool, probes, keyring, settings: values };
  const parts = [
    databasePart(platform, pool, { probes, migrates: half === 'backend' && values.migrate }),
    clientPart(direct),
    ...(half === 'backend' ? backendParts(context) : agentParts(context)),
  ];
  const passes = (controller: string) => countPasses(platform.metrics, controller);
  return { process: createProcess({ ...platform, parts }), probes, passes, metrics: () => platform.metrics.text() };
};

const watchWrites = (database: TestDatabase, api: ApiServer): Pick<World, 'writes' | 'quiet'> => {
  const writes = async (): Promise<Writes> => ({
    rows: await database.fingerprint(),
    requests: Object.fromEntries(
      Object.entries(api.requests())
        .filter(([name]) => /^(create|update|patch|delete|deletecollection) (?!leases)/.test(name))
        .toSorted(([one], [other]) => one.localeCompare(other)),
    ),
  });
  const quiet = async (): Promise<Writes> => {
    let last = await writes();
    let sinceMs = performance.now();
    return eventually('nothing is written any more', async () => {
      const now = await writes();
      if (JSON.stringify(now) !== JSON.stringify(last)) [last, sinceMs] = [now, performance.now()];
      return performance.now() - sinceMs >= QUIET_MS ? now : undefined;
    });
  };
  return { writes, quiet };
};
