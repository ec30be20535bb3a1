// The sync run's status, from its rows or what prevented them. One writer.
import { errorOccurred } from '../../api/conditions.ts';
import {
  gitOpsDeploymentSyncRuns,
  type GitOpsDeploymentSyncRun,
} from '../../api/v1alpha1/gitops-deployment-sync-run.ts';
import { isEnded } from '../../domain/operation.ts';
import { wantedSyncConditions, type WantedSyncConditions } from '../../domain/sync-run-conditions.ts';
import type { SyncRunFacts } from '../../domain/sync-run-facts.ts';
import { rfc3339 } from '../../lib/clock.ts';
import { setCondition } from '../../runtime/conditions.ts';
import type { Announce } from '../announce.ts';
import { createStatusWriter, type StatusWriter } from '../status-writer.ts';
import { isStandard, mergeSummary, troubleConditions, type StandardEntry } from '../summary.ts';
import type { SyncRunContext } from './context.ts';

/** What a pass has to tell. */
export interface SyncPassEnd {
  /** As the rows are after the pass. */
  readonly facts: SyncRunFacts;
  /** What the pass ended with, if not with success. */
  readonly fault: Error | undefined;
  readonly runId: string;
}

/** Writes statuses of sync runs. */
export interface SyncStatusReporter extends Pick<StatusWriter<GitOpsDeploymentSyncRun>, 'isEcho' | 'forget'> {
  /** Patches the status where it differs. Returns the Operations that nobody waits for any more. */
  report(end: SyncPassEnd): Promise<readonly string[]>;
  /** As that of deployments: says once of a sync run whose facts can't be read that it has been seen. */
  reportTrouble(syncRun: GitOpsDeploymentSyncRun, trouble: Pick<SyncPassEnd, 'fault' | 'runId'>): Promise<void>;
}

/** Creates the reporter. `standardConditions` adds those; without it they are taken away. */
export const createSyncStatusReporter = (
  context: SyncRunContext & { readonly standardConditions: boolean; readonly announce: Announce },
): SyncStatusReporter => {
  const writer = createStatusWriter({ ...context, resource: gitOpsDeploymentSyncRuns });
  const write = (syncRun: GitOpsDeploymentSyncRun, conditions: readonly StandardEntry[]): Promise<void> =>
    writer.write(syncRun, { conditions }, context.announce);
  return {
    isEcho: writer.isEcho,
    forget: writer.forget,
    async report({ facts, fault, runId }) {
      const { syncRun } = facts;
      if (!syncRun) return [];
      const link = facts.links.find((one) => one.syncRunUid === syncRun.metadata.uid);
      const wanted = wantedSyncConditions({ syncRun, link, fault, runId });
      const { standardConditions: standard } = context;
      await write(syncRun, merge(syncRun, wanted, { standard, nowText: rfc3339(context.clock.now()) }));
      if (!link?.sync?.endedAt) return [];
      return link.operations.filter(({ ours, state }) => ours && isEnded(state)).map(({ id }) => id);
    },
    async reportTrouble(syncRun, trouble) {
      if (!context.standardConditions) return;
      const when = { nowText: rfc3339(context.clock.now()), untold: '' };
      const conditions = troubleConditions(syncRun, trouble, when);
      if (conditions) await write(syncRun, conditions);
    },
  };
};

const merge = (
  { status, metadata }: GitOpsDeploymentSyncRun,
  { error, summary }: WantedSyncConditions,
  { standard, nowText }: { readonly standard: boolean; readonly nowText: string },
): readonly StandardEntry[] => {
  const told = mergeError(status?.conditions ?? [], error, nowText);
  return standard
    ? mergeSummary(told, summary, { nowText, generation: metadata.generation ?? 0, untold: '' })
    : told.filter(({ type }) => !isStandard(type));
};

/** While it is not known whether there is an error, one that was shown is over, and none is denied. */
const mergeError = (
  present: readonly StandardEntry[],
  error: string | undefined,
  nowText: string,
): readonly StandardEntry[] => {
  if (error === undefined && !present.some(({ type }) => type === errorOccurred)) return present;
  const next = error
    ? { type: errorOccurred, status: 'True', reason: errorOccurred, message: error }
    : { type: errorOccurred, status: 'False', reason: '', message: '' };
  return setCondition(present, next, { nowText, transition: 'content' });
};
