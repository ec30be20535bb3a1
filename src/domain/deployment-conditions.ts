// Which conditions a deployment should have: one line of a table decides the standard three. Pure.
import { errorOccurred } from '../api/conditions.ts';
import { deploymentFinalizer, syncInfoName } from '../api/labels.ts';
import { unknownError } from '../api/messages.ts';
import type { Reason } from '../api/reasons.ts';
import { deploymentSpec, type GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';
import { isFault } from '../lib/fault.ts';
import { isAutomated } from './argocd-application.ts';
import type { StoredStatus } from './application-status.ts';
import type { OperationFacts } from './deployment-facts.ts';
import { excerpt } from './excerpt.ts';
import { openOperations, standingFailure } from './operation.ts';
import type { DesiredApplication } from './spec-field.ts';
import { reconciling, stalled, troubleSummary, type Summary } from './summary.ts';

/** What the conditions are made from. */
export interface ConditionInput {
  readonly deployment: GitOpsDeployment;
  /** What Argo CD last reported; undefined before the first report. */
  readonly stored: StoredStatus | undefined;
  /** The Application the rows ask for; undefined when the plan failed. */
  readonly desired: DesiredApplication | undefined;
  /** The environment's row id in `comparedTo` for `desired`. */
  readonly destinationId: string;
  readonly operations: readonly OperationFacts[];
  /** Of a deployment that is being deleted: whether what it deployed is gone. */
  readonly removal: 'pending' | 'done';
  /** True when this pass has just told the agent something. */
  readonly told: boolean;
  /** What ended the pass, if something did, and the pass's id. */
  readonly fault: unknown;
  readonly runId: string;
}

/** A condition that should be there. */
export interface WantedCondition {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** The conditions that should hold: Argo CD's and ours are True when listed; of the standard three, `summary` decides. */
export interface WantedConditions {
  readonly errors: readonly WantedCondition[];
  readonly summary: Summary;
}

/** A sync that has been tried again this often won't mend itself. */
const STALLED_AFTER_RETRIES = 5;

/** The conditions for one deployment. */
export const wantedConditions = (input: ConditionInput): WantedConditions => ({
  errors: [...ownError(input), ...argoErrors(input.stored)],
  summary: summarize(input),
});

const ownError = (input: ConditionInput): readonly WantedCondition[] => {
  const message = standingFailure(input.operations)?.message ?? faultMessage(input.fault);
  return message === undefined ? [] : [{ type: errorOccurred, reason: errorOccurred, message }];
};

/** What the team reads of a fault: its own words where they were meant for it. Waiting is no error. */
const faultMessage = (fault: unknown): string | undefined => {
  if (fault === undefined || isFault(fault, 'waiting')) return undefined;
  return isFault(fault, 'user') ? fault.message : unknownError;
};

/** Argo CD's conditions; of several with one type the last counts, as it always did. */
const argoErrors = (stored: StoredStatus | undefined): readonly WantedCondition[] => [
  ...new Map((stored?.conditions ?? []).map(({ type, message }) => [type, { type, reason: type, message }])).values(),
];

type Rule = (input: ConditionInput) => Summary | undefined;

const notReady = (reason: Reason, message: string): Summary => ({ holds: undefined, reason, message });

const isRunning = (phase: string): boolean => phase === 'Running' || phase === 'Terminating';

const userFaultStalls: Rule = ({ fault }) =>
  isFault(fault, 'user') ? stalled(fault.reason, fault.message) : undefined;

const failedOperationStalls: Rule = ({ operations, told }) => {
  const failure = told ? undefined : standingFailure(operations);
  if (!failure || openOperations(operations).length > 0) return undefined;
  return stalled('OperationFailed' satisfies Reason, failure.message);
};

const argoErrorStalls: Rule = ({ stored }) => {
  const error = stored?.conditions.findLast((condition) => condition.type.endsWith('Error'));
  return error && stalled(error.type, error.message);
};

const failedSyncStalls: Rule = ({ stored, desired }) => {
  const state = stored?.operationState;
  if (state?.phase === 'Failed' || state?.phase === 'Error') {
    const isMoot = isOfOtherSource(state, desired) || isOnlyItsSyncRuns(state, stored);
    return isMoot ? undefined : stalled('SyncFailed', failureText(state));
  }
  if (state && isRunning(state.phase) && state.retryCount >= STALLED_AFTER_RETRIES) {
    return stalled('SyncRetrying' satisfies Reason, retryText(state));
  }
  return undefined;
};

type OperationState = NonNullable<StoredStatus['operationState']>;

/** True for a sync of what the deployment no longer asks for. */
const isOfOtherSource = ({ syncResult }: OperationState, desired: DesiredApplication | undefined): boolean => {
  const source = syncResult?.source;
  return (
    source !== undefined && source.repoURL !== '' && desired !== undefined && !isSameSource(source, desired.source)
  );
};

/** Argo CD's words of a sync that was ended by order. */
const terminated = 'Operation terminated';

/**
 * True for the failure of a sync run that leaves nothing to mend: it was ended by order, or the deployment is as it should
 * be all the same. The sync run tells of it.
 */
const isOnlyItsSyncRuns = ({ operation, message }: OperationState, stored: StoredStatus | undefined): boolean =>
  operation.info.some(({ name }) => name === syncInfoName) &&
  (message === terminated || (stored?.sync.status === 'Synced' && stored.health.status === 'Healthy'));

const openOperationReconciles: Rule = ({ deployment, operations, told }) => {
  const open = openOperations(operations);
  if (!told && open.length === 0) return undefined;
  const said = open.findLast((operation) => operation.message !== '')?.message;
  const deleting = deployment.metadata.deletionTimestamp !== undefined;
  if (said) return reconciling((deleting ? 'DeletionBlocked' : 'WaitingForArgoCD') satisfies Reason, said);
  return reconciling(
    'OperationPending' satisfies Reason,
    deleting ? 'what was deployed is being deleted' : 'waiting for the agent to carry out the change',
  );
};

const deletionReconciles: Rule = ({ deployment: { metadata }, removal }) => {
  if (metadata.deletionTimestamp === undefined) return undefined;
  if (removal === 'pending')
    return reconciling('OperationPending' satisfies Reason, 'what was deployed is being deleted');
  const finalizers = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== deploymentFinalizer);
  return reconciling(
    'DeletionBlocked' satisfies Reason,
    `everything that was deployed is gone; the object itself waits for its finalizers ${finalizers.join(', ')}`,
  );
};

const faultReconciles: Rule = (input) => (input.fault === undefined ? undefined : troubleSummary(input));

const syncReconciles: Rule = ({ stored }) => {
  const state = stored?.operationState;
  if (!state || !isRunning(state.phase)) return undefined;
  return state.retryCount > 0
    ? reconciling('SyncRetrying' satisfies Reason, retryText(state))
    : reconciling('Progressing' satisfies Reason, state.message || 'a sync is running');
};

const outdatedReconciles: Rule = ({ stored, desired, destinationId }) =>
  stored && desired && comparedToIs(stored, desired, destinationId)
    ? undefined
    : reconciling(
        'WaitingForArgoCD' satisfies Reason,
        'waiting for Argo CD to compare the cluster with the repository',
      );

type Source = DesiredApplication['source'];

const isSameSource = (one: Source, other: Source): boolean =>
  one.repoURL === other.repoURL && one.path === other.path && one.targetRevision === other.targetRevision;

const comparedToIs = (stored: StoredStatus, desired: DesiredApplication, destinationId: string): boolean => {
  const { source, destination } = stored.sync.comparedTo;
  return (
    isSameSource(source, desired.source) &&
    destination.namespace === desired.destination.namespace &&
    destination.name === destinationId
  );
};

const manualWaits: Rule = ({ deployment, stored }) =>
  stored?.sync.status === 'OutOfSync' && !isAutomated(deploymentSpec(deployment))
    ? notReady('WaitingForSyncRun', 'the cluster differs from the repository; create a GitOpsDeploymentSyncRun to sync')
    : undefined;

const syncedAndHealthy: Rule = ({ stored }) =>
  stored?.sync.status === 'Synced' && stored.health.status === 'Healthy'
    ? {
        holds: 'Ready',
        reason: 'Ready',
        message: `synced to ${stored.sync.revision.slice(0, 12)} and healthy`,
      }
    : undefined;

const unhealthy: Rule = ({ stored }) => {
  const status = stored?.health.status;
  if (status !== 'Degraded' && status !== 'Suspended') return undefined;
  const first = stored?.resources.find((resource) => resource.health?.status === status);
  const named = first
    ? `: ${first.kind} ${first.name}${first.health?.message ? ` (${first.health.message})` : ''}`
    : '';
  return notReady(status, `synced, but ${status.toLowerCase()}${named}`);
};

const rules: readonly Rule[] = [
  userFaultStalls,
  failedOperationStalls,
  argoErrorStalls,
  failedSyncStalls,
  openOperationReconciles,
  deletionReconciles,
  faultReconciles,
  syncReconciles,
  outdatedReconciles,
  manualWaits,
  syncedAndHealthy,
  unhealthy,
];

/** The first rule that fits decides; what fits none is on its way. */
const summarize = (input: ConditionInput): Summary => {
  for (const rule of rules) {
    const summary = rule(input);
    if (summary) return summary;
  }
  const { sync, health } = input.stored ?? { sync: { status: '' }, health: { status: '' } };
  return reconciling(
    'Progressing' satisfies Reason,
    `sync ${sync.status || 'Unknown'}, health ${health.status || 'Unknown'}`,
  );
};

const retryText = (state: OperationState): string =>
  `the sync failed and is being tried again (${state.retryCount} ${state.retryCount === 1 ? 'time' : 'times'} so far): ${failureText(state)}`;

/** Argo CD's words of a failure. Where these name no cause, those about the first object that failed do. */
const failureText = ({ message, syncResult }: OperationState): string => {
  const failed = syncResult?.resources.find(({ status, message: said }) => status === 'SyncFailed' && said !== '');
  if (!failed || message.includes(failed.message)) return message;
  return `${message} (${failed.kind} ${failed.name}: ${excerpt(failed.message.replace(/\s+/g, ' '))})`;
};
