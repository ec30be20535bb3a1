// Everything that a bench measures and measures with: PostgreSQL, a cluster, both halves, and the bench's own eyes.
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { namespaces } from '../../src/kube/object.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { StoreReader } from '../../src/runtime/store.ts';
import { createWatcher } from '../../src/runtime/watcher.ts';
import { playArgoCd, type ArgoCd } from './argo-cd.ts';
import type { Cluster } from './embedded-cluster.ts';
import type { BenchPostgresql, ServiceDatabase } from './service-database.ts';
import { startService, type ServiceProcess } from './service-process.ts';
import { createSights, type Sights } from './sights.ts';

/** The User-Agent of whatever the bench asks for itself. */
export const benchAgent = 'managed-gitops/bench';

/** What a world is made of. */
export interface WorldOptions {
  readonly postgresql: BenchPostgresql;
  /** Starts the cluster; it ends with the world. */
  readonly startCluster: (onEnd: (error: Error) => void) => Promise<Cluster>;
  /** The source tree whose service is measured. */
  readonly root: string;
  /** For logs and kubeconfigs. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** A running service with everything around it. */
export interface World {
  readonly database: ServiceDatabase;
  readonly postgresql: BenchPostgresql;
  readonly cluster: Cluster;
  readonly services: Readonly<Record<'backend' | 'agent', ServiceProcess>>;
  /** A word that is in the names of all namespaces of this world. */
  readonly word: string;
  readonly applications: StoreReader<Application>;
  readonly deployments: StoreReader<GitOpsDeployment>;
  readonly argoCd: ArgoCd;
  readonly sights: Sights;
  /** Latencies from Application status to GitOpsDeployment status since the last call, in milliseconds. */
  takeStatusLatencies(): number[];
  /** How many statuses without anything of Argo CD's were seen since the last call. */
  takeFirstStatuses(): number;
  /** A client with connections of its own. It closes with the world. */
  connect(): KubeClient;
  /** Aborts when the bench is stopped or a process that it needs has ended. */
  readonly signal: AbortSignal;
}

const silent = createLogger({ level: 'silent' });
const platform = { clock: systemClock, random: systemRandom, gate: openGate, log: silent };

/** Runs something in a world of its own, and takes the world down again whatever happens. */
export const inWorld = async <T>(options: WorldOptions, run: (world: World) => Promise<T>): Promise<T> => {
  await using stack = new AsyncDisposableStack();
  const failing = new AbortController();
  const fail = (error: unknown): void => failing.abort(error);
  const signal = AbortSignal.any([options.signal, failing.signal]);
  mkdirSync(options.folder, { recursive: true });

  const database = stack.use(await options.postgresql.createDatabase());
  const cluster = stack.use(await options.startCluster(fail));
  const word = systemRandom.uuid().slice(0, 8);
  const access = parseKubeconfig(cluster.kubeconfig);
  const connect = (): KubeClient => {
    const client = createKubeClient({ ...platform, access, metrics: createMetrics(), userAgent: benchAgent });
    stack.defer(() => client.close());
    return client;
  };
  const argocdNamespace = `bench-${word}-argocd`;
  const metadata = { name: argocdNamespace };
  await connect().create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
  const services = await startServices({ ...options, signal, fail, argocdNamespace, database, cluster }, stack);
  const eyes = await openEyes({ connect, argocdNamespace, signal, fail }, stack);
  return await run({ ...eyes, database, cluster, services, word, connect, signal, postgresql: options.postgresql });
};

interface ServicesOptions extends WorldOptions {
  readonly fail: (error: unknown) => void;
  readonly argocdNamespace: string;
  readonly database: ServiceDatabase;
  readonly cluster: Cluster;
}

const startServices = async (
  options: ServicesOptions,
  stack: AsyncDisposableStack,
): Promise<Record<'backend' | 'agent', ServiceProcess>> => {
  const { folder, root, fail, argocdNamespace, database, cluster, signal } = options;
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  const start = (half: 'backend' | 'agent'): ServiceProcess => {
    const flags = [`--argocd-namespace=${argocdNamespace}`, `--kubeconfig=${kubeconfig}`];
    const environment = { MANAGED_GITOPS_DATABASE_URL: database.url };
    return stack.use(startService({ half, root, folder, flags, environment, onEnd: fail }));
  };
  const services = { backend: start('backend'), agent: start('agent') };
  await Promise.all(Object.values(services).map((service) => service.whenReady(signal)));
  return services;
};

interface EyesOptions {
  readonly connect: () => KubeClient;
  readonly argocdNamespace: string;
  readonly signal: AbortSignal;
  readonly fail: (error: unknown) => void;
}

type Eyes = Pick<
  World,
  'applications' | 'deployments' | 'argoCd' | 'sights' | 'takeStatusLatencies' | 'takeFirstStatuses'
>;

/** The watches of the bench, and Argo CD, who looks through the same. */
const openEyes = async (options: EyesOptions, stack: AsyncDisposableStack): Promise<Eyes> => {
  const { connect, argocdNamespace, signal, fail } = options;
  const watching = { ...platform, client: connect(), metrics: createMetrics() };
  const watchers = {
    applications: createWatcher({ ...watching, resource: applications, namespace: argocdNamespace }),
    deployments: createWatcher({ ...watching, resource: gitOpsDeployments }),
  };
  const sights = createSights(signal);
  const sent = new Map<string, number>();
  const seen = { latencies: new Array<number>(), firstStatuses: 0 };
  watchers.applications.store.subscribe(({ type, object }) => {
    if (type === 'deleted') sights.see(goneSight(object.metadata.name));
    else sights.see(pathSight(object.spec.source?.path));
  });
  watchers.deployments.store.subscribe(({ type, object, old }) => {
    const revision = object.status?.sync?.revision;
    if (type !== 'modified') return;
    if (!revision && JSON.stringify(old?.status) !== JSON.stringify(object.status)) seen.firstStatuses += 1;
    const sentMs = revision === undefined ? undefined : sent.get(revision);
    if (revision === undefined || sentMs === undefined) return;
    seen.latencies.push(systemClock.monotonicMs() - sentMs);
    sent.delete(revision);
    sights.see(statusSight(revision));
  });
  const argoCd = playArgoCd({
    client: connect(),
    store: watchers.applications.store,
    namespace: argocdNamespace,
    onReport: (revision) => void sent.set(revision, systemClock.monotonicMs()),
    onError: fail,
  });
  for (const watcher of Object.values(watchers)) {
    watcher.start();
    stack.defer(() => watcher.stop());
  }
  await Promise.all(Object.values(watchers).map((watcher) => watcher.whenSynced(signal)));
  return {
    applications: watchers.applications.store,
    deployments: watchers.deployments.store,
    argoCd,
    sights,
    takeStatusLatencies: () => seen.latencies.splice(0),
    takeFirstStatuses() {
      const { firstStatuses } = seen;
      seen.firstStatuses = 0;
      return firstStatuses;
    },
  };
};

/** The sight of an Application with this path; no two deployments or changes have the same. */
export const pathSight = (path = ''): string => `an Application with the path ${path}`;

/** The sight of an Application's end. */
export const goneSight = (name: string): string => `the end of the Application ${name}`;

/** The sight of a GitOpsDeployment whose status has this revision. */
export const statusSight = (revision: string): string => `a GitOpsDeployment with the revision ${revision}`;
