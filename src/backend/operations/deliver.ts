// Step 5: makes the Operation object of each row that has none yet, and touches those that nobody takes.
import { deliveryLabel, operationName, redeliveredAtAnnotation } from '../../api/labels.ts';
import { operations } from '../../api/v1alpha1/operation.ts';
import {
  markDelivered,
  selectStuck,
  selectSubjects,
  selectUndelivered,
  type DeliveryRow,
} from '../../db/queries/operation.ts';
import type { Database } from '../../db/pool.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Namespace } from '../../kube/object.ts';
import { isAlreadyExists, isNotFound } from '../../kube/status-error.ts';
import { rfc3339, utcText, type Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Reconcile, ReconcileContext } from '../../runtime/controller.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { clusterUidOf } from '../engine.ts';
import type { Delivery } from './deliveries.ts';
import { deleteOperationObject } from './object.ts';

/** The only key of the deliverer. */
export const deliverKey = 'backend/deliver/all';

/** What delivering takes. */
export interface DeliverContext {
  readonly client: KubeClient;
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly namespaces: StoreReader<Namespace>;
  /** How long a delivered row may wait before its object is touched; doubled each time. Milliseconds. */
  readonly redeliverMs: number;
  /** Called with rows that now have their objects, and with those of them whose objects were made together. */
  readonly onDelivered: (operationIds: readonly string[], together: Delivery) => void;
}

const PAGE = 100;

/**
 * Creates the deliverer. The rows are an outbox: an object's name comes from its row's id, so one that exists already
 * was made by an earlier try. Nobody waits for it: our agent starts from the row's notification.
 */
export const createDeliver = (context: DeliverContext): Reconcile => {
  const redeliver = createRedeliver(context);
  return async (_key, pass) => {
    const rows = await selectUndelivered(context.db, clusterUidOf(context.namespaces), PAGE);
    const label = context.random.uuid();
    const ends = await Promise.allSettled(rows.map((row) => createObject(context, row, { ...pass, label })));
    const idsOf = (how: readonly Made[]): readonly string[] =>
      rows
        .filter((_, index) => ends[index]?.status === 'fulfilled' && how.includes(ends[index].value))
        .map((row) => row.operation_id);
    const delivered = idsOf(['made', 'present']);
    if (delivered.length > 0) {
      await markDelivered(context.db, delivered, utcText(context.clock.now()));
      context.onDelivered(delivered, { label, operationIds: idsOf(['made']) });
    }
    await redeliver(pass);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
    return { afterMs: rows.length === PAGE ? 1 : context.redeliverMs };
  };
};

/** Whether the object bears the label of this delivery, or was there before. */
type Made = 'made' | 'present';

/** Makes the object of a row. One whose namespace is gone counts as delivered: nobody is left to be told. */
const createObject = async (
  { client }: DeliverContext,
  row: DeliveryRow,
  { signal, log, label }: Pick<ReconcileContext, 'signal' | 'log'> & { readonly label?: string },
): Promise<Made> => {
  const labels = label === undefined ? {} : { labels: { [deliveryLabel]: label } };
  const metadata = { name: operationName(row.operation_id), namespace: row.namespace_name, ...labels };
  const spec = { operationID: row.operation_id };
  try {
    await client.create(
      operations,
      { apiVersion: 'managed-gitops.redhat.com/v1alpha1', kind: 'Operation', metadata, spec },
      { signal },
    );
    return 'made';
  } catch (error) {
    if (isAlreadyExists(error)) return 'present';
    if (!isNotFound(error)) throw error;
    log.warn('an Operation is for an Argo CD whose namespace is gone', {
      operationId: row.operation_id,
      namespace: row.namespace_name,
    });
    return 'present';
  }
};

/**
 * Touches the objects of rows that wait for too long: the other half may have lost a ticket in a race with another one
 * for the same resource, and looks again when the object changes.
 */
const createRedeliver = (context: DeliverContext) => {
  const touched = new Map<string, { readonly times: number; readonly nextMs: number }>();
  let nextLookMs = -Infinity;
  return async (pass: ReconcileContext): Promise<void> => {
    const { clock, db, redeliverMs } = context;
    if (clock.monotonicMs() < nextLookMs) return;
    const before = utcText(clock.now() - redeliverMs);
    const stuck = await selectStuck(db, { clusterUid: clusterUidOf(context.namespaces), before }, PAGE);
    nextLookMs = clock.monotonicMs() + redeliverMs;
    const ids = new Set(stuck.map((row) => row.operation_id));
    for (const id of touched.keys()) if (!ids.has(id)) touched.delete(id);
    const nowMs = clock.monotonicMs();
    for (const row of stuck) {
      const { times, nextMs } = touched.get(row.operation_id) ?? { times: 0, nextMs: 0 };
      if (nextMs > nowMs) continue;
      touched.set(row.operation_id, { times: times + 1, nextMs: nowMs + redeliverMs * 2 ** Math.min(times + 1, 6) });
      pass.log.info('an Operation waits for the agent; it is shown again', {
        operationId: row.operation_id,
        attempt: times + 1,
      });
      await touchObject(context, row, pass);
    }
  };
};

/** Changes the object. One that somebody deleted is made again, unless its row has ended and been collected with it. */
const touchObject = async (context: DeliverContext, row: DeliveryRow, pass: ReconcileContext): Promise<void> => {
  const { client, clock, db } = context;
  const { signal } = pass;
  const body = { metadata: { annotations: { [redeliveredAtAnnotation]: rfc3339(clock.now()) } } };
  const ref = { namespace: row.namespace_name, name: operationName(row.operation_id) };
  try {
    await client.patch(operations, ref, { type: 'merge', body, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await createObject(context, row, pass);
    const [present] = await selectSubjects(db, [row.operation_id]);
    if (!present) await deleteOperationObject(client, row, signal);
  }
};
