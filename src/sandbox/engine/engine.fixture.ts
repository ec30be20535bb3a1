// A server, a repository and an engine for a test, and the few calls that its sentences are made of.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '../../../test/kit/eventually.ts';
import { createGitRepository, type GitRepository } from '../../../test/kit/git-repository.ts';
import { silentLog } from '../../../test/kit/captured-log.ts';
import { applications } from '../../api/argocd/application.ts';
import { appProjects } from '../../api/argocd/app-project.ts';
import { secretTypeLabel } from '../../api/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createKubeClient } from '../../kube/http-client.ts';
import { parseKubeconfig } from '../../kube/kubeconfig.ts';
import { secrets, type KubeObject, type ResourceType } from '../../kube/object.ts';
import { isAlreadyExists, isNotFound } from '../../kube/status-error.ts';
import { systemClock, type Clock } from '../../lib/clock.ts';
import { openGate } from '../../lib/gate.ts';
import { createMetrics } from '../../lib/metrics.ts';
import { systemRandom } from '../../lib/random.ts';
import { startApiServer, type ApiServer } from '../apiserver/server.ts';
import { argoCdCrds } from './argocd-crds.ts';
import { startEngine, type EngineSettings } from './engine.ts';
import type { Application } from './shapes.ts';

const NAMESPACE = 'argocd';
/** Where the Applications deploy to. */
export const TARGET = 'jane';

/** Addresses ConfigMaps. */
export const configMaps: ResourceType<KubeObject & { data?: Record<string, string> }> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};
/** Addresses Deployments. */
export const deployments: ResourceType = {
  group: 'apps',
  version: 'v1',
  plural: 'deployments',
  kind: 'Deployment',
  namespaced: true,
};

/** A ConfigMap's manifest with one value. */
export const configMap = (name: string, value = '1', more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}data:\n  value: "${value}"\n`;
/** A Deployment's manifest. */
export const deployment = (name: string, more = ''): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\n${more}spec:\n  replicas: 2\n  selector: {matchLabels: {app: ${name}}}\n  template:\n    metadata: {labels: {app: ${name}}}\n    spec: {containers: [{name: main, image: "example.com/${name}:1"}]}\n`;

/** What differs from an Application that is synced by hand from `deploy` on `main`. */
export interface Wanted {
  readonly syncPolicy?: Application['spec']['syncPolicy'];
  readonly source?: Partial<NonNullable<Application['spec']['source']>>;
  readonly destination?: Application['spec']['destination'];
  readonly project?: string;
  readonly finalizers?: string[];
}

const refOf = (name: string) => ({ namespace: NAMESPACE, name });

/** What a test says to the server and asks of it. */
const createCalls = (client: KubeClient, repository: GitRepository) => {
  const app = (name: string): Promise<Application> => client.get(applications, refOf(name));
  return {
    app,
    create(name: string, { syncPolicy, source, destination, project, finalizers }: Wanted = {}) {
      return client.create(applications, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name, namespace: NAMESPACE, ...(finalizers ? { finalizers } : {}) },
        spec: {
          project: project ?? 'default',
          source: { repoURL: repository.folder, path: 'deploy', ...source },
          destination: destination ?? { name: 'in-cluster', namespace: TARGET },
          ...(syncPolicy ? { syncPolicy } : {}),
        },
      });
    },
    createProject: (name: string, spec: Record<string, unknown>) =>
      client.create(appProjects, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: { name, namespace: NAMESPACE },
        spec,
      }),
    patch: (name: string, body: unknown) => client.patch(applications, refOf(name), { type: 'merge', body }),
    refresh: (name: string) =>
      client.patch(applications, refOf(name), {
        type: 'merge',
        body: { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'normal' } } },
      }),
    remove: (name: string, propagationPolicy: 'Foreground' | 'Background' = 'Foreground') =>
      client.delete(applications, refOf(name), { propagationPolicy }),
    gone: (name: string) =>
      eventually(`${name} is gone`, () =>
        app(name).then(
          () => false,
          (error: unknown) => isNotFound(error),
        ),
      ),
    /** Writes a Secret of Argo CD's, or changes what is in it. */
    async putSecret(name: string, type: 'cluster' | 'repository', texts: Readonly<Record<string, string>>) {
      const data = Object.fromEntries(
        Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
      );
      const metadata = { name, namespace: NAMESPACE, labels: { [secretTypeLabel]: type } };
      try {
        await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata, data });
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        await client.patch(secrets, refOf(name), { type: 'merge', body: { data } });
      }
    },
    removeSecret: (name: string) => client.delete(secrets, refOf(name)),
    /** Waits until the Application is as `look` wants it. */
    until: (what: string, name: string, look: (application: Application) => boolean) =>
      eventually(what, async () => {
        const application = await app(name);
        if (look(application)) return application;
        throw new Error(JSON.stringify(application.status));
      }),
    value: async (name: string, namespace = TARGET): Promise<string | undefined> => {
      try {
        return (await client.get(configMaps, { namespace, name })).data?.['value'];
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
  };
};

/** Starts everything, the engine on a clock of its own if one is given; `stop` ends it. */
export const startFixture = async (settings: EngineSettings = {}, engineClock: Clock = systemClock) => {
  const cacheDir = await mkdtemp(path.join(tmpdir(), 'engine-'));
  const parts = { clock: systemClock, random: systemRandom, log: silentLog };
  const server: ApiServer = await startApiServer({ ...parts, crds: argoCdCrds(), namespaces: [NAMESPACE, TARGET] });
  const access = parseKubeconfig(server.kubeconfig);
  const client: KubeClient = createKubeClient({ ...parts, access, gate: openGate, metrics: createMetrics() });
  const repository: GitRepository = await createGitRepository();
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  const all = { refreshMs: 60_000, workloadReadyAfterMs: 0, selfHealAfterMs: 0, env, ...settings };
  const start = () =>
    startEngine({
      ...parts,
      clock: engineClock,
      client,
      namespace: NAMESPACE,
      metrics: createMetrics(),
      cacheDir,
      settings: all,
    });
  let engine = await start();
  return {
    client,
    repository,
    server,
    cacheDir,
    ...createCalls(client, repository),
    async restart() {
      await engine.stop();
      engine = await start();
    },
    async stop() {
      await engine.stop();
      client.close();
      await server.stop();
      await repository.remove();
      await rm(cacheDir, { recursive: true, force: true });
    },
  };
};

/** Everything a test of the engine stands on. */
export type EngineFixture = Awaited<ReturnType<typeof startFixture>>;
