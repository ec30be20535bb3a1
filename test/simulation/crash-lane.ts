// A place where kill points are tried one after the other: API server, database and Argo CD of its own.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { argoKinds } from '../../src/api/argocd/kinds.ts';
import { customResourceDefinition } from '../../src/api/crd.ts';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentials } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { gitOpsDeploymentSyncRuns } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createDatabase, openSession, type Session } from '../../src/db/pool.ts';
import { statement } from '../../src/db/statement.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { allSettings } from '../../src/main/settings.ts';
import { createWatcher } from '../../src/runtime/watcher.ts';
import { startApiServer } from '../../src/sandbox/apiserver/server.ts';
import { startGitHttpServer } from '../../src/sandbox/git-http-server.ts';
import { silentLog } from '../kit/captured-log.ts';
import { startRemoteCluster, type RemoteCluster } from '../kit/remote-cluster.ts';
import { makeServedFolder } from '../kit/served-folder.ts';
import { playArgoCd } from './crash-argocd.ts';
import { bundleChild, startChild, type Child, type Role } from './crash-child.ts';
import type { Armament } from './crash-process.ts';

/** The namespace of Argo CD. */
export const engineNamespace = allSettings.argocdNamespace.fallback;

const surroundings = {
  clock: systemClock,
  random: systemRandom,
  gate: openGate,
  log: silentLog,
} as const;

/** What everything in a lane is made on. */
export type Surroundings = typeof surroundings;

/** Who may read the private repositories. */
export const gitLogin = { username: 'git', password: 'crash-password' };

/** What all lanes share: the program of the processes, a Git server and a PostgreSQL. */
export interface Ground extends AsyncDisposable {
  readonly folder: string;
  readonly program: string;
  /** Two private repositories. */
  readonly repositories: readonly [string, string];
  /** Creates a migrated database and gives its URL. */
  createDatabase(): Promise<string>;
}

/** A lane. */
export interface Lane extends AsyncDisposable {
  readonly client: KubeClient;
  /** Another cluster. */
  readonly remote: RemoteCluster;
  readonly repositories: Ground['repositories'];
  sql<Row = Record<string, unknown>>(text: string): Promise<Row[]>;
  start(role: Role, armament?: Armament): Child;
  /** What was deleted until now of what a user or Argo CD would miss: `<kind> <name>`. */
  readonly deleted: string[];
  /** The rows' ids of the syncs that Argo CD has begun until now. */
  readonly begun: readonly string[];
}

/** Prepares for lanes on the PostgreSQL at a superuser's URL. */
export const createGround = async (serverUrl: string): Promise<Ground> => {
  const folder = await mkdtemp(join(tmpdir(), 'managed-gitops-crash-'));
  const program = await bundleChild(folder);
  const served = await makeServedFolder('one', 'two');
  const git = await startGitHttpServer(served, { searchPath: process.env['PATH'] ?? '', login: gitLogin });
  const made: string[] = [];
  const create = async (template: string): Promise<string> => {
    const name = `crash_${systemRandom.uuid().replaceAll('-', '')}`;
    await onServer(serverUrl, (server) => server.script('create', `create database ${name} template ${template}`));
    made.push(name);
    return name;
  };
  const urlOf = (name: string): string => Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const template = await create('template0');
  await migrate({
    ...surroundings,
    name: 'crash',
    metrics: createMetrics(),
    connection: { url: urlOf(template) },
  });
  return {
    folder,
    program,
    repositories: [`${git.url}/one.git`, `${git.url}/two.git`],
    createDatabase: async () => urlOf(await create(template)),
    async [Symbol.asyncDispose]() {
      await onServer(serverUrl, async (server) => {
        for (const name of made) await server.script('drop', `drop database ${name} with (force)`);
      });
      await git.stop();
      for (const one of [folder, served]) await rm(one, { recursive: true, force: true });
    },
  };
};

const onServer = async (url: string, run: (server: Session) => Promise<void>): Promise<void> => {
  const options = {
    ...surroundings,
    metrics: createMetrics(),
    name: 'crash',
    connection: { url },
  };
  const server = await openSession({
    ...options,
    to: 'sql',
    settings: { statementMs: 0 },
  });
  try {
    await run(server);
  } finally {
    await server.close();
  }
};

/** Short intervals, so that what comes by the clock comes soon; nothing is asked again that was answered. */
const PACE = { 'second-look': '50ms', redeliver: '1s', recheck: '1h' };

/** The other cluster and the Git server are on loopback. */
const OUTSIDE = { 'allowed-addresses': 'all', 'http-repositories': 'true' };

const crds = [...ownKinds, ...argoKinds].map(customResourceDefinition);

/** Creates a lane in which nothing of the service runs yet. */
export const createLane = async (ground: Ground): Promise<Lane> => {
  await using stack = new AsyncDisposableStack();
  const api = await startApiServer({
    ...surroundings,
    crds,
    namespaces: [engineNamespace],
  });
  stack.defer(() => api.stop());
  const client = createKubeClient({
    ...surroundings,
    metrics: createMetrics(),
    access: parseKubeconfig(api.kubeconfig),
  });
  stack.defer(() => client.close());
  const remote = await startRemoteCluster();
  stack.defer(() => remote.stop());
  const databaseUrl = await ground.createDatabase();
  const pool = createDatabase({
    ...surroundings,
    metrics: createMetrics(),
    name: 'crash',
    connection: { url: databaseUrl },
    settings: { maxSessions: 6, connectMs: 30_000 },
  });
  stack.defer(() => pool.stop());
  const argoCd = playArgoCd(surroundings, {
    client,
    namespace: engineNamespace,
  });
  stack.defer(() => argoCd.stop());
  const deleted: string[] = [];
  stack.defer(noteDeletions(client, gitOpsDeployments, deleted));
  stack.defer(noteDeletions(client, gitOpsDeploymentSyncRuns, deleted));
  stack.defer(noteDeletions(client, gitOpsDeploymentManagedEnvironments, deleted));
  stack.defer(noteDeletions(client, gitOpsDeploymentRepositoryCredentials, deleted));
  stack.defer(noteDeletions(client, applications, deleted));
  stack.defer(noteDeletions(client, appProjects, deleted));
  const kubeconfig = join(ground.folder, `${new URL(api.url).port}.kubeconfig`);
  await writeFile(kubeconfig, api.kubeconfig);
  const children = new Set<Child>();
  stack.defer(async () => void (await Promise.all([...children].map((child) => child.kill()))));
  const nowhere = {
    'health-probe-bind-address': '0',
    'metrics-bind-address': '0',
  };
  const flags = {
    'database-url': databaseUrl,
    kubeconfig,
    ...nowhere,
    ...PACE,
    ...OUTSIDE,
  };
  const owned = stack.move();
  return {
    client,
    remote,
    repositories: ground.repositories,
    sql: async <Row>(text: string) => (await pool.query(statement<Row>('', text))).rows,
    start(role, armament) {
      const child = startChild({
        program: ground.program,
        role,
        flags,
        ...(armament && { armament }),
      });
      children.add(child);
      void child.whenEnded.then(() => children.delete(child));
      return child;
    },
    deleted,
    begun: argoCd.begun,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
};

/** Notes each object of a kind that goes. Returns the function that ends that. */
const noteDeletions = <T extends KubeObject>(
  client: KubeClient,
  resource: ResourceType<T>,
  deleted: string[],
): (() => Promise<void>) => {
  const watcher = createWatcher({
    ...surroundings,
    client,
    resource,
    metrics: createMetrics(),
  });
  watcher.store.subscribe(({ type, object }) => {
    if (type === 'deleted') deleted.push(`${resource.kind} ${object.metadata.name}`);
  });
  watcher.start();
  return () => watcher.stop();
};
