// Whether an Application is synced by itself now. Pure; the rules and texts are those of Argo CD's controller.
import { isEqualJson } from '../../kube/patch.ts';
import { parseTime } from '../../lib/clock.ts';
import { at } from './fields.ts';
import type { Application, ApplicationSource, Condition, Operation, ResourceStatus, SyncCode } from './shapes.ts';

/** What the decision is made from: the last comparison, the time, and how long self-heal leaves a finished sync alone. */
export interface AutoSyncFacts {
  readonly sync: SyncCode;
  readonly revision: string;
  readonly resources: readonly ResourceStatus[];
  readonly nowMs: number;
  readonly selfHealAfterMs: number;
}

/** An operation to start, a condition to show, a time to look again, or nothing. */
export interface AutoSyncDecision {
  readonly operation?: Operation;
  readonly condition?: Condition;
  readonly afterMs?: number;
}

const automatedOf = (application: Application) => {
  const automated = application.spec.syncPolicy?.automated;
  return automated && at(automated, 'enabled') !== false ? automated : undefined;
};

/** HEAD and main may be the same commit: the revision's name is no difference. */
const isSameSource = (left: ApplicationSource | undefined, right: ApplicationSource | undefined): boolean =>
  isEqualJson({ ...left, targetRevision: '' }, { ...right, targetRevision: '' });

/** How the last sync of this very commit and source ended, or undefined when there was none. */
const lastAttempt = (application: Application, revision: string): string | undefined => {
  const state = application.status?.operationState;
  const result = state?.syncResult;
  if (!state?.operation.sync || result?.revision !== revision) return undefined;
  return isSameSource(application.spec.source, result.source) ? state.phase : undefined;
};

const operationFor = (application: Application, revision: string): Operation => {
  const { syncPolicy, source } = application.spec;
  return {
    sync: {
      revision,
      ...(source ? { source } : {}),
      prune: syncPolicy?.automated?.prune ?? false,
      ...(syncPolicy?.syncOptions ? { syncOptions: syncPolicy.syncOptions } : {}),
    },
    initiatedBy: { automated: true },
    retry: syncPolicy?.retry ?? { limit: 5 },
  };
};

const syncError = (message: string): AutoSyncDecision => ({ condition: { type: 'SyncError', message } });

const selfHeal = (application: Application, facts: AutoSyncFacts): AutoSyncDecision => {
  const endedMs = parseTime(application.status?.operationState?.finishedAt) ?? 0;
  const waitMs = endedMs + facts.selfHealAfterMs - facts.nowMs;
  if (waitMs > 0) return { afterMs: waitMs };
  const operation = operationFor(application, facts.revision);
  const resources = facts.resources
    .filter(({ status, hook }) => status !== 'Synced' && !hook)
    .map(({ group, kind = '', name = '', namespace }) => ({
      ...(group ? { group } : {}),
      kind,
      name,
      ...(namespace ? { namespace } : {}),
    }));
  return { operation: { ...operation, sync: { ...operation.sync, resources } } };
};

/**
 * Automated sync is tried once for each commit and source, unless self-heal is on and the last try succeeded. It never
 * prunes the last object by itself unless `allowEmpty` says so.
 */
export const decideAutoSync = (application: Application, facts: AutoSyncFacts): AutoSyncDecision => {
  const automated = automatedOf(application);
  if (!automated || application.operation || application.metadata.deletionTimestamp) return {};
  if (facts.sync !== 'OutOfSync') return {};
  const prune = automated.prune ?? false;
  const behind = facts.resources.filter(({ status }) => status !== 'Synced');
  if (!prune && behind.every(({ requiresPruning }) => requiresPruning)) return {};
  const attempt = lastAttempt(application, facts.revision);
  if (attempt && attempt !== 'Succeeded')
    return syncError(`Failed sync attempt to ${facts.revision}: ${application.status?.operationState?.message ?? ''}`);
  if (attempt && !automated.selfHeal) return {};
  if (prune && !automated.allowEmpty && facts.resources.every(({ requiresPruning }) => requiresPruning))
    return syncError(`Skipping sync attempt to ${facts.revision}: auto-sync will wipe out all resources`);
  return attempt ? selfHeal(application, facts) : { operation: operationFor(application, facts.revision) };
};
