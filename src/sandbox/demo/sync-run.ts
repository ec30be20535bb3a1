// A chapter of the demo: a manual deployment, which waits until a GitOpsDeploymentSyncRun has it synced.
import {
  gitOpsDeploymentSyncRuns,
  type GitOpsDeploymentSyncRun,
} from '../../api/v1alpha1/gitops-deployment-sync-run.ts';
import type { GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import { applyDeployment, deleteDeployment, disappearance, readDeployment, type Wanted } from './deployment.ts';
import { conditionOf, read, readyMessage, see, type Place, type Stage, type Subject } from './stage.ts';

const SYNC_RUN = 'first-sync';

/** Shows it. */
export const showSyncRun = async (stage: Stage, wanted: Wanted): Promise<void> => {
  const { client, write, namespace } = stage;
  const applied = await applyDeployment(stage, { ...wanted, type: 'manual' });
  const { name, subject } = applied;
  await see(stage, subject, [
    { name: 'it waits', look: async () => waitingMessage(await readDeployment(stage, applied)) },
  ]);

  const place = { namespace, name: SYNC_RUN };
  const readSyncRun = (): Promise<GitOpsDeploymentSyncRun | undefined> => read(client, gitOpsDeploymentSyncRuns, place);
  const syncRun: Subject = { kind: 'GitOpsDeploymentSyncRun', read: readSyncRun };
  await client.create(gitOpsDeploymentSyncRuns, syncRunOf(place, name));
  write('');
  write(`Created GitOpsDeploymentSyncRun ${namespace}/${SYNC_RUN}`);
  await see(stage, syncRun, [
    { name: 'sync run', look: async () => readyMessage(await readSyncRun()) },
    { name: 'status', look: async () => readyMessage(await readDeployment(stage, applied)) },
  ]);

  await client.delete(gitOpsDeploymentSyncRuns, place);
  await deleteDeployment(stage, applied);
  write('');
  write(`Deleted GitOpsDeploymentSyncRun ${namespace}/${SYNC_RUN} and GitOpsDeployment ${namespace}/${name}`);
  await see(stage, subject, disappearance(stage, applied));
};

const syncRunOf = ({ namespace, name }: Place, deploymentName: string): GitOpsDeploymentSyncRun => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeploymentSyncRun',
  metadata: { name, namespace },
  spec: { gitopsDeploymentName: deploymentName },
});

const waitingMessage = (deployment: GitOpsDeployment | undefined): string | undefined => {
  const ready = conditionOf(deployment, 'Ready');
  return ready?.reason === 'WaitingForSyncRun' ? `not Ready: ${ready.message ?? ''}` : undefined;
};
