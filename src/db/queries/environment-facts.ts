// Everything the rows say about some managed environments, in one statement.
import type { Queryable } from '../pool.ts';
import type { UtcText } from '../rows.ts';
import { statement } from '../statement.ts';
import type { EngineKey, LaneRow } from './deployment-facts.ts';
import {
  checkOf,
  clusterOf,
  engineInstance,
  linkedFields,
  linkedToKey,
  utc,
  type CheckJson,
  type LinkedJson,
} from './facts.ts';

/** Which environment is asked about; `uid` is '' where there is no object. */
export interface EnvironmentFactsKey {
  readonly namespaceUid: string;
  readonly name: string;
  readonly uid: string;
}

/** A row that links an environment, by UID, to its rows, as JSON. */
export interface EnvironmentLinkJson extends LinkedJson {
  readonly environment: {
    readonly name: string;
    readonly credentialsId: string;
    readonly inputHash: string | null;
    readonly tokenExpiresAt: UtcText | null;
    readonly serviceAccount: string | null;
    readonly host: string;
    /** As it is kept: it may be encrypted. */
    readonly token: string;
    readonly insecure: boolean;
    /** The tenant's project may deploy to it, through this engine. */
    readonly allowed: boolean;
  } | null;
}

/** The facts about one key. */
export interface EnvironmentFactsRow {
  readonly user_id: string | null;
  readonly instance_id: string | null;
  readonly links: readonly EnvironmentLinkJson[] | null;
  /** What the last check has found. */
  readonly check: CheckJson | null;
}

/** The cluster of the engine that was last allowed to reach an environment. */
const reachedFrom = `(
  select ${clusterOf('a.clusteraccess_gitops_engine_instance_id')} from clusteraccess a
  where a.clusteraccess_managed_environment_id = m.db_relation_key
  order by a.seq_id desc limit 1
)`;

const facts = statement<EnvironmentFactsRow>(
  'environment-facts',
  `
with key as materialized (
  select * from unnest($1::text[], $2::text[], $3::text[]) with ordinality as k(namespace_uid, name, uid, ord)
), engine as materialized (${engineInstance('$4', '$5')})
select
  u.clusteruser_id as user_id,
  (select instance_id from engine) as instance_id,
  (
    select jsonb_agg(jsonb_build_object(
      ${linkedFields(reachedFrom)},
      'environment', case when e.managedenvironment_id is null then null else jsonb_build_object(
        'name', e.name, 'credentialsId', c.clustercredentials_cred_id, 'inputHash', c.input_hash,
        'tokenExpiresAt', ${utc('c.token_expires_at')}, 'serviceAccount', c.service_account,
        'host', coalesce(c.host, ''), 'token', coalesce(c.serviceaccount_bearer_token, ''),
        'insecure', coalesce(c.allowinsecure_skiptlsverify, false),
        'allowed', exists (
          select from appprojectmanagedenvironment p
          where p.clusteruser_id = u.clusteruser_id and p.managed_environment_id = e.managedenvironment_id
        ) and exists (
          select from clusteraccess a
          where a.clusteraccess_user_id = u.clusteruser_id
            and a.clusteraccess_managed_environment_id = e.managedenvironment_id
            and a.clusteraccess_gitops_engine_instance_id = (select instance_id from engine)
        )
      ) end
    ) order by m.seq_id)
    from apicrtodatabasemapping m
    left join managedenvironment e on e.managedenvironment_id = m.db_relation_key
    left join clustercredentials c on c.clustercredentials_cred_id = e.clustercredentials_id
    where ${linkedToKey('GitOpsDeploymentManagedEnvironment')}
  ) as links,
  ${checkOf('GitOpsDeploymentManagedEnvironment', 'k.uid')} as check
from key k
left join clusteruser u on u.user_name = k.namespace_uid
order by k.ord`,
);

/** The facts about each key, in the order of the keys. */
export const selectEnvironmentFacts = async (
  db: Queryable,
  keys: readonly EnvironmentFactsKey[],
  engine: EngineKey,
): Promise<readonly EnvironmentFactsRow[]> => {
  const { rows } = await db.query(facts, [
    keys.map((key) => key.namespaceUid),
    keys.map((key) => key.name),
    keys.map((key) => key.uid),
    engine.namespaceUid,
    engine.clusterUid,
  ]);
  return rows;
};

const lanes = statement<LaneRow>(
  'environment-lanes',
  `
select distinct api_resource_namespace_uid as namespace_uid, api_resource_name as name from apicrtodatabasemapping
where api_resource_type = 'GitOpsDeploymentManagedEnvironment' and db_relation_type = 'ManagedEnvironment'
order by 1, 2`,
);

/** The lanes of all environments that the rows know. */
export const selectEnvironmentLanes = async (db: Queryable): Promise<readonly LaneRow[]> =>
  (await db.query(lanes)).rows;
