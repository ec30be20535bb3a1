// Everything the rows say about some sync runs, in one statement.
import type { Queryable } from '../pool.ts';
import type { UtcText } from '../rows.ts';
import { statement } from '../statement.ts';
import type { LaneRow } from './deployment-facts.ts';
import { clusterOf, operationsOf, utc, type OperationJson } from './facts.ts';

/** Which sync run is asked about. */
export interface SyncRunFactsKey {
  readonly namespaceUid: string;
  readonly name: string;
  /** UID of the GitOpsDeployment that it names; '' where there is none. */
  readonly deploymentUid: string;
  /** UIDs of sync runs of the same deployment that come before it, as far as they are there. */
  readonly earlierUids: readonly string[];
}

/** A row that links a sync run, by UID, to its sync, as JSON. */
export interface SyncLinkJson {
  readonly uid: string;
  /** Name of the namespace. */
  readonly namespace: string;
  readonly id: string;
  /** The cluster of its engine; null where the rows don't tell. */
  readonly clusterUid: string | null;
  readonly sync: {
    readonly applicationId: string | null;
    readonly instanceId: string | null;
    readonly deploymentName: string;
    readonly revision: string;
    readonly desiredState: string;
    readonly endedAt: UtcText | null;
    readonly error: string | null;
  } | null;
  readonly operations: readonly OperationJson[] | null;
}

/** The application that a sync run is about, as JSON. */
export interface SyncTargetJson {
  readonly applicationId: string;
  readonly instanceId: string;
  /** Another sync run of the application is ordered and has not ended. */
  readonly busy: boolean;
}

/** The facts about one key. */
export interface SyncRunFactsRow {
  readonly user_id: string | null;
  readonly links: readonly SyncLinkJson[] | null;
  readonly target: SyncTargetJson | null;
  /** One of the earlier sync runs has not been ordered yet. */
  readonly earlier_waits: boolean;
}

const open = (resourceId: string): string => `exists (
  select from operation o
  where o.resource_id = ${resourceId} and o.resource_type = 'SyncOperation' and (
    o.state = 'Waiting' or (o.state = 'In_Progress' and not exists (
      select from operation later
      where later.resource_id = o.resource_id and later.resource_type = o.resource_type
        and later.state in ('Completed', 'Failed') and later.seq_id > o.seq_id
    ))
  )
)`;

const facts = statement<SyncRunFactsRow>(
  'sync-run-facts',
  `
with key as materialized (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
    with ordinality as k(namespace_uid, name, deployment_uid, earlier, ord)
)
select
  u.clusteruser_id as user_id,
  (
    select jsonb_agg(jsonb_build_object(
      'uid', m.api_resource_uid, 'namespace', m.api_resource_namespace, 'id', m.db_relation_key,
      'clusterUid', ${clusterOf('coalesce(a.engine_instance_inst_id, s.engine_instance_id)')},
      'sync', case when s.syncoperation_id is null then null else jsonb_build_object(
        'applicationId', s.application_id, 'instanceId', coalesce(a.engine_instance_inst_id, s.engine_instance_id),
        'deploymentName', s.deployment_name, 'revision', s.revision, 'desiredState', s.desired_state,
        'endedAt', ${utc('s.ended_at')}, 'error', s.error
      ) end,
      'operations', ${operationsOf('m.db_relation_key', 'SyncOperation')}
    ) order by m.seq_id)
    from apicrtodatabasemapping m
    left join syncoperation s on s.syncoperation_id = m.db_relation_key
    left join application a on a.application_id = s.application_id
    where m.api_resource_type = 'GitOpsDeploymentSyncRun' and m.db_relation_type = 'SyncOperation'
      and m.api_resource_namespace_uid = k.namespace_uid and m.api_resource_name = k.name
  ) as links,
  (
    select jsonb_build_object(
      'applicationId', a.application_id, 'instanceId', a.engine_instance_inst_id,
      'busy', exists (
        select from syncoperation s
        where s.application_id = a.application_id and s.ended_at is null and ${open('s.syncoperation_id')}
      )
    )
    from deploymenttoapplicationmapping l
    join application a on a.application_id = l.application_id
    where l.deploymenttoapplicationmapping_uid_id = k.deployment_uid
  ) as target,
  exists (
    select from unnest(string_to_array(k.earlier, ' ')) as e(uid)
    where not exists (
      select from apicrtodatabasemapping m
      where m.api_resource_type = 'GitOpsDeploymentSyncRun' and m.api_resource_uid = e.uid
        and m.db_relation_type = 'SyncOperation'
    )
  ) as earlier_waits
from key k
left join clusteruser u on u.user_name = k.namespace_uid
order by k.ord`,
);

/** The facts about each key, in the order of the keys. */
export const selectSyncRunFacts = async (
  db: Queryable,
  keys: readonly SyncRunFactsKey[],
): Promise<readonly SyncRunFactsRow[]> => {
  const { rows } = await db.query(facts, [
    keys.map((key) => key.namespaceUid),
    keys.map((key) => key.name),
    keys.map((key) => key.deploymentUid),
    keys.map((key) => key.earlierUids.join(' ')),
  ]);
  return rows;
};

const lanes = statement<LaneRow>(
  'sync-run-lanes',
  `
select distinct api_resource_namespace_uid as namespace_uid, api_resource_name as name from apicrtodatabasemapping
where api_resource_type = 'GitOpsDeploymentSyncRun' and db_relation_type = 'SyncOperation'
  and ($1::text[] is null or db_relation_key = any($1::text[]))
order by 1, 2`,
);

/** The lanes of the sync runs with these syncs; of all that the rows know when none are given. */
export const selectSyncRunLanes = async (
  db: Queryable,
  syncOperationIds: readonly string[] | null,
): Promise<readonly LaneRow[]> => (await db.query(lanes, [syncOperationIds])).rows;
