// Step 9: removes Operations that have ended and that nobody waits for: first the object, then the row.
import {
  removeOperations,
  selectEnded,
  selectExpected,
  selectLeftover,
  type DeliveryRow,
} from '../../db/queries/operation.ts';
import type { Database } from '../../db/pool.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Namespace } from '../../kube/object.ts';
import { utcText, type Clock } from '../../lib/clock.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { clusterUidOf } from '../engine.ts';
import { createDeliveries, type Delivery } from './deliveries.ts';
import { deleteDelivery, deleteOperationObject } from './object.ts';

/** The only key of the collector. */
export const collectKey = 'backend/collect/all';

/** What collecting takes. */
export interface CollectContext {
  readonly client: KubeClient;
  readonly db: Database;
  readonly clock: Clock;
  readonly namespaces: StoreReader<Namespace>;
  /** How long ended rows of others are kept. Milliseconds. */
  readonly foreignAgeMs: number;
}

/** The collector of Operations. */
export interface Collector {
  readonly reconcile: Reconcile;
  /** Says that nobody waits for these any more. They are collected once they have ended and have their objects. */
  offer(operationIds: readonly string[]): void;
  /**
   * Says that these have their objects now, and which were made together. True when some were offered before: they are
   * to be looked at again.
   */
  delivered(operationIds: readonly string[], together: Delivery): boolean;
  /** Says that these have ended. True when some were offered before. */
  ended(operationIds: readonly string[]): boolean;
  /** Has the next pass search for what was left over, and for what will be: at the start, and when something may have been missed. */
  search(): void;
}

const PAGE = 100;
const MOST_EXPECTED = 1000;

/** Creates the collector. What a crash kept from being offered is found by a search. */
export const createCollector = (context: CollectContext): Collector => {
  const { db, clock, foreignAgeMs } = context;
  const offered = new Set<string>();
  const offeredEarly = new Set<string>();
  const deliveries = createDeliveries(clock);
  let toSearch = false;

  const collect = async (rows: readonly DeliveryRow[], signal: AbortSignal): Promise<void> => {
    if (rows.length === 0) return;
    const { whole, single } = deliveries.sort(rows);
    await Promise.all([
      ...whole.map((delivery) => deleteDelivery(context.client, delivery, signal)),
      ...single.map((row) => deleteOperationObject(context.client, row, signal)),
    ]);
    const removed = [...whole.flatMap(({ rows: some }) => some), ...single].map((row) => row.operation_id);
    if (removed.length > 0) await removeOperations(db, removed);
    deliveries.forget(removed);
    for (const id of removed) offeredEarly.delete(id);
  };
  const offer = (operationIds: readonly string[]): void => {
    for (const id of operationIds) offered.add(id);
  };
  /** Offers them again when it fails: nobody else would. */
  const orOffer = async (operationIds: readonly string[], run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      offer(operationIds);
      throw error;
    }
  };
  /** A page of what is offered. What has not ended, or has no object yet, stays in `offeredEarly` until that is told. */
  const collectOffered = async (signal: AbortSignal): Promise<void> => {
    const page = [...offered].slice(0, PAGE);
    if (page.length === 0) return;
    for (const id of page) {
      offered.delete(id);
      offeredEarly.add(id);
    }
    await orOffer(page, async () => collect(await selectEnded(db, page), signal));
  };
  const offerAgain = (operationIds: readonly string[]): boolean => {
    for (const id of operationIds) if (offeredEarly.delete(id)) offered.add(id);
    return offered.size > 0;
  };
  const collectLate = async (signal: AbortSignal): Promise<void> => {
    const late = deliveries.late();
    const ids = late.map((row) => row.operation_id);
    await orOffer(ids, () => collect(late, signal));
  };
  /** Collects a page of what was left over. True when there may be more. */
  const searched = async (signal: AbortSignal): Promise<boolean> => {
    const clusterUid = clusterUidOf(context.namespaces);
    // First what will be left over: what ends meanwhile is found by the search that follows.
    for (const id of await selectExpected(db, clusterUid, MOST_EXPECTED)) offeredEarly.add(id);
    const endedBefore = utcText(clock.now() - foreignAgeMs);
    const leftover = await selectLeftover(db, { clusterUid, endedBefore }, PAGE);
    await collect(leftover, signal);
    return leftover.length === PAGE;
  };

  return {
    offer,
    delivered(operationIds, together) {
      deliveries.add(together);
      return offerAgain(operationIds);
    },
    ended: offerAgain,
    search() {
      toSearch = true;
    },
    async reconcile(_key, { signal }) {
      await collectOffered(signal);
      if (offered.size > 0) return { afterMs: 1 };
      await collectLate(signal);
      if (toSearch) {
        toSearch = false;
        const more = await searched(signal).catch((error: unknown) => {
          toSearch = true;
          throw error;
        });
        toSearch ||= more;
        if (toSearch) return { afterMs: 1 };
      }
      const afterMs = deliveries.lateInMs();
      return afterMs === Infinity ? undefined : { afterMs: Math.max(afterMs, 1) };
    },
  };
};
