// Everything the rows say about some deployments, in one statement.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';
import type { UtcText } from '../rows.ts';
import { clusterOf, engineInstance, operationsOf, utc, type OperationJson } from './facts.ts';

/** Which deployment is asked about; `''` where there is no repository or environment to look for, or no object. */
export interface DeploymentFactsKey {
  readonly namespaceUid: string;
  /** Name of the namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Normalised URL of its repository. */
  readonly repositoryUrl: string;
  /** Name of the environment it names. */
  readonly environmentName: string;
}

/** The engine that serves the tenants of this process. */
export interface EngineKey {
  readonly namespaceUid: string;
  readonly clusterUid: string;
}

/** A link row with its application as JSON. `status` is base64 of the stored bytes. */
export interface LinkJson {
  readonly uid: string;
  /** The cluster of the application's engine; null where the rows don't tell. */
  readonly clusterUid: string | null;
  /** Name of the namespace. */
  readonly namespace: string | null;
  readonly generation: number | null;
  readonly applicationId: string;
  readonly application: {
    readonly name: string;
    readonly specField: string;
    readonly instanceId: string;
    readonly environmentId: string | null;
    readonly repositoryUrl: string | null;
    readonly owned: boolean;
  } | null;
  readonly status: string | null;
  readonly operations: readonly OperationJson[] | null;
}

/** A deletion row as JSON. */
export interface DeletionJson {
  readonly uid: string;
  /** The cluster of the engine it was in; null where the rows don't tell. */
  readonly clusterUid: string | null;
  readonly applicationId: string;
  readonly at: UtcText;
  readonly operations: readonly OperationJson[] | null;
}

/** The facts about one key. */
export interface DeploymentFactsRow {
  readonly user_id: string | null;
  readonly instance_id: string | null;
  readonly own_environment_id: string | null;
  readonly named_environment_id: string | null;
  readonly repository_known: boolean;
  /** There are rows of another deployment of this name, in a namespace that had the name of this one before. */
  readonly namesake_left: boolean;
  readonly links: readonly LinkJson[] | null;
  readonly deletions: readonly DeletionJson[] | null;
}

const facts = statement<DeploymentFactsRow>(
  'deployment-facts',
  `
with key as materialized (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $7::text[], $8::text[])
    with ordinality as k(namespace_uid, name, repository_url, environment_name, namespace, uid, ord)
), engine as materialized (${engineInstance('$5', '$6')})
select
  u.clusteruser_id as user_id,
  (select instance_id from engine) as instance_id,
  (
    select e.managedenvironment_id
    from kubernetestodbresourcemapping em
    join managedenvironment e on e.managedenvironment_id = em.db_relation_key
    join clusteraccess a on a.clusteraccess_user_id = u.clusteruser_id
      and a.clusteraccess_managed_environment_id = e.managedenvironment_id
      and a.clusteraccess_gitops_engine_instance_id = (select instance_id from engine)
    where em.kubernetes_resource_type = 'Namespace' and em.kubernetes_resource_uid = k.namespace_uid
      and em.db_relation_type = 'ManagedEnvironment'
  ) as own_environment_id,
  (
    select e.managedenvironment_id
    from apicrtodatabasemapping m
    join managedenvironment e on e.managedenvironment_id = m.db_relation_key
    where k.environment_name <> '' and m.api_resource_type = 'GitOpsDeploymentManagedEnvironment'
      and m.api_resource_name = k.environment_name and m.api_resource_namespace_uid = k.namespace_uid
      and m.db_relation_type = 'ManagedEnvironment'
    order by m.seq_id desc limit 1
  ) as named_environment_id,
  exists (
    select from appprojectrepository r where r.clusteruser_id = u.clusteruser_id and r.repo_url = k.repository_url
  ) as repository_known,
  exists (
    select from deploymenttoapplicationmapping l
    join application a on a.application_id = l.application_id
    where l.namespace = k.namespace and l.name = k.name and l.namespace_uid <> k.namespace_uid
      and l.deploymenttoapplicationmapping_uid_id <> k.uid
      and a.engine_instance_inst_id = (select instance_id from engine)
  ) or exists (
    select from clusteruser former
    join deletion d on d.namespace_uid = former.user_name and d.name = k.name
    where former.display_name = k.namespace and former.user_name <> k.namespace_uid
      and d.engine_instance_id = (select instance_id from engine)
  ) as namesake_left,
  (
    select jsonb_agg(jsonb_build_object(
      'uid', l.deploymenttoapplicationmapping_uid_id, 'namespace', l.namespace,
      'clusterUid', ${clusterOf('a.engine_instance_inst_id')}, 'generation', l.generation, 'applicationId', l.application_id,
      'application', case when a.application_id is null then null else jsonb_build_object(
        'name', a.name, 'specField', a.spec_field, 'instanceId', a.engine_instance_inst_id,
        'environmentId', a.managed_environment_id, 'repositoryUrl', a.normalized_repo_url,
        'owned', exists (
          select from applicationowner w
          where w.application_owner_application_id = a.application_id and w.application_owner_user_id = u.clusteruser_id
        )
      ) end,
      'status', encode(s.argocd_application_status, 'base64'),
      'operations', ${operationsOf('l.application_id', 'Application')}
    ) order by l.seq_id)
    from deploymenttoapplicationmapping l
    left join application a on a.application_id = l.application_id
    left join applicationstate s on s.applicationstate_application_id = l.application_id
    where l.namespace_uid = k.namespace_uid and l.name = k.name
  ) as links,
  (
    select jsonb_agg(jsonb_build_object(
      'uid', d.deployment_uid, 'clusterUid', ${clusterOf('d.engine_instance_id')}, 'applicationId', d.application_id, 'at', ${utc('d.requested_at')},
      'operations', ${operationsOf('d.application_id', 'Application')}
    ) order by d.requested_at, d.deployment_uid)
    from deletion d
    where d.namespace_uid = k.namespace_uid and d.name = k.name
  ) as deletions
from key k
left join clusteruser u on u.user_name = k.namespace_uid
order by k.ord`,
);

/** The facts about each key, in the order of the keys. */
export const selectDeploymentFacts = async (
  db: Queryable,
  keys: readonly DeploymentFactsKey[],
  engine: EngineKey,
): Promise<readonly DeploymentFactsRow[]> => {
  const { rows } = await db.query(facts, [
    keys.map((key) => key.namespaceUid),
    keys.map((key) => key.name),
    keys.map((key) => key.repositoryUrl),
    keys.map((key) => key.environmentName),
    engine.namespaceUid,
    engine.clusterUid,
    keys.map((key) => key.namespace),
    keys.map((key) => key.uid),
  ]);
  return rows;
};

/** Where a deployment's lane is: `<namespaceUid>/deployment/<name>`. */
export interface LaneRow {
  readonly namespace_uid: string;
  readonly name: string;
}

const lanes = statement<LaneRow>(
  'deployment-lanes',
  `
select namespace_uid, name from deploymenttoapplicationmapping
where namespace_uid is not null and name is not null
union
select namespace_uid, name from deletion
order by 1, 2`,
);

/** The lanes of all deployments that the rows know, those being removed included. */
export const selectLanes = async (db: Queryable): Promise<readonly LaneRow[]> => (await db.query(lanes)).rows;

const lanesOfApplications = statement<LaneRow & { readonly application_id: string }>(
  'deployment-lanes-of-applications',
  `
select application_id, namespace_uid, name from deploymenttoapplicationmapping
where application_id = any($1::text[]) and namespace_uid is not null and name is not null
union
select application_id, namespace_uid, name from deletion where application_id = any($1::text[])
order by 1, 2, 3`,
);

/** The lanes that these applications belong to. */
export const selectLanesOfApplications = async (
  db: Queryable,
  applicationIds: readonly string[],
): Promise<readonly (LaneRow & { readonly application_id: string })[]> =>
  (await db.query(lanesOfApplications, [applicationIds])).rows;
