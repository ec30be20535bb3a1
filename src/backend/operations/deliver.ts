// Step 5: makes the Operation object of each row that has none yet, and touches those that nobody takes.
import { operationName, redeliveredAtAnnotation } from '../../api/labels.ts';
import { operations } from '../../api/v1alpha1/operation.ts';
import { markDelivered, selectStuck, selectUndelivered, type DeliveryRow } from '../../db/queries/operation.ts';
import type { Database } from '../../db/pool.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists, isNotFound } from '../../kube/status-error.ts';
import { rfc3339, utcText, type Clock } from '../../lib/clock.ts';
import type { Reconcile, ReconcileContext } from '../../runtime/controller.ts';

/** The only key of the deliverer. */
export const deliverKey = 'backend/deliver/all';

/** What delivering takes. */
export interface DeliverContext {
  readonly client: KubeClient;
  readonly db: Database;
  readonly clock: Clock;
  /** How long a delivered row may wait before its object is touched; doubled each time. Milliseconds. */
  readonly redeliverMs: number;
  /** Called with rows that now have their objects. */
  readonly onDelivered: (operationIds: readonly string[]) => void;
}

const PAGE = 100;

/**
 * Creates the deliverer. The rows are an outbox: an object's name comes from its row's id, so one that exists already
 * was made by an earlier try. Nobody waits for it: our agent starts from the row's notification.
 */
export const createDeliver = (context: DeliverContext): Reconcile => {
  const redeliver = createRedeliver(context);
  return async (_key, { signal, log }) => {
    const rows = await selectUndelivered(context.db, PAGE);
    const ends = await Promise.allSettled(rows.map((row) => createObject(context, row, signal)));
    const delivered = rows.filter((_, index) => ends[index]?.status === 'fulfilled').map((row) => row.operation_id);
    if (delivered.length > 0) {
      await markDelivered(context.db, delivered, utcText(context.clock.now()));
      context.onDelivered(delivered);
    }
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
    if (rows.length === PAGE) return { afterMs: 1 };
    await redeliver(signal, log);
    return { afterMs: context.redeliverMs };
  };
};

const createObject = async ({ client }: DeliverContext, row: DeliveryRow, signal: AbortSignal): Promise<void> => {
  const metadata = { name: operationName(row.operation_id), namespace: row.namespace_name };
  const spec = { operationID: row.operation_id };
  try {
    await client.create(
      operations,
      { apiVersion: 'managed-gitops.redhat.com/v1alpha1', kind: 'Operation', metadata, spec },
      { signal },
    );
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
};

/**
 * Touches the objects of rows that wait for too long: the other half may have lost a ticket in a race with another one
 * for the same resource, and looks again when the object changes.
 */
const createRedeliver = (context: DeliverContext) => {
  const touched = new Map<string, { readonly times: number; readonly nextMs: number }>();
  return async (signal: AbortSignal, log: ReconcileContext['log']): Promise<void> => {
    const { clock, db, redeliverMs } = context;
    const nowMs = clock.now();
    const stuck = await selectStuck(db, utcText(nowMs - redeliverMs), PAGE);
    const ids = new Set(stuck.map((row) => row.operation_id));
    for (const id of touched.keys()) if (!ids.has(id)) touched.delete(id);
    for (const row of stuck) {
      const { times, nextMs } = touched.get(row.operation_id) ?? { times: 0, nextMs: 0 };
      if (nextMs > nowMs) continue;
      touched.set(row.operation_id, { times: times + 1, nextMs: nowMs + redeliverMs * 2 ** Math.min(times + 1, 6) });
      log.info('an Operation waits for the agent; it is shown again', {
        operationId: row.operation_id,
        attempt: times + 1,
      });
      await touchObject(context, row, signal);
    }
  };
};

const touchObject = async (context: DeliverContext, row: DeliveryRow, signal: AbortSignal): Promise<void> => {
  const { client, clock } = context;
  const body = { metadata: { annotations: { [redeliveredAtAnnotation]: rfc3339(clock.now()) } } };
  const ref = { namespace: row.namespace_name, name: operationName(row.operation_id) };
  try {
    await client.patch(operations, ref, { type: 'merge', body, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await createObject(context, row, signal);
  }
};
