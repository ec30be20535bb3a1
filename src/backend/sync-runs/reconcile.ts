// GitOpsDeploymentSyncRuns: gather, plan, apply, say when to look again.
import { syncRunMessages } from '../../api/messages.ts';
import { waitingFault } from '../../api/reasons.ts';
import { gitOpsDeployments } from '../../api/v1alpha1/gitops-deployment.ts';
import type { SyncRunFacts } from '../../domain/sync-run-facts.ts';
import { planSyncRun, writesSync } from '../../domain/sync-run-plan.ts';
import { asError } from '../../lib/fault.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { ReconcileResult } from '../../runtime/outcome.ts';
import { cachedObject, gatherOrTell } from '../gather-or-tell.ts';
import { readObject } from '../identity.ts';
import { applySyncPlan } from './apply.ts';
import { deploymentOfRun, type SyncRunContext } from './context.ts';
import type { GatherSyncRun } from './gather.ts';
import type { SyncPassEnd, SyncStatusReporter } from './status.ts';
import type { SyncRunWaits } from './waits.ts';

/** The steps of the reconciler that hold something between passes. */
export interface SyncRunSteps {
  readonly gather: GatherSyncRun;
  readonly status: SyncStatusReporter;
  readonly waits: SyncRunWaits;
  /** Takes Operations that nobody waits for any more. */
  readonly settled: (operationIds: readonly string[]) => void;
}

/** The deployment's own event wakes the lane; this catches what that misses. */
const NEWEST_AGAIN_MS = 1_000;

/** Creates the reconciler of one lane: `<namespaceUid>/sync/<name>`. */
export const createSyncRunReconciler =
  (context: SyncRunContext, steps: SyncRunSteps): Reconcile =>
  async (key, { runId }) => {
    const object = () => cachedObject(context.namespaces, context.syncRuns, key);
    const cached = object();
    if (cached) steps.waits.add(deploymentOfRun(cached), key);
    const before = await gatherOrTell(steps, { key, runId, object });
    const { facts, fault } = await makeRows(context, before);
    if (!isUnordered(facts) && !fault) steps.waits.remove(key);
    if (facts !== before) wakeNext(steps, before, facts);
    steps.settled(await steps.status.report({ facts, fault, runId }));
    if (fault) throw fault;
    return nextLook(context, facts);
  };

/** Makes the rows what they should be. A fault is not thrown yet: the user is told first. */
const makeRows = async (
  context: SyncRunContext,
  facts: SyncRunFacts,
): Promise<Pick<SyncPassEnd, 'facts' | 'fault'>> => {
  let present = facts;
  try {
    present = await carryOut(context, facts);
    // What came before is out of the way now; what is still wrong is thrown, to be told.
    if (present !== facts && planSyncRun(present).order) present = await carryOut(context, present);
    return { facts: present, fault: undefined };
  } catch (error) {
    return { facts: present, fault: asError(error) };
  }
};

const carryOut = async (context: SyncRunContext, facts: SyncRunFacts): Promise<SyncRunFacts> => {
  const plan = planSyncRun(facts);
  if (!writesSync(plan)) return facts;
  if (plan.order) await assertNewest(context, facts);
  return applySyncPlan(context, facts);
};

/** Before a sync is ordered: both kinds are watched apart, and the deployment's watch may be the one that lags. */
const assertNewest = async (context: SyncRunContext, { deployment }: SyncRunFacts): Promise<void> => {
  if (!deployment) return;
  const { namespace = '', name, uid, generation } = deployment.metadata;
  const newest = await readObject({ ...context, resource: gitOpsDeployments }, { namespace, name });
  if (newest && newest.metadata.uid === uid && newest.metadata.generation === generation) return;
  throw waitingFault('StaleCache', syncRunMessages.changePending(name), NEWEST_AGAIN_MS);
};

/** True for a sync run that is there and has not been ordered. */
const isUnordered = ({ syncRun, links }: SyncRunFacts): boolean =>
  syncRun !== undefined && !links.some(({ syncRunUid }) => syncRunUid === syncRun.metadata.uid);

/** Something was written: nobody waits for what has been removed, and who is next may have its turn. */
const wakeNext = ({ waits, settled }: SyncRunSteps, before: SyncRunFacts, after: SyncRunFacts): void => {
  const { namespace, links, syncRun } = before;
  const removed = links.filter((link) => !after.links.some(({ syncId }) => syncId === link.syncId));
  settled(removed.flatMap(({ operations }) => operations.map(({ id }) => id)));
  const named = links.map(({ sync }) => `${namespace?.name ?? ''}/${sync?.deploymentName ?? ''}`);
  for (const deployment of new Set([...named, ...(syncRun ? [deploymentOfRun(syncRun)] : [])]))
    waits.wakeNext(deployment);
};

/** When to look again although nothing changes: at who is missing without proof. */
const nextLook = ({ absences }: SyncRunContext, { links, gone, syncRun }: SyncRunFacts): ReconcileResult => {
  const uid = syncRun?.metadata.uid;
  const missing = links.some(({ syncRunUid }) => syncRunUid !== uid && !gone.has(syncRunUid));
  return missing ? { afterMs: absences.secondLookMs } : undefined;
};
