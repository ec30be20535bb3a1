// The rows of one managed environment: made, changed and removed together with what hangs on them.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';

/** What the rows of an environment hold. Texts that are secret come sealed. */
export interface EnvironmentRows {
  readonly id: string;
  readonly credentialsId: string;
  readonly name: string;
  readonly host: string;
  readonly token: string;
  readonly insecure: boolean;
  /** Comma-separated; '' for the whole cluster. */
  readonly namespaces: string;
  readonly clusterResources: boolean;
  readonly inputHash: string;
  /** UTC text; null for a token that lasts. */
  readonly tokenExpiresAt: string | null;
  readonly serviceAccount: string | null;
  readonly now: string;
}

const write = statement(
  'environment-write',
  `
with credentials as (
  insert into clustercredentials (
    clustercredentials_cred_id, host, serviceaccount_bearer_token, serviceaccount_ns, allowinsecure_skiptlsverify,
    namespaces, cluster_resources, created_on, input_hash, token_expires_at, service_account
  ) values ($2, $4, $5, 'kube-system', $6, nullif($7, ''), $8, $12, $9, $10, $11)
  on conflict (clustercredentials_cred_id) do update set
    host = excluded.host, serviceaccount_bearer_token = excluded.serviceaccount_bearer_token,
    serviceaccount_ns = excluded.serviceaccount_ns,
    allowinsecure_skiptlsverify = excluded.allowinsecure_skiptlsverify, namespaces = excluded.namespaces,
    cluster_resources = excluded.cluster_resources, kube_config = null, kube_config_context = null,
    input_hash = excluded.input_hash, token_expires_at = excluded.token_expires_at,
    service_account = excluded.service_account
)
insert into managedenvironment (managedenvironment_id, name, clustercredentials_id, created_on)
values ($1, $3, $2, $12)
on conflict (managedenvironment_id) do update set name = excluded.name`,
);

/** Makes the rows of an environment and its credentials, or changes those that are there. */
export const writeEnvironment = async (tx: Queryable, rows: EnvironmentRows): Promise<void> => {
  await tx.query(write, [
    rows.id,
    rows.credentialsId,
    rows.name,
    rows.host,
    rows.token,
    rows.insecure,
    rows.namespaces,
    rows.clusterResources,
    rows.inputHash,
    rows.tokenExpiresAt,
    rows.serviceAccount,
    rows.now,
  ]);
};

/** What Argo CD is told of an environment. The token is as it is kept. */
export type EnvironmentValues = Pick<
  EnvironmentRows,
  'host' | 'token' | 'insecure' | 'namespaces' | 'clusterResources'
>;

const values = statement<EnvironmentValues>(
  'environment-values',
  `
select coalesce(c.host, '') as host, coalesce(c.serviceaccount_bearer_token, '') as token,
  coalesce(c.allowinsecure_skiptlsverify, false) as insecure, coalesce(c.namespaces, '') as namespaces,
  coalesce(c.cluster_resources, false) as "clusterResources"
from managedenvironment e
join clustercredentials c on c.clustercredentials_cred_id = e.clustercredentials_id
where e.managedenvironment_id = $1`,
);

/** What Argo CD is told of an environment now; undefined where there are no rows. */
export const selectEnvironmentValues = async (tx: Queryable, id: string): Promise<EnvironmentValues | undefined> =>
  (await tx.query(values, [id])).rows[0];

const allow = statement(
  'environment-allow',
  `
with others as (
  delete from appprojectmanagedenvironment where managed_environment_id = $3::text and clusteruser_id <> $2::text
)
insert into appprojectmanagedenvironment (appproject_managedenv_id, clusteruser_id, managed_environment_id, created_on)
select $1::text, $2::text, $3::text, $4
where not exists (
  select from appprojectmanagedenvironment where clusteruser_id = $2::text and managed_environment_id = $3::text
)`,
);

/** Lets the tenant's project deploy to an environment, and nobody else's. */
export const allowEnvironment = async (
  tx: Queryable,
  allowed: { readonly newId: string; readonly userId: string; readonly environmentId: string; readonly now: string },
): Promise<void> => {
  await tx.query(allow, [allowed.newId, allowed.userId, allowed.environmentId, allowed.now]);
};

/** An application that deploys to an environment. */
export interface EnvironmentUserRow {
  readonly application_id: string;
  readonly spec_field: string;
  readonly instance_id: string;
  /** The owner's row; null where the rows don't tell. */
  readonly user_id: string | null;
}

const users = statement<EnvironmentUserRow>(
  'environment-users',
  `
select a.application_id, a.spec_field, a.engine_instance_inst_id as instance_id, (
  select o.application_owner_user_id from applicationowner o
  where o.application_owner_application_id = a.application_id order by o.seq_id limit 1
) as user_id
from application a where a.managed_environment_id = $1
order by a.seq_id`,
);

/** The applications that deploy to an environment. */
export const selectEnvironmentUsers = async (tx: Queryable, id: string): Promise<readonly EnvironmentUserRow[]> =>
  (await tx.query(users, [id])).rows;

const detach = statement(
  'environment-detach',
  `update application set managed_environment_id = null, spec_field = $2 where application_id = $1`,
);

/** Takes its environment from an application; its text then names no destination. */
export const detachApplication = async (
  tx: Queryable,
  { id, specField }: { readonly id: string; readonly specField: string },
): Promise<void> => {
  await tx.query(detach, [id, specField]);
};

const removeAccess = statement(
  'environment-remove-access',
  `
with access as (
  delete from clusteraccess where clusteraccess_managed_environment_id = $1
), link as (
  delete from apicrtodatabasemapping
  where api_resource_type = 'GitOpsDeploymentManagedEnvironment' and db_relation_type = 'ManagedEnvironment'
    and api_resource_uid = $2
), result as (
  delete from probe_result where kind = 'GitOpsDeploymentManagedEnvironment' and uid = $2
)
delete from appprojectmanagedenvironment where managed_environment_id = $1`,
);
const removeRow = statement<{ credentials_id: string }>(
  'environment-remove',
  `delete from managedenvironment where managedenvironment_id = $1 returning clustercredentials_id as credentials_id`,
);
const removeCredentials = statement(
  'environment-remove-credentials',
  `
delete from clustercredentials c where c.clustercredentials_cred_id = $1
  and not exists (select from managedenvironment e where e.clustercredentials_id = c.clustercredentials_cred_id)
  and not exists (select from gitopsenginecluster g where g.clustercredentials_id = c.clustercredentials_cred_id)`,
);

/** Removes an environment with its link, credentials and permissions. No application may refer to it any more. */
export const removeEnvironment = async (
  tx: Queryable,
  { id, uid }: { readonly id: string; readonly uid: string },
): Promise<void> => {
  await tx.query(removeAccess, [id, uid]);
  const [removed] = (await tx.query(removeRow, [id])).rows;
  if (removed) await tx.query(removeCredentials, [removed.credentials_id]);
};
