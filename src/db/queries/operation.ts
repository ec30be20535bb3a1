// Operation rows as the backend sees them: intent written, delivered as objects, collected when they have ended.
import type { Queryable } from '../pool.ts';
import type { OperationRow } from '../rows.ts';
import { statement } from '../statement.ts';

const write = statement<{ operation_id: string }>(
  'operation-write',
  `
insert into operation (
  operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on, last_state_update, state,
  dedupe_key
) values ($1, $2, $3, $4, $5, $6, $6, 'Waiting', $7)
on conflict (dedupe_key) where state = 'Waiting' do update set last_state_update = excluded.last_state_update
returning operation_id`,
);

/** Intent for the agent: look at this row. */
export interface NewOperation {
  readonly newId: string;
  readonly instanceId: string;
  readonly resourceId: string;
  readonly ownerId: string;
  readonly type: string;
  readonly dedupeKey: string;
  readonly now: string;
}

/**
 * Writes an Operation, or touches and locks the one of ours that still waits for the same resource: the agent can't take
 * it, and read old rows, before this transaction ends. Returns its id.
 */
export const writeOperation = async (tx: Queryable, operation: NewOperation): Promise<string> => {
  const { rows } = await tx.query(write, [
    operation.newId,
    operation.instanceId,
    operation.resourceId,
    operation.ownerId,
    operation.type,
    operation.now,
    operation.dedupeKey,
  ]);
  return rows[0]?.operation_id ?? operation.newId;
};

/** SQL for the ids of a cluster's engines; the argument is the placeholder of the UID of its `kube-system`. */
const enginesOf = (clusterUid: string): string => `(
  select i.gitopsengineinstance_id
  from gitopsengineinstance i
  join kubernetestodbresourcemapping m on m.db_relation_key = i.enginecluster_id
    and m.db_relation_type = 'GitopsEngineCluster' and m.kubernetes_resource_type = 'Namespace'
  where m.kubernetes_resource_uid = ${clusterUid}
)`;

/** An Operation whose object is to be made or touched. */
export interface DeliveryRow {
  readonly operation_id: string;
  readonly namespace_name: string;
}

const undelivered = statement<DeliveryRow>(
  'operation-undelivered',
  `
select o.operation_id, i.namespace_name
from operation o
join gitopsengineinstance i on i.gitopsengineinstance_id = o.instance_id
where o.dedupe_key is not null and o.delivered_at is null and o.instance_id in ${enginesOf('$2')}
order by o.seq_id limit $1`,
);

/** Rows of ours for a cluster that have no object yet, oldest first, whatever their state by now. */
export const selectUndelivered = async (
  db: Queryable,
  clusterUid: string,
  limit: number,
): Promise<readonly DeliveryRow[]> => (await db.query(undelivered, [limit, clusterUid])).rows;

/**
 * SQL that locks the Operations whose ids are in `ids`, an array, for a statement that writes several of them. Both
 * halves lock them in the order of their ids: whoever locked them in another order would wait for one that waits for it.
 */
export const lockOperations = (ids: string, lock: 'for update' | 'for no key update', where = 'true'): string =>
  `select operation_id from operation where operation_id = any(${ids}) and ${where} order by operation_id ${lock}`;

const delivered = statement(
  'operation-delivered',
  `
update operation set delivered_at = $2
where operation_id in (${lockOperations('$1::text[]', 'for no key update')})`,
);

/** Notes that these rows have their objects. */
export const markDelivered = async (db: Queryable, operationIds: readonly string[], now: string): Promise<void> => {
  await db.query(delivered, [operationIds, now]);
};

const stuck = statement<DeliveryRow>(
  'operation-stuck',
  `
select o.operation_id, i.namespace_name
from operation o
join gitopsengineinstance i on i.gitopsengineinstance_id = o.instance_id
where o.state = 'Waiting' and o.dedupe_key is not null and o.delivered_at < $1 and o.last_state_update < $1
  and o.instance_id in ${enginesOf('$3')}
order by o.seq_id limit $2`,
);

/** Rows of ours for a cluster that were delivered and last touched before `before`, and that nobody has taken. */
export const selectStuck = async (
  db: Queryable,
  { clusterUid, before }: { readonly clusterUid: string; readonly before: string },
  limit: number,
): Promise<readonly DeliveryRow[]> => (await db.query(stuck, [before, limit, clusterUid])).rows;

const ENDED = `o.state in ('Completed', 'Failed')`;

const ended = statement<DeliveryRow>(
  'operation-ended',
  `
select o.operation_id, i.namespace_name
from operation o
join gitopsengineinstance i on i.gitopsengineinstance_id = o.instance_id
where o.operation_id = any($1::text[]) and ${ENDED} and o.delivered_at is not null
order by o.seq_id`,
);

/** Of these rows, those that have ended and have their objects. */
export const selectEnded = async (db: Queryable, operationIds: readonly string[]): Promise<readonly DeliveryRow[]> =>
  (await db.query(ended, [operationIds])).rows;

const COLLECTED = `o.resource_type in ('Application', 'SyncOperation', 'ManagedEnvironment', 'RepositoryCredentials')`;

/** Ours, of applications, environments and credentials that are gone or syncs that are over. */
const NOBODY_WAITS = `o.dedupe_key is not null
  and not exists (select from deploymenttoapplicationmapping l where l.application_id = o.resource_id)
  and not exists (select from deletion d where d.application_id = o.resource_id)
  and not exists (
    select from syncoperation s
    where s.syncoperation_id = o.resource_id and (s.ended_at is null or s.desired_state <> 'Running')
  )
  and not exists (select from repositorycredentials r where r.repositorycredentials_id = o.resource_id)`;

const expected = statement<Pick<OperationRow, 'operation_id'>>(
  'operation-expected',
  `
select o.operation_id
from operation o
where o.instance_id in ${enginesOf('$1')} and ${COLLECTED}
  and (o.state in ('Waiting', 'In_Progress') or o.delivered_at is null) and ${NOBODY_WAITS}
order by o.seq_id`,
);

/** Ids of rows that nothing waits for, and that will be left over once they have ended and have their objects. */
export const selectExpected = async (db: Queryable, clusterUid: string): Promise<readonly string[]> =>
  (await db.query(expected, [clusterUid])).rows.map((row) => row.operation_id);

const leftover = statement<DeliveryRow>(
  'operation-leftover',
  `
select o.operation_id, i.namespace_name
from operation o
join gitopsengineinstance i on i.gitopsengineinstance_id = o.instance_id
where o.instance_id in ${enginesOf('$3')} and ${COLLECTED} and ${ENDED} and (
  (o.delivered_at is not null and ${NOBODY_WAITS})
  or (o.dedupe_key is null and o.last_state_update < $1)
)
order by o.seq_id limit $2`,
);

/** Rows that have ended and that nothing waits for, and those of others that ended before `endedBefore`. */
export const selectLeftover = async (
  db: Queryable,
  { clusterUid, endedBefore }: { readonly clusterUid: string; readonly endedBefore: string },
  limit: number,
): Promise<readonly DeliveryRow[]> => (await db.query(leftover, [endedBefore, limit, clusterUid])).rows;

const remove = statement(
  'operation-remove',
  `
delete from operation
where operation_id in (${lockOperations('$1::text[]', 'for update', `state in ('Completed', 'Failed')`)})`,
);

/** Deletes rows that have ended. */
export const removeOperations = async (db: Queryable, operationIds: readonly string[]): Promise<void> => {
  await db.query(remove, [operationIds]);
};

/** What an Operation is about. */
export type OperationSubject = Pick<
  OperationRow,
  'operation_id' | 'resource_type' | 'resource_id' | 'state' | 'delivered_at'
>;

const subjects = statement<OperationSubject>(
  'operation-subjects',
  `
select operation_id, resource_type, resource_id, state, delivered_at
from operation where operation_id = any($1::text[])
order by seq_id`,
);

/** What these Operations are about; ids that are gone are left out. */
export const selectSubjects = async (
  db: Queryable,
  operationIds: readonly string[],
): Promise<readonly OperationSubject[]> => (await db.query(subjects, [operationIds])).rows;
