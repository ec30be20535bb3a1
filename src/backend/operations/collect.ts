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

/** Creates the collector. What a crash kept from being offered is found by a search. */
export const createCollector = (context: CollectContext): Collector => {
  const { db, client, clock } = context;
  const offers = createOffers();
  const deliveries = createDeliveries(clock);
  let toSearch = false;

  /** Returns how many were removed: what was delivered together waits for each other. */
  const collect = async (rows: readonly DeliveryRow[], signal: AbortSignal): Promise<number> => {
    if (rows.length === 0) return 0;
    const { whole, single } = deliveries.sort(rows);
    await Promise.all([
      ...whole.map((delivery) => deleteDelivery(client, delivery, signal)),
      ...single.map((row) => deleteOperationObject(client, row, signal)),
    ]);
    const removed = [...whole.flatMap(({ rows: some }) => some), ...single].map((row) => row.operation_id);
    if (removed.length > 0) await removeOperations(db, removed);
    deliveries.forget(removed);
    offers.forget(removed);
    return removed.length;
  };
  const collectOffered = async (signal: AbortSignal): Promise<void> => {
    const page = offers.takePage();
    if (page.length === 0) return;
    await orElse(
      () => offers.add(page), // nobody else would
      async () => collect(await selectEnded(db, page), signal),
    );
  };
  const collectLate = async (signal: AbortSignal): Promise<void> => {
    const late = deliveries.late();
    await orElse(
      () => offers.add(late.map((row) => row.operation_id)),
      () => collect(late, signal),
    );
  };
  const collectLeftover = async (signal: AbortSignal): Promise<void> => {
    toSearch = false;
    await orElse(
      () => (toSearch = true),
      async () => {
        const leftover = await search(context, offers.expect);
        const removed = await collect(leftover, signal);
        toSearch ||= leftover.length === PAGE && removed > 0;
      },
    );
  };

  return {
    offer: offers.add,
    delivered(operationIds, together) {
      deliveries.add(together);
      return offers.again(operationIds);
    },
    ended: offers.again,
    search() {
      toSearch = true;
    },
    async reconcile(_key, { signal }) {
      await collectOffered(signal);
      if (offers.any) return { afterMs: 1 };
      await collectLate(signal);
      if (toSearch) await collectLeftover(signal);
      if (toSearch) return { afterMs: 1 };
      const afterMs = deliveries.lateInMs();
      return afterMs === Infinity ? undefined : { afterMs: Math.max(afterMs, 1) };
    },
  };
};

/** Does what is to be done after a failure, and throws it on. */
const orElse = async (failed: () => void, run: () => Promise<unknown>): Promise<void> => {
  try {
    await run();
  } catch (error) {
    failed();
    throw error;
  }
};

/** What nobody waits for: to be looked at now, or once it is told that it has ended or has its object. */
const createOffers = () => {
  const now = new Set<string>();
  const early = new Set<string>();
  return {
    add(operationIds: readonly string[]): void {
      for (const id of operationIds) now.add(id);
    },
    expect: (operationId: string): void => void early.add(operationId),
    /** Offers those that came too early. True when there is something to look at. */
    again(operationIds: readonly string[]): boolean {
      for (const id of operationIds) if (early.delete(id)) now.add(id);
      return now.size > 0;
    },
    /** Some of those to look at. They come too early unless they are removed. */
    takePage(): readonly string[] {
      const page = [...now].slice(0, PAGE);
      for (const id of page) {
        now.delete(id);
        early.add(id);
      }
      return page;
    },
    forget(operationIds: readonly string[]): void {
      for (const id of operationIds) early.delete(id);
    },
    get any(): boolean {
      return now.size > 0;
    },
  };
};

/** Gives a page of what was left over. What will be is told first: what ends meanwhile is found by the search after it. */
const search = async (
  { db, clock, namespaces, foreignAgeMs }: CollectContext,
  expect: (operationId: string) => void,
): Promise<readonly DeliveryRow[]> => {
  const clusterUid = clusterUidOf(namespaces);
  (await selectExpected(db, clusterUid)).forEach(expect);
  return selectLeftover(db, { clusterUid, endedBefore: utcText(clock.now() - foreignAgeMs) }, PAGE);
};
