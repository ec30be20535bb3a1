// What a scenario is written with: a team with a namespace and a repository, and steps that are timed.
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inject, test } from 'vitest';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { appProjects, type AppProject } from '../../src/api/argocd/app-project.ts';
import { applicationNameFor } from '../../src/api/labels.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import {
  gitOpsDeploymentSyncRuns,
  type GitOpsDeploymentSyncRun,
} from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { openSession, type Session } from '../../src/db/pool.ts';
import { statement } from '../../src/db/statement.ts';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { namespaces } from '../../src/kube/object.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import type { EndToEndRun } from './ground.ts';
import type { GitPlace } from './private-git.ts';
import type { ScenarioRecord, Step } from './report.ts';

const run: EndToEndRun = inject('endToEnd');
const execute = promisify(execFile);

/** Long enough for a process that was killed to take over again, and for Argo CD's own waits. */
const STEP_MS = 60_000;
const SCENARIO_MS = 480_000;

/** The cluster, as its administrator. */
export const client: KubeClient = createKubeClient({
  access: parseKubeconfig(readFileSync(run.kubeconfig, 'utf8')),
  clock: systemClock,
  random: systemRandom,
  gate: openGate,
  log: createLogger({ level: 'silent' }),
  metrics: createMetrics(),
  userAgent: 'managed-gitops-e2e',
});

const onDatabase = async <T>(doIt: (session: Session) => Promise<T>): Promise<T> => {
  const session = await openSession({
    to: 'sql',
    name: 'managed-gitops e2e',
    connection: { url: run.databaseUrl },
    clock: systemClock,
    gate: openGate,
    metrics: createMetrics(),
  });
  try {
    return await doIt(session);
  } finally {
    await session.close();
  }
};

/** Runs a statement as another program would; the rows that it gives. */
export const sql = <Row>(text: string): Promise<Row[]> =>
  onDatabase(async (session) => (await session.query(statement<Row>('', text))).rows);

/** Runs several statements. */
export const script = (text: string): Promise<void> => onDatabase((session) => session.script('script', text));

/** kubectl as the cluster's administrator. */
export const kubectl: Kubectl = createKubectl(run.kubeconfig);

/** Files by path; null removes one. */
export type Files = Readonly<Record<string, string | null>>;

/** A repository on a Git server that Argo CD reads. */
export interface Repository {
  readonly url: string;
  /** Commits to the branch, `main` unless told, and publishes it; the commit's id. */
  commit(files: Files, branch?: string): Promise<string>;
}

/** What a user may say of a deployment; the rest is as usual. */
export interface DeploymentWish {
  readonly name?: string;
  readonly path?: string;
  readonly repoURL?: string;
  readonly targetRevision?: string;
  readonly type?: 'automated' | 'manual';
  readonly destination?: { readonly environment?: string; readonly namespace?: string };
  readonly syncOptions?: readonly string[];
  readonly finalizers?: readonly string[];
}

/** A team in a namespace of its own. */
export interface Team {
  readonly namespace: string;
  readonly repository: Repository;
  /** Creates a deployment `app` of folder `app` of the team's repository, unless told otherwise. */
  create(wish?: DeploymentWish): Promise<GitOpsDeployment>;
  patch(name: string, body: unknown): Promise<GitOpsDeployment>;
  remove(name?: string): Promise<void>;
  get(name?: string): Promise<GitOpsDeployment | undefined>;
  /** Its Argo CD Application, if it is there. */
  application(deployment: GitOpsDeployment): Promise<Application | undefined>;
  /** The team's AppProject: the one its Applications are in. */
  project(deployment: GitOpsDeployment): Promise<AppProject | undefined>;
  /** An AppProject by its name. */
  projectNamed(name: string): Promise<AppProject | undefined>;
  /** Creates a sync run `sync` of deployment `app`, unless told otherwise. */
  sync(wish?: {
    readonly name?: string;
    readonly deployment?: string;
    readonly revision?: string;
  }): Promise<GitOpsDeploymentSyncRun>;
  syncRun(name?: string): Promise<GitOpsDeploymentSyncRun | undefined>;
  patchSyncRun(name: string, body: unknown): Promise<GitOpsDeploymentSyncRun>;
  removeSyncRun(name?: string): Promise<void>;
  /** The data of a ConfigMap in the team's namespace; undefined where there is none. */
  configMap(name: string): Promise<Readonly<Record<string, string>> | undefined>;
}

/** What a scenario is given. */
export interface Stage {
  /** Makes a team; its namespace begins with this. */
  team(prefix?: string): Promise<Team>;
  /** Waits until it is so, and notes how long that took from here. */
  step<T>(what: string, look: () => Promise<T>): Promise<NonNullable<Awaited<T>>>;
  /** Undoes something once the scenario has passed; last things first. A scenario that fails leaves all as it is. */
  afterwards(undo: () => Promise<unknown>): void;
}

/** A ConfigMap as a manifest. */
export const configMap = (name: string, data: Readonly<Record<string, string>>): string =>
  `${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })}\n`;

/** Runs a scenario as a test, and leaves what it measured for the report. `scenarios.md` lists the names. */
export const scenario = (name: string, play: (stage: Stage) => Promise<void>): void => {
  // oxlint-disable-next-line vitest/valid-title -- the scenario names it
  test(name, { timeout: SCENARIO_MS }, async () => {
    const steps: Step[] = [];
    const undoings: (() => Promise<unknown>)[] = [];
    const startMs = performance.now();
    const record = (passed: boolean): void => {
      const whole: ScenarioRecord = { name, passed, ms: performance.now() - startMs, steps };
      writeFileSync(join(run.records, `${systemRandom.uuid()}.json`), JSON.stringify(whole));
    };
    try {
      await play({
        async team(prefix = 'team') {
          const namespace = `${prefix}-${systemRandom.uuid().slice(0, 8)}`;
          await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
          undoings.push(() => client.delete(namespaces, { name: namespace }));
          return createTeam(namespace, await createRepository(namespace));
        },
        async step(what, look) {
          const fromMs = performance.now();
          const seen = await eventually(what, look, STEP_MS);
          steps.push({ what, ms: performance.now() - fromMs });
          return seen;
        },
        afterwards: (undo) => void undoings.push(undo),
      });
    } catch (error) {
      record(false);
      throw error;
    }
    record(true);
    for (const undo of undoings.toReversed()) await undo();
  });
};

/** A bare repository on a Git server, the run's public one unless told, and a working tree that is pushed to it. */
export const createRepository = async (name: string, { root, url }: GitPlace = run.git): Promise<Repository> => {
  const bare = join(root, `${name}.git`);
  const tree = join(root, `${name}.tree`);
  await mkdir(tree, { recursive: true });
  const git = async (...words: string[]): Promise<string> =>
    (
      await execute(
        'git',
        ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false', ...words],
        { cwd: tree },
      )
    ).stdout.trim();
  await execute('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', bare);
  return {
    url: `${url}/${name}.git`,
    async commit(files, branch = 'main') {
      if (branch !== (await git('symbolic-ref', '--short', 'HEAD'))) await git('checkout', '--quiet', '-B', branch);
      for (const [path, text] of Object.entries(files)) {
        const file = join(tree, path);
        await mkdir(dirname(file), { recursive: true });
        if (text === null) await rm(file);
        else await writeFile(file, text);
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '-m', 'change');
      await git('push', '--quiet', 'origin', branch);
      return git('rev-parse', 'HEAD');
    },
  };
};

const createTeam = (namespace: string, repository: Repository): Team => {
  const applicationRef = ({ metadata }: GitOpsDeployment) => ({
    namespace: run.argocdNamespace,
    name: applicationNameFor(metadata.uid ?? ''),
  });
  const application: Team['application'] = (deployment) =>
    orAbsent(client.get(applications, applicationRef(deployment)));
  const projectNamed: Team['projectNamed'] = (name) =>
    orAbsent(client.get(appProjects, { namespace: run.argocdNamespace, name }));
  return {
    namespace,
    repository,
    application,
    create: (wish = {}) =>
      client.create(gitOpsDeployments, {
        apiVersion: 'managed-gitops.redhat.com/v1alpha1',
        kind: 'GitOpsDeployment',
        metadata: { name: wish.name ?? 'app', namespace, ...(wish.finalizers && { finalizers: [...wish.finalizers] }) },
        spec: {
          source: {
            repoURL: wish.repoURL ?? repository.url,
            path: wish.path ?? 'app',
            ...(wish.targetRevision && { targetRevision: wish.targetRevision }),
          },
          type: wish.type ?? 'automated',
          ...(wish.destination && { destination: wish.destination }),
          ...(wish.syncOptions && { syncPolicy: { syncOptions: [...wish.syncOptions] } }),
        },
      }),
    patch: (name, body) => client.patch(gitOpsDeployments, { namespace, name }, { type: 'merge', body }),
    async remove(name = 'app') {
      await client.delete(gitOpsDeployments, { namespace, name });
    },
    get: (name = 'app') => orAbsent(client.get(gitOpsDeployments, { namespace, name })),
    async project(deployment) {
      const name = (await application(deployment))?.spec.project;
      return name === undefined ? undefined : projectNamed(name);
    },
    projectNamed,
    sync: (wish = {}) =>
      client.create(gitOpsDeploymentSyncRuns, {
        apiVersion: 'managed-gitops.redhat.com/v1alpha1',
        kind: 'GitOpsDeploymentSyncRun',
        metadata: { name: wish.name ?? 'sync', namespace },
        spec: {
          gitopsDeploymentName: wish.deployment ?? 'app',
          ...(wish.revision !== undefined && { revisionID: wish.revision }),
        },
      }),
    syncRun: (name = 'sync') => orAbsent(client.get(gitOpsDeploymentSyncRuns, { namespace, name })),
    patchSyncRun: (name, body) => client.patch(gitOpsDeploymentSyncRuns, { namespace, name }, { type: 'merge', body }),
    async removeSyncRun(name = 'sync') {
      await client.delete(gitOpsDeploymentSyncRuns, { namespace, name });
    },
    async configMap(name) {
      const text = await kubectl(['-n', namespace, 'get', 'configmap', name, '--ignore-not-found', '-o', 'json']);
      return text === '' ? undefined : ((JSON.parse(text) as { data?: Record<string, string> }).data ?? {}); // kubectl's own output
    },
  };
};
