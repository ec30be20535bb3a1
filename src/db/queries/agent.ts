// Operation and application rows as the agent sees them: found, claimed, loaded, ended.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';
import { engineRows, type AgentEngine } from './agent-engine.ts';
import { projectColumns, type ProjectTargetRow } from './agent-project.ts';
import { environmentJson, type EnvironmentTargetRow } from './agent-secrets.ts';
import { lockOperations } from './operation.ts';

/** An Operation that is open. */
export interface OpenOperationRow {
  readonly operation_id: string;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly instance_id: string;
  readonly owner_id: string | null;
}

const open = statement<OpenOperationRow>(
  'agent-open-operations',
  `
select o.operation_id, o.resource_type, o.resource_id, o.instance_id, o.operation_owner_user_id as owner_id
from operation o
where o.instance_id in ${engineRows('$1', '$2')} and o.state in ('Waiting', 'In_Progress')
  and ($3::text[] is null or o.operation_id = any($3::text[]))
order by o.seq_id`,
);

/** The open Operations of an engine; only those with the given ids, if any are given. */
export const selectOpenOperations = async (
  db: Queryable,
  engine: AgentEngine,
  operationIds: readonly string[] | null,
): Promise<readonly OpenOperationRow[]> =>
  (await db.query(open, [engine.namespace, engine.clusterUid, operationIds])).rows;

/** A resource whose Operations are claimed together. */
export interface ResourceKey {
  readonly type: string;
  readonly id: string;
}

/** Which resource an Operation is about. */
export interface ResourceRow {
  readonly resource_type: string;
  readonly resource_id: string;
}

/** A claimed Operation. */
export interface ClaimedRow extends ResourceRow {
  readonly operation_id: string;
  readonly owner_id: string | null;
  readonly created_on: string;
  /** The UID that the namespace of Argo CD had when the engine's row was made. */
  readonly engine_namespace_uid: string;
  readonly message: string | null;
  /** Of an Operation about an application: its rows, as they were when it was claimed. */
  readonly target: ApplicationTargetRow | null;
}

/**
 * What an application's handler needs: the row, and what its tenant's project permits. The tenant is the owner of the
 * application; of the Operation, when the application is gone.
 */
export interface ApplicationTargetRow extends ProjectTargetRow {
  readonly name: string | null;
  readonly spec_field: string | null;
  readonly environment_id: string | null;
  readonly environment: EnvironmentTargetRow | null;
  /** The UID of the GitOpsDeployment whose removal took the application away; null for one that is there. */
  readonly deployment_uid: string | null;
}

/** SQL for the rows behind an application; the arguments are its id, and the owner of an Operation about it. */
const targetOf = (applicationId: string, ownerId: string): string => `
  select a.name, a.spec_field, a.managed_environment_id as environment_id,
    ${environmentJson('a.managed_environment_id')} as environment,
    (select d.deployment_uid from deletion d where d.application_id = k.application_id limit 1) as deployment_uid,
    ${projectColumns('u')}
  from (select ${applicationId} as application_id, ${ownerId} as owner_id) as k
  left join application a on a.application_id = k.application_id
  left join lateral (
    select w.application_owner_user_id as user_id from applicationowner w
    where w.application_owner_application_id = k.application_id
    order by w.seq_id limit 1
  ) w on true
  left join clusteruser u on u.clusteruser_id = coalesce(w.user_id, k.owner_id)`;

const targets = statement<ApplicationTargetRow>(
  'agent-application-targets',
  `
select t.*
from unnest($1::text[], $2::text[]) with ordinality as k(id, owner, ord)
cross join lateral (${targetOf('k.id', 'k.owner')}) t
order by k.ord`,
);

const claim = statement<(ClaimedRow & { readonly taken: true }) | (ResourceRow & { readonly taken: false })>(
  'agent-claim',
  `
with found as materialized (
  select operation_id, resource_type, resource_id, seq_id, xmin::text as version
  from operation
  where (resource_type, resource_id) in (select * from unnest($1::text[], $2::text[]))
    and instance_id in ${engineRows('$3', '$4')} and state in ('Waiting', 'In_Progress')
), open as materialized (
  select o.operation_id, o.operation_owner_user_id, o.created_on, o.instance_id, o.human_readable_state, o.state
  from found
  join operation o on o.operation_id = found.operation_id
  where o.state in ('Waiting', 'In_Progress') and o.xmin::text = found.version
  order by o.seq_id
  for update of o skip locked
), taken as (
  update operation o
  set state = 'In_Progress', last_state_update = $5, attempts = coalesce(o.attempts, 0) + 1
  from open where o.operation_id = open.operation_id and open.state = 'Waiting'
)
select found.resource_type, found.resource_id, open.operation_id is not null as taken, open.operation_id,
  open.operation_owner_user_id as owner_id, open.created_on, i.namespace_uid as engine_namespace_uid,
  open.human_readable_state as message,
  case when open.operation_id is not null and found.resource_type = 'Application' then (
    select to_jsonb(t) from (${targetOf('found.resource_id', 'open.operation_owner_user_id')}) t
  ) end as target
from found
left join open on open.operation_id = found.operation_id
left join gitopsengineinstance i on i.gitopsengineinstance_id = open.instance_id
order by found.seq_id`,
);

/**
 * Takes the open Operations of these resources: `Waiting` ones become `In_Progress`. What is read of applications is as
 * new as the rows that are taken: one that was touched since the statement began, with newer rows behind it, is skipped
 * (its `xmin` has changed), and whoever writes later finds no row `Waiting`. A row that somebody holds is skipped, not
 * waited for, and nothing tells when it is let go: noting a delivery, for one, notifies nobody. One that is not committed
 * yet is not seen; its notification comes with the commit.
 */
export const claimOperations = async (
  db: Queryable,
  keys: readonly ResourceKey[],
  { engine, now }: { readonly engine: AgentEngine; readonly now: string },
): Promise<{ readonly claimed: readonly ClaimedRow[]; readonly skipped: readonly ResourceRow[] }> => {
  const types = keys.map((key) => key.type);
  const ids = keys.map((key) => key.id);
  const { rows } = await db.query(claim, [types, ids, engine.namespace, engine.clusterUid, now]);
  return { claimed: rows.filter((row) => row.taken), skipped: rows.filter((row) => !row.taken) };
};

/** The rows behind these applications, in the order asked. */
export const selectApplicationTargets = async (
  db: Queryable,
  keys: readonly { readonly applicationId: string; readonly ownerId: string | null }[],
): Promise<readonly ApplicationTargetRow[]> => {
  const applicationIds = keys.map((key) => key.applicationId);
  return (await db.query(targets, [applicationIds, keys.map((key) => key.ownerId)])).rows;
};

const names = statement<{ application_id: string; name: string }>(
  'agent-application-names',
  `
select application_id, name from application
where engine_instance_inst_id in ${engineRows('$1', '$2')} and managed_environment_id is not null
order by 1`,
);

/** The applications that an engine should have. */
export const selectApplicationNames = async (
  db: Queryable,
  engine: AgentEngine,
): Promise<readonly { readonly application_id: string; readonly name: string }[]> =>
  (await db.query(names, [engine.namespace, engine.clusterUid])).rows;

const end = statement(
  'agent-end-operations',
  `
with locked as materialized (${lockOperations('$1::text[]', 'for no key update', `state = 'In_Progress'`)})
update operation o
set state = k.state, human_readable_state = nullif(k.message, ''), last_state_update = $4
from locked
join unnest($1::text[], $2::text[], $3::text[]) as k(operation_id, state, message) using (operation_id)
where o.operation_id = locked.operation_id`,
);

/** How an Operation ended, or that it goes on with a message for the user. */
export interface OperationEnd {
  readonly operationId: string;
  readonly state: 'Completed' | 'Failed' | 'In_Progress';
  readonly message: string;
}

/** Writes the ends of Operations that are in progress. A row that somebody removed is left alone. */
export const endOperations = async (db: Queryable, ends: readonly OperationEnd[], now: string): Promise<void> => {
  await db.query(end, [
    ends.map((one) => one.operationId),
    ends.map((one) => one.state),
    ends.map((one) => one.message),
    now,
  ]);
};
