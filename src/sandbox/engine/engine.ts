// Plays Argo CD for the sandbox: watches Applications, compares them with real Git repositories, and syncs them.
import { mkdir } from 'node:fs/promises';
import { applications } from '../../api/argocd/application.ts';
import { appProjects, type AppProject } from '../../api/argocd/app-project.ts';
import { secretTypeLabel } from '../../api/labels.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Random } from '../../lib/random.ts';
import type { KubeClient } from '../../kube/client.ts';
import { secrets, type Secret } from '../../kube/object.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/status-error.ts';
import { createController } from '../../runtime/controller.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { createWatcher } from '../../runtime/watcher.ts';
import { createAgenda, type Agenda } from './agenda.ts';
import { readClusterSecret } from './cluster-secret.ts';
import { createClusters, type Clusters } from './clusters.ts';
import type { Sources } from './comparison.ts';
import { createFinalize } from './finalize.ts';
import { createGitAccess } from './git-access.ts';
import { createProgramRunner, findProgram, sshCommandOf } from './git.ts';
import { createKustomize } from './kustomize.ts';
import { createManifestReader } from './manifests.ts';
import { createMirrors } from './mirror.ts';
import { createOperate, type PassContext } from './operate.ts';
import { chooseCluster, DEFAULT_PROJECT } from './project.ts';
import { createRefresh } from './refresh.ts';
import { chooseRepository, isAboutRepository } from './repository.ts';
import type { Application } from './shapes.ts';
import { createStatusWriter } from './status-writer.ts';

/** How the engine plays. Times in milliseconds. */
export interface EngineSettings {
  /** How often each repository is asked for news; 3 minutes, as Argo CD's default. */
  readonly refreshMs?: number;
  /** After how long a workload is ready; 1 second. */
  readonly workloadReadyAfterMs?: number;
  /** How long after a sync self-heal leaves a difference alone; 5 seconds. */
  readonly selfHealAfterMs?: number;
  /** The longest that one run of git may take; 1 minute. */
  readonly gitDeadlineMs?: number;
  /** Environment that git and kustomize get besides their own: PATH, proxies, an ssh agent. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What the engine is made of. `namespace` holds the Applications; `cacheDir` is a folder of its own. */
export interface EngineOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly cacheDir: string;
  readonly settings?: EngineSettings;
}

/** A running engine. */
export interface Engine {
  /** Ends watches and passes under way, git included, and waits for them. */
  stop(): Promise<void>;
}

const CONCURRENCY = 4;
const STOP_GRACE_MS = 1000;
const DEFAULT_ENV = { PATH: '/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin' };

const orUndefined = async <T>(reading: Promise<T>): Promise<T | undefined> => {
  try {
    return await reading;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

/** The project of Applications that name none: like Argo CD's, it allows everything. */
const ensureDefaultProject = async ({ client, namespace }: EngineOptions): Promise<void> => {
  const project: AppProject = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: DEFAULT_PROJECT, namespace },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ namespace: '*', server: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
    },
  };
  try {
    await client.create(appProjects, project);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
};

const createSources = async (options: EngineOptions, known: StoreReader<Secret>): Promise<Sources> => {
  const { clock, cacheDir, settings = {} } = options;
  await mkdir(cacheDir, { recursive: true });
  const env: Readonly<Record<string, string>> = settings.env ?? DEFAULT_ENV;
  const run = await createProgramRunner({ clock, cacheDir, env, deadlineMs: settings.gitDeadlineMs ?? 60_000 });
  const withAccess = createGitAccess({ cacheDir, sshCommand: sshCommandOf(env) });
  const mirrors = createMirrors({ cacheDir, run, withAccess });
  const program = await findProgram(['kustomize', 'kubectl'], env['PATH'] ?? '');
  const kustomize = createKustomize({ mirrors, run, cacheDir, program });
  return {
    mirrors,
    manifests: createManifestReader({ mirrors, kustomize }),
    findRepository: (url, project) => chooseRepository(known.list(), { url, project }),
  };
};

interface ReconcileParts {
  readonly clusters: Clusters;
  readonly agenda: Agenda;
}

/** The pass over one Application: carry its operation on, or delete it; then compare it, if that is due. */
const createReconcile = (options: EngineOptions, parts: ReconcileParts) => {
  const { client, namespace, clock, settings = {} } = options;
  const { clusters, agenda } = parts;
  const write = createStatusWriter(client);
  const findProject = (application: Application, signal: AbortSignal): Promise<AppProject | undefined> =>
    orUndefined(client.get(appProjects, { namespace, name: application.spec.project || DEFAULT_PROJECT }, { signal }));
  const shared = { client, clusters, write, findProject, clock };
  const operate = createOperate(shared);
  const finalize = createFinalize(shared);
  const refresh = createRefresh({ ...shared, selfHealAfterMs: settings.selfHealAfterMs ?? 5000 });
  const read = (name: string, signal: AbortSignal): Promise<Application | undefined> =>
    orUndefined(client.get(applications, { namespace, name }, { signal }));

  const refreshIfDue = async (application: Application, context: PassContext): Promise<number | undefined> => {
    const { name } = application.metadata;
    const due = agenda.take(application);
    if (!due) return undefined;
    try {
      return await refresh(application, due, context);
    } catch (error) {
      agenda.mark(name, due.level, due.dated);
      throw error;
    }
  };

  const operateIfAsked = async (application: Application, context: PassContext): Promise<number | undefined> => {
    if (!application.operation) return undefined;
    const step = await operate(application, context);
    if (step.ended) agenda.mark(application.metadata.name, 'latest', true);
    return step.afterMs;
  };

  const pass = async (name: string, context: PassContext): Promise<{ afterMs: number } | undefined> => {
    const application = await read(name, context.signal);
    if (!application) {
      agenda.forget(name);
      return undefined;
    }
    const deleting = application.metadata.deletionTimestamp !== undefined;
    const finalizing = deleting && !application.operation;
    const first = await (finalizing ? finalize(application, context) : operateIfAsked(application, context));
    const present = await read(name, context.signal);
    if (!present) return undefined;
    const second = finalizing ? undefined : await refreshIfDue(present, context);
    return { afterMs: Math.max(Math.min(first ?? Infinity, second ?? Infinity, agenda.nextInMs(name)), 10) };
  };

  return async (key: string, context: PassContext): Promise<{ afterMs: number } | undefined> => {
    try {
      return await pass(key.split('/')[2] ?? '', context);
    } catch (error) {
      if (isConflict(error)) return { afterMs: 20 }; // someone changed it meanwhile: look again
      if (isNotFound(error)) return { afterMs: 200 };
      throw error;
    }
  };
};

/** Watches what the engine knows of its namespace. */
const createWatches = (options: EngineOptions) => {
  const watchSecrets = (type: string) =>
    createWatcher({ ...options, resource: secrets, labelSelector: `${secretTypeLabel}=${type}` });
  return {
    repositories: watchSecrets('repository'),
    clusters: watchSecrets('cluster'),
    projects: createWatcher({ ...options, resource: appProjects }),
    applications: createWatcher({ ...options, resource: applications }),
  };
};

type Watches = ReturnType<typeof createWatches>;

/** Whether the Application is deployed to the cluster of the Secret. */
const isDeployedTo = ({ spec }: Application, secret: Secret): boolean => {
  const found = readClusterSecret(secret);
  return found !== undefined && typeof chooseCluster(spec.destination, [found]) !== 'string';
};

/** Wakes Applications when they change, and when something does that they stand on. */
const wakeByWatches = (
  watches: Watches,
  parts: { readonly clusters: Clusters; readonly agenda: Agenda; readonly wake: (name: string) => void },
): void => {
  const { clusters, agenda, wake } = parts;
  const wakeThose = (concerned: (application: Application) => boolean): void => {
    for (const application of watches.applications.store.list().filter(concerned)) {
      agenda.mark(application.metadata.name, 'latest');
      wake(application.metadata.name);
    }
  };
  watches.applications.store.subscribe(({ object }) => wake(object.metadata.name));
  watches.projects.store.subscribe(({ object }) =>
    wakeThose(({ spec }) => (spec.project || DEFAULT_PROJECT) === object.metadata.name),
  );
  watches.repositories.store.subscribe(({ object }) =>
    wakeThose(({ spec }) => isAboutRepository(object, spec.source?.repoURL ?? '')),
  );
  watches.clusters.store.subscribe((change) => {
    if (clusters.see(change)) wakeThose((application) => isDeployedTo(application, change.object));
  });
};

/**
 * Starts the engine: a stand-in for Argo CD's application controller and repository server, on real Git repositories.
 * Returns once it has seen the Applications that are there; the namespace and Argo CD's kinds must exist.
 * What it plays and what it doesn't stands in the README beside this file.
 */
export const startEngine = async (given: EngineOptions): Promise<Engine> => {
  const options = { ...given, log: given.log.with({ component: 'sandbox-engine' }) };
  const { namespace, client, clock, random, log, metrics, settings = {} } = options;
  log.info('playing Argo CD: a stand-in for the sandbox, not Argo CD itself', { namespace });
  await ensureDefaultProject(options);
  const agenda = createAgenda({ clock, refreshMs: settings.refreshMs ?? 180_000 });
  const watches = createWatches(options);
  const wake = (name: string): void => controller.enqueue(`${namespace}/application/${name}`);
  const clusterParts = {
    clock,
    random,
    log,
    metrics,
    sources: await createSources(options, watches.repositories.store),
    readyAfterMs: settings.workloadReadyAfterMs ?? 1000,
    onChange(application: string) {
      agenda.mark(application, 'recent');
      wake(application);
    },
  };
  const clusters = createClusters(clusterParts, client);
  const controller = createController({
    ...options,
    name: 'sandbox-engine',
    concurrency: CONCURRENCY,
    tenantConcurrency: CONCURRENCY,
    graceMs: STOP_GRACE_MS,
    reconcile: createReconcile(options, { clusters, agenda }),
  });
  wakeByWatches(watches, { clusters, agenda, wake });
  const inOrder = [watches.repositories, watches.clusters, watches.projects, watches.applications];
  clusters.start();
  for (const watch of inOrder) {
    watch.start();
    await watch.whenSynced(); // what an Application stands on is known before it
  }
  controller.start();
  return {
    async stop() {
      for (const watch of inOrder.toReversed()) await watch.stop();
      await controller.stop();
      await clusters.stop();
    },
  };
};
