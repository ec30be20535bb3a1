// One deployment's way through the service, shown as it is seen in the API server and the database.
import { applications } from '../api/argocd/application.ts';
import { applicationNameFor, deploymentFinalizer, instanceLabel } from '../api/labels.ts';
import { gitOpsDeploymentSyncRuns, type GitOpsDeploymentSyncRun } from '../api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';
import { operations } from '../api/v1alpha1/operation.ts';
import { selectApplicationIdOf, selectTenantIdOf, selectUnfinishedWork } from '../db/queries/demo.ts';
import type { Queryable } from '../db/sql.ts';
import type { KubeClient } from '../kube/client.ts';
import { namespaces, type KubeObject, type ResourceType } from '../kube/object.ts';
import { isAlreadyExists, isNotFound } from '../kube/status-error.ts';
import { sleep, type Clock } from '../lib/clock.ts';
import { Fault, messageOf } from '../lib/fault.ts';
import { pageConfigMap, type SampleRepository } from './sample-repository.ts';

/** What the demo shows, and to whom. */
export interface DemoOptions {
  readonly client: KubeClient;
  readonly db: Queryable;
  readonly clock: Clock;
  readonly write: (line: string) => void;
  readonly namespace: string;
  readonly name: string;
  readonly engineNamespace: string;
  /** The repository to deploy from, and how it is called in what is shown. */
  readonly shownSource: string;
  readonly source: { readonly repoURL: string; readonly path: string };
  /** The sample repository, when it is that: then a commit is made too. */
  readonly sample: SampleRepository | undefined;
  /** How long each step may take before the demo gives up and names it. Milliseconds. */
  readonly stepMs: number;
  readonly signal: AbortSignal;
}

/** One thing to be seen: what it is called, and how to look for it. A look gives undefined until there is something. */
interface Sight {
  readonly name: string;
  readonly look: () => Promise<string | undefined>;
}

const LOOK_EVERY_MS = 20;

const SYNC_RUN = 'first-sync';

/** The page that the second commit brings. */
const NEW_GREETING = 'Hello again';

/**
 * Shows a deployment on its way from the object to Healthy, a commit arriving, and everything gone after its deletion;
 * then a manual one that waits for a sync run.
 * @throws Fault('internal', 'DemoStepMissed') naming the first step that was not seen in time.
 */
export const runDemo = async (options: DemoOptions): Promise<void> => {
  const { client, write, namespace, name, sample } = options;
  const ticket = watchForOperation(options); // before anything can make one
  const namespaceUid = await makeNamespace(client, namespace);
  const deployment = await client.create(gitOpsDeployments, deploymentOf(options));
  write('');
  write(`Applied GitOpsDeployment ${namespace}/${name}: ${options.shownSource}`);
  await see(options, wayOfTheChange(options, deployment, { namespaceUid, ticket }));

  if (sample) {
    const commit = await sample.commitPage(NEW_GREETING);
    write('');
    write(`Pushed commit ${commit.slice(0, 12)}: the page now says "${NEW_GREETING}"`);
    await see(options, arrivalOf(options, commit));
  }

  await client.delete(gitOpsDeployments, { namespace, name });
  write('');
  write(`Deleted GitOpsDeployment ${namespace}/${name}`);
  await see(options, disappearance(options, deployment));
  await showSyncRun({ ...options, name: `${name}-manual` });
};

/** Shows a manual deployment, which waits until a GitOpsDeploymentSyncRun has it synced. */
const showSyncRun = async (options: DemoOptions): Promise<void> => {
  const { client, write, namespace, name, shownSource } = options;
  const { spec, ...rest } = deploymentOf(options);
  const deployment = await client.create(gitOpsDeployments, {
    ...rest,
    ...(spec && { spec: { ...spec, type: 'manual' } }),
  });
  write('');
  write(`Applied GitOpsDeployment ${namespace}/${name}, of type manual: ${shownSource}`);
  await see(options, [{ name: 'it waits', look: async () => waitingMessage(await readDeployment(options)) }]);

  await client.create(gitOpsDeploymentSyncRuns, syncRunOf(options));
  write('');
  write(`Created GitOpsDeploymentSyncRun ${namespace}/${SYNC_RUN}`);
  await see(options, [
    {
      name: 'sync run',
      look: async () => readyMessage(await read(client, gitOpsDeploymentSyncRuns, { namespace, name: SYNC_RUN })),
    },
    { name: 'status', look: async () => readyMessage(await readDeployment(options)) },
  ]);

  await client.delete(gitOpsDeploymentSyncRuns, { namespace, name: SYNC_RUN });
  await client.delete(gitOpsDeployments, { namespace, name });
  write('');
  write(`Deleted GitOpsDeploymentSyncRun ${namespace}/${SYNC_RUN} and GitOpsDeployment ${namespace}/${name}`);
  await see(options, disappearance(options, deployment));
};

/** The sync run that is shown. */
const syncRunOf = ({ namespace, name }: DemoOptions): GitOpsDeploymentSyncRun => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeploymentSyncRun',
  metadata: { name: SYNC_RUN, namespace },
  spec: { gitopsDeploymentName: name },
});

/** Makes the namespace unless it is there. Returns its UID. */
const makeNamespace = async (client: KubeClient, name: string): Promise<string> => {
  try {
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  return (await client.get(namespaces, { name })).metadata.uid ?? '';
};

/** The deployment that is shown; with the finalizer, so that it stays until what it deployed is gone. */
export const deploymentOf = ({
  namespace,
  name,
  source,
}: Pick<DemoOptions, 'namespace' | 'name' | 'source'>): GitOpsDeployment => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeployment',
  metadata: { name, namespace, finalizers: [deploymentFinalizer] },
  spec: { source, type: 'automated' },
});

/** Looks for all sights at once, and tells each in its order with the time at which it was first seen. */
const see = async (options: DemoOptions, sights: readonly Sight[]): Promise<void> => {
  const { clock, write } = options;
  const startMs = clock.monotonicMs();
  const looks = sights.map((sight) => lookFor(options, sight, startMs));
  for (const look of looks) look.catch(() => undefined); // told below, in order
  for (const [index, look] of looks.entries()) {
    const { text, afterMs } = await look;
    write(`  ${`+${Math.round(afterMs)} ms`.padStart(10)}  ${(sights[index]?.name ?? '').padEnd(18)} ${text}`);
  }
};

const lookFor = async (
  options: DemoOptions,
  { name, look }: Sight,
  startMs: number,
): Promise<{ text: string; afterMs: number }> => {
  const { clock, stepMs, signal } = options;
  for (;;) {
    const text = await look();
    const afterMs = clock.monotonicMs() - startMs;
    if (text !== undefined) return { text, afterMs };
    if (afterMs > stepMs) {
      throw await missed(options, name);
    }
    await sleep(clock, LOOK_EVERY_MS, signal);
  }
};

/** Names the step, and what the deployment itself says. */
const missed = async (options: DemoOptions, step: string): Promise<Fault> => {
  const said = conditionOf(await readDeployment(options), 'Ready')?.message;
  const status = said ? `; the GitOpsDeployment says: ${said}` : '';
  return new Fault(
    'internal',
    'DemoStepMissed',
    `the step "${step}" was not seen within ${options.stepMs / 1000} s${status}`,
  );
};

const wayOfTheChange = (
  options: DemoOptions,
  { metadata }: GitOpsDeployment,
  { namespaceUid, ticket }: { readonly namespaceUid: string; readonly ticket: () => string | undefined },
): readonly Sight[] => {
  const { client, db, engineNamespace } = options;
  const uid = metadata.uid ?? '';
  const application = { namespace: engineNamespace, name: applicationNameFor(uid) };
  return [
    {
      name: 'object seen',
      look: async () => orUndefined(await selectTenantIdOf(db, namespaceUid), (id) => `tenant ${id}`),
    },
    { name: 'rows', look: async () => orUndefined(await selectApplicationIdOf(db, uid), (id) => `application ${id}`) },
    { name: 'Operation', look: async () => ticket() },
    {
      name: 'Application',
      look: async () => orUndefined(await read(client, applications, application), (seen) => seen.metadata.name),
    },
    { name: 'Synced', look: async () => syncedTo(await read(client, applications, application)) },
    {
      name: 'Healthy',
      look: async () =>
        (await read(client, applications, application))?.status?.health?.status === 'Healthy'
          ? 'says the Application'
          : undefined,
    },
    { name: 'status', look: async () => readyMessage(await readDeployment(options)) },
  ];
};

/** An Operation lives for milliseconds, so it is watched for. The watch ends with the first, or with the demo. */
const watchForOperation = ({ client, engineNamespace, signal }: DemoOptions): (() => string | undefined) => {
  let seen: string | undefined;
  let failure: unknown;
  const end = new AbortController();
  const follow = async (): Promise<void> => {
    const watch = client.watch(operations, {
      namespace: engineNamespace,
      signal: AbortSignal.any([signal, end.signal]),
    });
    for await (const event of watch) {
      if (event.type !== 'ADDED') continue;
      seen = event.object.metadata.name;
      end.abort();
    }
  };
  follow().catch((error: unknown) => {
    if (seen === undefined) failure = error;
  });
  return () => {
    if (failure !== undefined)
      throw new Fault('internal', 'DemoStepMissed', `Operations can't be watched: ${messageOf(failure)}`);
    return seen;
  };
};

const arrivalOf = (options: DemoOptions, commit: string): readonly Sight[] => [
  {
    name: 'in the cluster',
    look: async () => {
      const page = await read(options.client, configMaps, { namespace: options.namespace, name: pageConfigMap });
      return page?.data?.['index.html'] === NEW_GREETING ? `ConfigMap ${pageConfigMap} says it` : undefined;
    },
  },
  {
    name: 'status',
    look: async () => {
      const deployment = await readDeployment(options);
      return deployment?.status?.sync?.revision === commit ? readyMessage(deployment) : undefined;
    },
  },
];

const disappearance = (options: DemoOptions, { metadata }: GitOpsDeployment): readonly Sight[] => {
  const { client, db, engineNamespace, namespace } = options;
  const name = applicationNameFor(metadata.uid ?? '');
  return [
    {
      name: 'deployed objects',
      look: async () => {
        const left = await client.list(configMaps, { namespace, labelSelector: `${instanceLabel}=${name}` });
        return left.items.length === 0 ? 'gone' : undefined;
      },
    },
    {
      name: 'Application',
      look: async () => ((await read(client, applications, { namespace: engineNamespace, name })) ? undefined : 'gone'),
    },
    {
      name: 'rows',
      look: async () => ((await selectUnfinishedWork(db, metadata.uid ?? '')) ? undefined : 'gone, no Operation left'),
    },
    { name: 'GitOpsDeployment', look: async () => ((await readDeployment(options)) ? undefined : 'gone') },
  ];
};

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
const configMaps: ResourceType<ConfigMap> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

const read = async <T extends KubeObject>(
  client: KubeClient,
  resource: ResourceType<T>,
  ref: { readonly namespace: string; readonly name: string },
): Promise<T | undefined> => {
  try {
    return await client.get(resource, ref);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

const readDeployment = ({ client, namespace, name }: DemoOptions): Promise<GitOpsDeployment | undefined> =>
  read(client, gitOpsDeployments, { namespace, name });

/** What has conditions to look at. */
type Conditioned = Pick<GitOpsDeployment | GitOpsDeploymentSyncRun, 'status'>;

const conditionOf = (object: Conditioned | undefined, type: string) =>
  object?.status?.conditions?.find((condition) => condition.type === type);

const waitingMessage = (deployment: GitOpsDeployment | undefined): string | undefined => {
  const ready = conditionOf(deployment, 'Ready');
  return ready?.reason === 'WaitingForSyncRun' ? `not Ready: ${ready.message ?? ''}` : undefined;
};

const readyMessage = (object: Conditioned | undefined): string | undefined => {
  const ready = conditionOf(object, 'Ready');
  return ready?.status === 'True' ? `Ready: ${ready.message ?? ''}` : undefined;
};

const syncedTo = (application: Awaited<ReturnType<typeof read<ApplicationObject>>>): string | undefined =>
  application?.status?.sync?.status === 'Synced'
    ? `to ${application.status.sync.revision?.slice(0, 12) ?? ''}`
    : undefined;

type ApplicationObject = NonNullable<(typeof applications)['type']>;

const orUndefined = <T>(value: T | undefined, tell: (value: T) => string): string | undefined =>
  value === undefined ? undefined : tell(value);
