// The rows of one sync run: made, ended and removed together with what hangs on them.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';

const insert = statement(
  'sync-operation-insert',
  `
with made as (
  insert into syncoperation (
    syncoperation_id, application_id, deployment_name, revision, desired_state, created_on, engine_instance_id
  ) values ($1, $2, $3, $4, 'Running', $5, $6)
)
insert into apicrtodatabasemapping (
  api_resource_type, api_resource_uid, api_resource_name, api_resource_namespace, api_resource_namespace_uid,
  db_relation_type, db_relation_key
) values ('GitOpsDeploymentSyncRun', $7, $8, $9, $10, 'SyncOperation', $1)`,
);

/** A sync with its link to the GitOpsDeploymentSyncRun. */
export interface NewSyncOperation {
  readonly id: string;
  readonly applicationId: string;
  readonly instanceId: string;
  readonly deploymentName: string;
  readonly revision: string;
  readonly syncRunUid: string;
  readonly syncRunName: string;
  readonly namespace: string;
  readonly namespaceUid: string;
  readonly now: string;
}

/** Inserts a sync and its link. */
export const insertSyncOperation = async (tx: Queryable, made: NewSyncOperation): Promise<void> => {
  await tx.query(insert, [
    made.id,
    made.applicationId,
    made.deploymentName,
    made.revision,
    made.now,
    made.instanceId,
    made.syncRunUid,
    made.syncRunName,
    made.namespace,
    made.namespaceUid,
  ]);
};

const terminate = statement(
  'sync-operation-terminate',
  `update syncoperation set desired_state = 'Terminated' where syncoperation_id = $1`,
);

/** Notes that a sync is to be ended, if it runs. */
export const terminateSyncOperation = async (tx: Queryable, id: string): Promise<void> => {
  await tx.query(terminate, [id]);
};

const end = statement(
  'sync-operation-end',
  `update syncoperation set ended_at = $2, error = nullif($3, '') where syncoperation_id = $1 and ended_at is null`,
);

/** Notes that a sync has ended, and why it failed; '' for one that did not. */
export const endSyncOperation = async (
  tx: Queryable,
  { id, error, now }: { readonly id: string; readonly error: string; readonly now: string },
): Promise<void> => {
  await tx.query(end, [id, now, error]);
};

const remove = statement(
  'sync-operation-remove',
  `
with link as (
  delete from apicrtodatabasemapping
  where api_resource_type = 'GitOpsDeploymentSyncRun' and db_relation_type = 'SyncOperation' and db_relation_key = $1
)
delete from syncoperation where syncoperation_id = $1`,
);

/** Removes a sync and its link. */
export const removeSyncOperation = async (tx: Queryable, id: string): Promise<void> => {
  await tx.query(remove, [id]);
};

const targets = statement<SyncTargetRow>(
  'sync-operation-targets',
  `
select s.syncoperation_id is not null as present, s.application_id, s.deployment_name, s.revision, s.desired_state,
  a.spec_field
from unnest($1::text[]) with ordinality as k(id, ord)
left join syncoperation s on s.syncoperation_id = k.id
left join application a on a.application_id = s.application_id
order by k.ord`,
);

/** What the agent needs of a sync; all but `present` is null where there is no row. */
export interface SyncTargetRow {
  readonly present: boolean;
  readonly application_id: string | null;
  readonly deployment_name: string | null;
  readonly revision: string | null;
  readonly desired_state: string | null;
  readonly spec_field: string | null;
}

/** The rows behind these syncs, in the order asked. */
export const selectSyncTargets = async (db: Queryable, ids: readonly string[]): Promise<readonly SyncTargetRow[]> =>
  (await db.query(targets, [ids])).rows;
