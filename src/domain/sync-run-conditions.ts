// Which conditions a sync run should have. Pure.
import { unknownError } from '../api/messages.ts';
import type { Reason } from '../api/reasons.ts';
import { syncRunSpec, type GitOpsDeploymentSyncRun } from '../api/v1alpha1/gitops-deployment-sync-run.ts';
import { isFault } from '../lib/fault.ts';
import { reconciling, stalled, troubleSummary, type Summary } from './summary.ts';
import type { SyncLink } from './sync-run-facts.ts';
import { openOperations } from './operation.ts';

/** What the conditions are made from. */
export interface SyncConditionInput {
  readonly syncRun: GitOpsDeploymentSyncRun;
  /** Its rows after the pass; undefined when it has not been ordered. */
  readonly link: SyncLink | undefined;
  /** What ended the pass, if something did, and the pass's id. */
  readonly fault: unknown;
  readonly runId: string;
}

/** What the conditions should say. */
export interface WantedSyncConditions {
  /** The error; '' when it is known that there is none; undefined when that is not known yet. */
  readonly error: string | undefined;
  readonly summary: Summary;
}

/** The conditions for one sync run. */
export const wantedSyncConditions = (input: SyncConditionInput): WantedSyncConditions => ({
  error: errorOf(input),
  summary: summarize(input),
});

const errorOf = ({ fault, link }: SyncConditionInput): string | undefined => {
  if (isFault(fault, 'user')) return fault.message;
  if (fault !== undefined && !isFault(fault, 'waiting')) return unknownError;
  return link?.sync?.endedAt ? (link.sync.error ?? '') : undefined;
};

const summarize = ({ syncRun, link, fault, runId }: SyncConditionInput): Summary => {
  if (syncRun.metadata.deletionTimestamp) return deletionSummary(syncRun, link);
  if (isFault(fault, 'user')) return stalled(fault.reason, fault.message);
  if (fault !== undefined) return troubleSummary({ fault, runId });
  if (!link?.sync?.endedAt) return runningSummary(link);
  if (link.sync.error) return stalled('SyncFailed' satisfies Reason, link.sync.error);
  return { holds: 'Ready', reason: 'SyncSucceeded', message: `synced to ${revisionText(syncRun)}` };
};

const revisionText = (syncRun: GitOpsDeploymentSyncRun): string =>
  syncRunSpec(syncRun).revisionID || 'the target revision of the GitOpsDeployment';

const runningSummary = (link: SyncLink | undefined, otherwise = 'the sync has been ordered'): Summary => {
  const said = openOperations(link?.operations ?? []).findLast(({ message }) => message !== '')?.message;
  return said
    ? reconciling('WaitingForArgoCD' satisfies Reason, said)
    : reconciling('Syncing' satisfies Reason, otherwise);
};

const deletionSummary = ({ metadata }: GitOpsDeploymentSyncRun, link: SyncLink | undefined): Summary =>
  link
    ? runningSummary(link, 'the sync is being ended')
    : reconciling(
        'DeletionBlocked' satisfies Reason,
        `nothing of the sync is left to end; the object itself waits for its finalizers ${(metadata.finalizers ?? []).join(', ')}`,
      );
