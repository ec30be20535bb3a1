// Makes the rows what the plan says, together with the Operation that tells the agent, in one transaction.
import {
  endSyncOperation,
  insertSyncOperation,
  removeSyncOperation,
  terminateSyncOperation,
} from '../../db/queries/sync-operation.ts';
import type { SyncLink, SyncRunFacts } from '../../domain/sync-run-facts.ts';
import { planSyncRun, writesSync, type SyncOrder } from '../../domain/sync-run-plan.ts';
import { utcText } from '../../lib/clock.ts';
import { lockTenantOf, tellAgent, type TenantWork } from '../tenant.ts';
import type { SyncRunContext } from './context.ts';
import { gatherSyncRunAgain } from './gather.ts';

/** An open transaction that holds the tenant's lock, and what was read under it. */
interface Work extends TenantWork {
  readonly facts: SyncRunFacts;
}

/**
 * Carries out the plan for `facts`: locks the tenant, reads the rows again, plans again, writes what differs. Two sync
 * runs of one deployment meet at the lock, so that only one of them finds that it is its turn.
 * @returns the facts as the rows now have them.
 * @throws what planning throws, with nothing written.
 */
export const applySyncPlan = async (context: SyncRunContext, facts: SyncRunFacts): Promise<SyncRunFacts> => {
  const { db, random, clock, lost } = context;
  const now = utcText(clock.now());
  const { removed, after } = await db.transaction('sync-run-apply', async (tx) => {
    const userId = await lockTenantOf(tx, facts, { random, now });
    const locked = await gatherSyncRunAgain(context, tx, facts);
    const plan = planSyncRun(locked);
    if (!writesSync(plan)) return { removed: [], after: locked };
    const work: Work = { tx, facts: locked, userId, random, now };
    for (const link of plan.remove) await removeSyncOperation(tx, link.syncId);
    for (const link of plan.terminate) await terminate(work, link);
    if (plan.end) await endSyncOperation(tx, { id: plan.end.link.syncId, error: plan.end.error, now });
    if (plan.order) await order(work, plan.order);
    lost.throwIfAborted(); // then this is rolled back: whoever works now may have planned from something newer
    return { removed: plan.remove, after: await gatherSyncRunAgain(context, tx, locked) };
  });
  for (const link of removed) context.absences.forget(link.syncRunUid);
  return after;
};

const order = async (work: Work, { deploymentName, revision, syncRunUid, target }: SyncOrder): Promise<void> => {
  const { tx, facts, random, now } = work;
  const id = random.uuid();
  await insertSyncOperation(tx, {
    id,
    ...target,
    deploymentName,
    revision,
    syncRunUid,
    syncRunName: facts.name,
    namespace: facts.namespace?.name ?? '',
    namespaceUid: facts.namespaceUid,
    now,
  });
  await tellAgent(work, { type: 'SyncOperation', resourceId: id, instanceId: target.instanceId });
};

const terminate = async (work: Work, { syncId, sync }: SyncLink): Promise<void> => {
  await terminateSyncOperation(work.tx, syncId);
  if (!sync?.instanceId) return;
  await tellAgent(work, { type: 'SyncOperation', resourceId: syncId, instanceId: sync.instanceId });
};
