// The end of a deletion: once what was deployed is gone, the user's finalizer and the note of the removal go too.
import { applications } from '../../api/argocd/application.ts';
import { applicationNameFor, deploymentFinalizer } from '../../api/labels.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import { forgetDeletions } from '../../db/queries/application.ts';
import type { DeletionFacts, DeploymentFacts } from '../../domain/deployment-facts.ts';
import { openOperations } from '../../domain/operation.ts';
import { isNotFound } from '../../kube/status-error.ts';
import type { DeploymentContext } from './context.ts';

/** How a look at the deletions of a lane ended. */
export interface FinishedDeletions {
  /** Those that are still to be completed. */
  readonly deletions: readonly DeletionFacts[];
  /** Operations that nobody waits for any more. */
  readonly settledOperations: readonly string[];
}

/**
 * Finishes the deletions of a lane that are complete: no Operation of the application is open **and** the Application
 * is not there, read live. A `Completed` Operation alone is no proof, and a failed one may have been tried again.
 */
export const finishDeletions = async (
  context: DeploymentContext,
  facts: DeploymentFacts,
): Promise<FinishedDeletions> => {
  const complete: DeletionFacts[] = [];
  for (const deletion of facts.deletions) if (await isComplete(context, facts, deletion)) complete.push(deletion);

  const { deployment } = facts;
  const unfinished = facts.deletions.filter((deletion) => !complete.includes(deletion));
  const held = [...facts.links, ...unfinished].some((one) => one.deploymentUid === deployment?.metadata.uid);
  if (deployment?.metadata.deletionTimestamp && !held) await removeFinalizer(context, deployment);

  if (complete.length > 0)
    await forgetDeletions(
      context.db,
      complete.map((deletion) => deletion.deploymentUid),
    );
  for (const deletion of complete) context.absences.forget(deletion.deploymentUid);
  return {
    deletions: unfinished,
    settledOperations: complete.flatMap((deletion) => deletion.operations.map((operation) => operation.id)),
  };
};

const isComplete = async (
  { client, lost }: DeploymentContext,
  { engine }: DeploymentFacts,
  deletion: DeletionFacts,
): Promise<boolean> => {
  if (openOperations(deletion.operations).length > 0) return false;
  try {
    const ref = { namespace: engine.namespace, name: applicationNameFor(deletion.deploymentUid) };
    await client.get(applications, ref, { signal: lost });
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
};

/** Takes our finalizer, and no other, from a deployment; nothing is sent when it is not there. */
const removeFinalizer = async ({ client, lost }: DeploymentContext, { metadata }: GitOpsDeployment): Promise<void> => {
  const finalizers = metadata.finalizers ?? [];
  if (!finalizers.includes(deploymentFinalizer)) return;
  const { namespace = '', name, resourceVersion, uid } = metadata;
  const kept = finalizers.filter((finalizer) => finalizer !== deploymentFinalizer);
  try {
    await client.patch(
      gitOpsDeployments,
      { namespace, name },
      {
        type: 'merge',
        body: { metadata: { uid, resourceVersion, finalizers: kept.length > 0 ? kept : null } },
        signal: lost,
      },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};
