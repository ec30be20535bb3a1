// Decides what the rows of one sync run should be. Pure: facts in, plan out; what the team has to mend is thrown.
import { syncRunMessages, unknownError } from '../api/messages.ts';
import { userFault, waitingFault } from '../api/reasons.ts';
import { deploymentSpec } from '../api/v1alpha1/gitops-deployment.ts';
import { syncRunSpec, type GitOpsDeploymentSyncRun } from '../api/v1alpha1/gitops-deployment-sync-run.ts';
import { isEnded, openOperations } from './operation.ts';
import type { SyncFacts, SyncLink, SyncRunFacts, SyncTarget } from './sync-run-facts.ts';
import { validateSyncRun } from './validate-sync-run.ts';
import { assertNamespaceStays } from './turn.ts';

/** A sync to be ordered. */
export interface SyncOrder {
  readonly syncRunUid: string;
  readonly deploymentName: string;
  readonly revision: string;
  readonly target: SyncTarget;
}

/** A sync whose end is to be noted. */
export interface SyncEnd {
  readonly link: SyncLink;
  /** '' when it did not fail. */
  readonly error: string;
}

/** What apply has to bring about. */
export interface SyncRunPlan {
  /** Links of sync runs that are gone, with nothing left to end. */
  readonly remove: readonly SyncLink[];
  /** Links of sync runs that are gone, whose syncs may still run. */
  readonly terminate: readonly SyncLink[];
  readonly end: SyncEnd | undefined;
  readonly order: SyncOrder | undefined;
}

/** True when the plan has something to write. */
export const writesSync = (plan: SyncRunPlan): boolean =>
  plan.remove.length > 0 || plan.terminate.length > 0 || plan.end !== undefined || plan.order !== undefined;

/** Who comes before wakes this; it catches what that misses. */
const TURN_LOOK_MS = 60_000;

/**
 * The plan for one sync run. What is proven to be gone is ended and removed before anything else; one made again under
 * the same name waits for that.
 * @throws Fault('user') on a bad or a changed spec, Fault('waiting') when it is not this sync run's turn.
 */
export const planSyncRun = (facts: SyncRunFacts): SyncRunPlan => {
  const gone = facts.links.filter((link) => facts.gone.has(link.syncRunUid));
  const remove = gone.filter(isOver);
  const terminate = gone.filter((link) => !remove.includes(link) && isToBeEnded(link));
  const nothing: SyncRunPlan = { remove, terminate, end: undefined, order: undefined };
  const { syncRun } = facts;
  if (remove.length > 0 || terminate.length > 0 || !syncRun || syncRun.metadata.deletionTimestamp) return nothing;
  const link = facts.links.find((one) => one.syncRunUid === syncRun.metadata.uid);
  if (!link) return { ...nothing, order: planOrder(facts, syncRun) };
  const end = endOf(link);
  if (!end) assertUnchanged(facts, syncRun, link.sync);
  return { ...nothing, end };
};

/** True when nothing of a link can run any more. */
const isOver = ({ sync, operations }: SyncLink): boolean => {
  if (!sync || sync.applicationId === null) return true;
  if (openOperations(operations).length > 0) return false;
  return sync.endedAt !== null || (hasEnded(operations) && sync.desiredState !== 'Running') || sync.instanceId === null;
};

/** True unless the agent has been told already. */
const isToBeEnded = ({ sync, operations }: SyncLink): boolean =>
  sync?.desiredState === 'Running' || operations.length === 0;

const hasEnded = (operations: SyncLink['operations']): boolean => operations.some(({ state }) => isEnded(state));

/** The end of a sync that nobody has noted yet. One without any Operation is over: whoever ordered it cleaned up. */
const endOf = (link: SyncLink): SyncEnd | undefined => {
  const { sync, operations } = link;
  if (!sync || sync.endedAt !== null || openOperations(operations).length > 0) return undefined;
  const last = operations.findLast(({ state }) => isEnded(state));
  return { link, error: last?.state === 'Failed' ? last.message || unknownError : '' };
};

/**
 * A sync run is an order for one sync: another one needs another sync run. A change is judged as the order was, by the
 * deployment first.
 */
const assertUnchanged = (facts: SyncRunFacts, syncRun: GitOpsDeploymentSyncRun, sync: SyncFacts | undefined): void => {
  const { gitopsDeploymentName, revisionID } = syncRunSpec(syncRun);
  if (!sync || (sync.deploymentName === gitopsDeploymentName && sync.revision === revisionID)) return;
  if (!facts.deployment)
    throw userFault('DeploymentNotFound', syncRunMessages.deploymentNotFound(gitopsDeploymentName));
  assertManual(facts, syncRun);
  throw sync.deploymentName === gitopsDeploymentName
    ? userFault('SyncRunImmutable', syncRunMessages.revisionImmutable)
    : userFault('SyncRunImmutable', syncRunMessages.deploymentNameImmutable);
};

const assertManual = ({ deployment }: SyncRunFacts, syncRun: GitOpsDeploymentSyncRun): void => {
  if (deployment && !isManual(deploymentSpec(deployment).type)) {
    throw userFault('SyncNotManual', syncRunMessages.notManual(syncRun.metadata.name));
  }
};

const isManual = (type: string): boolean => type.toLowerCase() === 'manual';

const planOrder = (facts: SyncRunFacts, syncRun: GitOpsDeploymentSyncRun): SyncOrder => {
  const fault = validateSyncRun(syncRun);
  if (fault) throw fault;
  const { gitopsDeploymentName: deploymentName, revisionID: revision } = syncRunSpec(syncRun);
  assertNamespaceStays(facts.namespace);
  const { target } = facts;
  if (!facts.deployment) {
    throw waitingFault('WaitingForDeployment', `waiting for GitOpsDeployment '${deploymentName}' to be created`);
  }
  assertManual(facts, syncRun);
  if (!target || facts.userId === undefined) {
    const message = `waiting for GitOpsDeployment '${deploymentName}' to be deployed`;
    throw waitingFault('WaitingForDeployment', message, TURN_LOOK_MS);
  }
  if (!facts.isCurrent) throw waitingFault('WaitingForDeployment', syncRunMessages.changePending(deploymentName));
  if (facts.links.length > 0) {
    throw waitingFault(
      'WaitingForTurn',
      'waiting until the sync of the previous GitOpsDeploymentSyncRun of this name has ended',
      TURN_LOOK_MS,
    );
  }
  if (target.busy || facts.earlierWaits) {
    throw waitingFault(
      'WaitingForTurn',
      `waiting for an earlier GitOpsDeploymentSyncRun of GitOpsDeployment '${deploymentName}' to end`,
      TURN_LOOK_MS,
    );
  }
  return { syncRunUid: syncRun.metadata.uid ?? '', deploymentName, revision, target };
};
