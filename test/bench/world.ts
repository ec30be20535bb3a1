// Everything that a bench measures and measures with: PostgreSQL, a cluster, both halves, and the bench's own eyes.
import { mkdirSync } from 'node:fs';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { namespaces } from '../../src/kube/object.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { Cluster } from './embedded-cluster.ts';
import { openEyes, type Eyes } from './eyes.ts';
import { platform } from './platform.ts';
import type { BenchPostgresql, ServiceDatabase } from './service-database.ts';
import { bundleOf, startService, type ServiceProcess } from './service-process.ts';
import { removeNamespaces, removeTeams } from './tidy-up.ts';

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
export interface World extends Eyes {
  readonly database: ServiceDatabase;
  readonly postgresql: BenchPostgresql;
  readonly cluster: Cluster;
  readonly services: Readonly<Record<'backend' | 'agent', ServiceProcess>>;
  /** A word that is in the names of all namespaces of this world. */
  readonly word: string;
  readonly argocdNamespace: string;
  /** A client with connections of its own. It closes with the world. */
  connect(): KubeClient;
  /** Aborts when the bench is stopped or a process that it needs has ended. */
  readonly signal: AbortSignal;
}

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
  const connect = (): KubeClient => {
    const client = createKubeClient({
      ...platform,
      access: cluster.access,
      metrics: createMetrics(),
      userAgent: benchAgent,
    });
    stack.defer(() => client.close());
    return client;
  };
  const argocdNamespace = `bench-${word}-argocd`;
  const metadata = { name: argocdNamespace };
  const own = connect();
  await own.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
  if (cluster.shared) stack.defer(() => removeNamespaces(own, [argocdNamespace]));
  try {
    const services = await startServices({ ...options, signal, fail, argocdNamespace, database, cluster }, stack);
    const eyes = await openEyes({ connect, argocdNamespace, signal, fail }, stack);
    if (cluster.shared) stack.defer(() => removeTeams(own, { word, argocdNamespace }));
    const { postgresql } = options;
    return await run({ ...eyes, database, cluster, services, word, argocdNamespace, connect, signal, postgresql });
  } catch (error) {
    throw signal.aborted ? signal.reason : error; // what has ended makes everything else fail too
  }
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
  const program = await bundleOf(root, folder);
  const start = (half: 'backend' | 'agent'): ServiceProcess => {
    const flags = [`--argocd-namespace=${argocdNamespace}`, `--kubeconfig=${cluster.kubeconfig}`];
    const environment = { MANAGED_GITOPS_DATABASE_URL: database.url };
    return stack.use(startService({ half, root, program, folder, flags, environment, onEnd: fail }));
  };
  const services = { backend: start('backend'), agent: start('agent') };
  await Promise.all(Object.values(services).map((service) => service.whenReady(signal)));
  return services;
};
