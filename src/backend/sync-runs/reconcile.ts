// GitOpsDeploymentSyncRuns: gather, plan, apply, say when to look again.
import type { SyncRunFacts } from '../../domain/sync-run-facts.ts';
import { planSyncRun, writesSync } from '../../domain/sync-run-plan.ts';
import { asError } from '../../lib/fault.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { ReconcileResult } from '../../runtime/outcome.ts';
import { laneOf } from '../lane.ts';
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

/** Creates the reconciler of one lane: `<namespaceUid>/sync/<name>`. */
export const createSyncRunReconciler =
  (context: SyncRunContext, steps: SyncRunSteps): Reconcile =>
  async (key, { runId }) => {
    const deployment = deploymentNamed(context, key);
    if (deployment) steps.waits.add(deployment, key);
    const before = await steps.gather(key);
    const { facts, fault } = await makeRows(context, before);
    steps.settled(await steps.status.report({ facts, fault, runId }));
    if (!waits(facts)) steps.waits.remove(key);
    if (facts !== before) wakeNext(steps, before, facts);
    if (fault) throw fault;
    return nextLook(context, facts);
  };

/** The deployment that the lane's sync run names, `<namespace>/<name>`. */
const deploymentNamed = ({ namespaces, syncRuns }: SyncRunContext, key: string): string | undefined => {
  const { namespaceUid, name } = laneOf(key);
  const namespace = namespaces.byUid(namespaceUid)?.metadata.name;
  const syncRun = namespace === undefined ? undefined : syncRuns.get(`${namespace}/${name}`);
  return syncRun && deploymentOfRun(syncRun);
};

/** Makes the rows what they should be. A fault is not thrown yet: the user is told first. */
const makeRows = async (
  context: SyncRunContext,
  facts: SyncRunFacts,
): Promise<Pick<SyncPassEnd, 'facts' | 'fault'>> => {
  let present = facts;
  try {
    if (writesSync(planSyncRun(facts))) {
      present = await applySyncPlan(context, facts);
      planSyncRun(present); // what is still wrong is to be told
    }
    return { facts: present, fault: undefined };
  } catch (error) {
    return { facts: present, fault: asError(error) };
  }
};

/** True for a sync run that is there and has not been ordered. */
const waits = ({ syncRun, links }: SyncRunFacts): boolean =>
  syncRun !== undefined && !links.some(({ syncRunUid }) => syncRunUid === syncRun.metadata.uid);

/** Something was written: nobody waits for what has been removed, and what waits for the same deployments may have its turn. */
const wakeNext = ({ waits: others, settled }: SyncRunSteps, before: SyncRunFacts, after: SyncRunFacts): void => {
  const { namespace, links, syncRun } = before;
  const removed = links.filter((link) => !after.links.some(({ syncId }) => syncId === link.syncId));
  settled(removed.flatMap(({ operations }) => operations.map(({ id }) => id)));
  const named = links.map(({ sync }) => `${namespace?.name ?? ''}/${sync?.deploymentName ?? ''}`);
  for (const deployment of new Set([...named, ...(syncRun ? [deploymentOfRun(syncRun)] : [])])) others.wake(deployment);
};

/** When to look again although nothing changes: at who is missing without proof. */
const nextLook = ({ absences }: SyncRunContext, { links, gone, syncRun }: SyncRunFacts): ReconcileResult => {
  const uid = syncRun?.metadata.uid;
  const missing = links.some(({ syncRunUid }) => syncRunUid !== uid && !gone.has(syncRunUid));
  return missing ? { afterMs: absences.secondLookMs } : undefined;
};
