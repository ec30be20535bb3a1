// What several scenarios wait for. Each throws with what it saw instead, so that a wait that ends in vain says so.
import { applications } from '../../src/api/argocd/application.ts';
import { refreshAnnotation } from '../../src/api/labels.ts';
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { GitOpsDeploymentSyncRun } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { syncConditionOf } from '../kit/sync-runs.ts';
import { eventually } from '../kit/eventually.ts';
import { client, type Team } from './scenario.ts';

/** What a deployment has to have come to. */
export interface Wanted {
  readonly name?: string;
  /** What was compared last. */
  readonly path?: string;
  /** The commit that is there. */
  readonly revision?: string;
  /** Where it is deployed. */
  readonly environment?: string;
}

/** Synced and Healthy, and at what is wanted. */
export const isDone = async (
  team: Team,
  { name, path, revision, environment }: Wanted = {},
): Promise<GitOpsDeployment> => {
  const deployment = await team.get(name);
  const { sync, health, reconciledState } = deployment?.status ?? {};
  const fits =
    sync?.status === 'Synced' &&
    health?.status === 'Healthy' &&
    (environment === undefined || reconciledState?.destination.name === environment) &&
    (path === undefined || reconciledState?.source.path === path) &&
    (revision === undefined || sync.revision === revision);
  if (!deployment || !fits) throw new Error(JSON.stringify(deployment?.status));
  return deployment;
};

/** There is no such deployment any more. */
export const isGone = async (team: Team, name?: string): Promise<true> => {
  const deployment = await team.get(name);
  if (deployment) throw new Error(JSON.stringify(deployment));
  return true;
};

/** The messages of the conditions that tell of trouble, Argo CD's and ours. */
export const troubles = (deployment: GitOpsDeployment): string[] =>
  (deployment.status?.conditions ?? [])
    .filter(({ type, status }) => /Error/.test(type) && status === 'True')
    .map(({ message }) => message ?? '');

/** A condition that tells of trouble has this in its message. */
export const hasError = async (team: Team, text: RegExp, name?: string): Promise<GitOpsDeployment> => {
  const deployment = await team.get(name);
  if (!deployment || !troubles(deployment).some((message) => text.test(message))) {
    throw new Error(JSON.stringify(deployment?.status));
  }
  return deployment;
};

/** One of its conditions says so, whatever its type. */
export const says = async (team: Team, text: RegExp, name?: string): Promise<GitOpsDeployment> => {
  const deployment = await team.get(name);
  if (!deployment?.status?.conditions?.some(({ message }) => text.test(message ?? ''))) {
    throw new Error(JSON.stringify(deployment?.status));
  }
  return deployment;
};

/** The sync run's condition has this reason. */
export const syncIs = async (team: Team, reason: string, name?: string): Promise<GitOpsDeploymentSyncRun> => {
  const syncRun = await team.syncRun(name);
  if (!syncRun || syncConditionOf(syncRun, 'Ready')?.reason !== reason) {
    throw new Error(JSON.stringify(syncRun?.status));
  }
  return syncRun;
};

/** Has Argo CD look at the repository, as a webhook of the Git server would, and waits until it has. */
export const hasBeenRefreshed = async (team: Team): Promise<boolean> => {
  const deployment = await team.get();
  const application = deployment && (await team.application(deployment));
  if (!application) throw new Error('no Application');
  const { namespace = '', name } = application.metadata;
  const body = { metadata: { annotations: { [refreshAnnotation]: 'normal' } } };
  await client.patch(applications, { namespace, name }, { type: 'merge', body });
  return eventually('the annotation is gone', async () => {
    const { metadata } = await client.get(applications, { namespace, name });
    return metadata.annotations?.[refreshAnnotation] === undefined;
  });
};
