// What users do in a schedule, and what others do to Argo CD's objects behind the service's back: drawn from the seed.
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { deploymentFinalizer } from '../../src/api/labels.ts';
import { gitOpsDeploymentSyncRuns } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeploymentSpec } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { namespaces, type KubeObject } from '../../src/kube/object.ts';
import { ApiError } from '../../src/kube/status-error.ts';
import type { Random } from '../../src/lib/random.ts';
import { pickOne, type Acting, type Action, type UserOptions } from './acting.ts';
import { environmentName, environments, credentials, outsideActions } from './script-outside.ts';
import { repositories, teams } from './script-names.ts';

/** Somebody who acts. */
export interface User {
  /** Does one thing that the seed chooses, and says which. A refusal is taken as an answer. */
  act(): Promise<string>;
}

const names = ['app', 'web'] as const;

/** Creates a user. */
export const createUser = (options: UserOptions): User => {
  const { random } = options;
  const oneOf = <T>(values: readonly T[]): T | undefined => values[Math.floor(random.next() * values.length)];
  const context: Acting = { ...options, oneOf };
  return {
    async act() {
      const action = pick(random);
      try {
        return `${action.name} ${await action.run(context)}`;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return `${action.name}: ${error.message}`;
      }
    },
  };
};

const refOf = ({ namespace = '', name }: KubeObject['metadata']) => ({ namespace, name });

const someDeployment = (random: Random): GitOpsDeploymentSpec => {
  const of = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)] as T; // never empty
  const targetRevision = of([undefined, 'main', 'v1']);
  const syncOptions = of([undefined, ['CreateNamespace=true']]);
  const environment = of([undefined, undefined, environmentName]);
  return {
    source: { repoURL: of(repositories), path: of(['a', 'b', 'c']), ...(targetRevision && { targetRevision }) },
    ...(environment && { destination: { environment, namespace: 'web' } }),
    type: of(['automated', 'Automated', 'manual', 'manual']),
    ...(syncOptions && { syncPolicy: { syncOptions } }),
  };
};

const create = async ({ client, random, oneOf, recorder }: Acting): Promise<string> => {
  const ref = { namespace: oneOf(teams) ?? '', name: oneOf(names) ?? '' };
  const made = await client.create(gitOpsDeployments, {
    apiVersion: 'managed-gitops.redhat.com/v1alpha1',
    kind: 'GitOpsDeployment',
    metadata: { ...ref, ...(random.next() < 0.5 && { finalizers: [deploymentFinalizer] }) },
    spec: someDeployment(random),
  });
  recorder.made(made);
  return `${ref.namespace}/${ref.name} ${made.metadata.uid}`;
};

const update = async (acting: Acting): Promise<string> => {
  const found = await pickOne(acting, gitOpsDeployments);
  if (!found) return 'nothing';
  acting.recorder.changed(
    await acting.client.update(gitOpsDeployments, { ...found, spec: someDeployment(acting.random) }),
  );
  return `${found.metadata.namespace}/${found.metadata.name}`;
};

const annotate = async (acting: Acting): Promise<string> => {
  const found = await pickOne(acting, gitOpsDeployments);
  if (!found) return 'nothing';
  const body = { metadata: { annotations: { note: acting.random.uuid() } } };
  await acting.client.patch(gitOpsDeployments, refOf(found.metadata), { type: 'merge', body });
  return `${found.metadata.namespace}/${found.metadata.name}`;
};

const remove = async (acting: Acting): Promise<string> => {
  const found = await pickOne(acting, gitOpsDeployments);
  if (!found) return 'nothing';
  acting.recorder.asked(found.metadata.uid ?? '');
  await acting.client.delete(gitOpsDeployments, refOf(found.metadata));
  return `${found.metadata.namespace}/${found.metadata.name} ${found.metadata.uid}`;
};

const makeAgain = async (acting: Acting): Promise<string> => {
  const removed = await remove(acting);
  const [namespace = '', name = ''] = removed.split(' ')[0]?.split('/') ?? [];
  return `${removed}, then ${await create({ ...acting, oneOf: (values) => pickThis(values, [namespace, name]) ?? acting.oneOf(values) })}`;
};

/** The first of `values` that is wanted. */
const pickThis = <T>(values: readonly T[], wanted: readonly unknown[]): T | undefined =>
  values.find((value) => wanted.includes(value));

const createSyncRun = async ({ client, random, oneOf, recorder }: Acting): Promise<string> => {
  const ref = { namespace: oneOf(teams) ?? '', name: oneOf(['sync-1', 'sync-2', 'sync-3']) ?? '' };
  const revisionID = random.next() < 0.5 ? {} : { revisionID: 'v2' };
  const made = await client.create(gitOpsDeploymentSyncRuns, {
    apiVersion: 'managed-gitops.redhat.com/v1alpha1',
    kind: 'GitOpsDeploymentSyncRun',
    metadata: ref,
    spec: { gitopsDeploymentName: oneOf(names) ?? '', ...revisionID },
  });
  recorder.made(made);
  return `${ref.namespace}/${ref.name} of ${made.spec?.gitopsDeploymentName} ${made.metadata.uid}`;
};

const removeSyncRun = async (acting: Acting): Promise<string> => {
  const found = await pickOne(acting, gitOpsDeploymentSyncRuns);
  if (!found) return 'nothing';
  acting.recorder.asked(found.metadata.uid ?? '');
  await acting.client.delete(gitOpsDeploymentSyncRuns, refOf(found.metadata));
  return `${found.metadata.namespace}/${found.metadata.name} ${found.metadata.uid}`;
};

const removeNamespace = async (acting: Acting): Promise<string> => {
  const name = acting.oneOf(teams) ?? '';
  for (const resource of [gitOpsDeployments, gitOpsDeploymentSyncRuns, environments, credentials]) {
    const { items } = await acting.client.list<KubeObject>(resource, { namespace: name });
    for (const { metadata } of items) acting.recorder.asked(metadata.uid ?? '');
  }
  await acting.client.delete(namespaces, { name });
  return name;
};

const makeNamespace = async ({ client, oneOf }: Acting): Promise<string> => {
  const name = oneOf(teams) ?? '';
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
};

const inEngine = ({ engineNamespace }: Acting) => ({ namespace: engineNamespace });

const editApplication = async (acting: Acting): Promise<string> => {
  const found = await pickOne<Application>(acting, applications, inEngine(acting));
  if (!found) return 'nothing';
  const body = { spec: { source: { path: 'by-hand' }, syncPolicy: null } };
  await acting.client.patch(applications, refOf(found.metadata), { type: 'merge', body });
  return found.metadata.name;
};

const removeApplication = async (acting: Acting): Promise<string> => {
  const found = await pickOne<Application>(acting, applications, inEngine(acting));
  if (!found) return 'nothing';
  await acting.client.delete(applications, refOf(found.metadata));
  return found.metadata.name;
};

const disturbProject = async (acting: Acting): Promise<string> => {
  const found = await pickOne(acting, appProjects, inEngine(acting));
  if (!found) return 'nothing';
  if (acting.random.next() < 0.5) await acting.client.delete(appProjects, refOf(found.metadata));
  else {
    const body = { spec: { sourceRepos: ['https://git.test/by-hand'] } };
    await acting.client.patch(appProjects, refOf(found.metadata), { type: 'merge', body });
  }
  return found.metadata.name;
};

const actions: readonly Action[] = [
  { name: 'create', weight: 10, run: create },
  { name: 'update', weight: 8, run: update },
  { name: 'annotate', weight: 1, run: annotate },
  { name: 'delete', weight: 4, run: remove },
  { name: 'make again', weight: 4, run: makeAgain },
  { name: 'create sync run', weight: 5, run: createSyncRun },
  { name: 'delete sync run', weight: 2, run: removeSyncRun },
  { name: 'delete namespace', weight: 1, run: removeNamespace },
  { name: 'create namespace', weight: 2, run: makeNamespace },
  { name: 'edit Application', weight: 2, run: editApplication },
  { name: 'delete Application', weight: 2, run: removeApplication },
  { name: 'disturb AppProject', weight: 1, run: disturbProject },
  ...outsideActions,
];

const pick = (random: Random): Action => {
  const total = actions.reduce((sum, action) => sum + action.weight, 0);
  let left = random.next() * total;
  return actions.find((action) => (left -= action.weight) < 0) ?? actions[0]!; // the list is not empty
};
