// The rows that belong to a tenant and to the engine that serves it. Each statement may run twice without harm.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';

const lockUser = statement<{ clusteruser_id: string }>(
  'tenant-lock',
  `
insert into clusteruser (clusteruser_id, user_name, display_name, created_on) values ($1, $2, $3, $4)
on conflict (user_name) do update
  set display_name = coalesce(nullif(clusteruser.display_name, ''), excluded.display_name)
returning clusteruser_id`,
);

/** Inserts the tenant's row, or locks the one that is there, until the transaction ends. Returns its id. */
export const lockTenant = async (
  tx: Queryable,
  tenant: { readonly newId: string; readonly namespaceUid: string; readonly namespace: string; readonly now: string },
): Promise<string> => {
  const { rows } = await tx.query(lockUser, [tenant.newId, tenant.namespaceUid, tenant.namespace, tenant.now]);
  return rows[0]?.clusteruser_id ?? tenant.newId;
};

const mapNamespace = statement<{ db_relation_key: string }>(
  'tenant-map-namespace',
  `
insert into kubernetestodbresourcemapping
  (kubernetes_resource_type, kubernetes_resource_uid, db_relation_type, db_relation_key)
values ('Namespace', $1, $2, $3)
on conflict (kubernetes_resource_type, kubernetes_resource_uid, db_relation_type) do update
  set db_relation_key = kubernetestodbresourcemapping.db_relation_key
returning db_relation_key`,
);

/** What a namespace may stand for in `kubernetestodbresourcemapping`. */
export type NamespaceRelation = 'ManagedEnvironment' | 'GitopsEngineCluster' | 'GitopsEngineInstance';

/** The id that a namespace stands for, `newId` when it stood for nothing; locks the mapping, so that two can't race. */
export const mapNamespaceTo = async (
  tx: Queryable,
  mapping: { readonly namespaceUid: string; readonly relation: NamespaceRelation; readonly newId: string },
): Promise<string> => {
  const { rows } = await tx.query(mapNamespace, [mapping.namespaceUid, mapping.relation, mapping.newId]);
  return rows[0]?.db_relation_key ?? mapping.newId;
};

// The placeholder texts are what the other half expects of a cluster that needs no credentials: its own.
const placeholderCredentials = (cluster: string, condition: string): string => `
insert into clustercredentials (
  clustercredentials_cred_id, host, kube_config, kube_config_context, serviceaccount_bearer_token, serviceaccount_ns,
  created_on
)
select ${cluster}, 'host', 'kube_config', 'kube_config_context', 'serviceaccount_bearer_token', 'serviceaccount_ns', $3
where not exists (${condition})
returning clustercredentials_cred_id`;

const ensureCluster = statement(
  'tenant-ensure-engine-cluster',
  `
with made as (${placeholderCredentials('$2', 'select from gitopsenginecluster where gitopsenginecluster_id = $1')})
insert into gitopsenginecluster (gitopsenginecluster_id, clustercredentials_id)
select $1, clustercredentials_cred_id from made`,
);

/** Makes the row of the cluster that Argo CD runs on, if it is missing, with placeholder credentials. */
export const ensureEngineCluster = async (
  tx: Queryable,
  cluster: { readonly id: string; readonly newCredentialsId: string; readonly now: string },
): Promise<void> => {
  await tx.query(ensureCluster, [cluster.id, cluster.newCredentialsId, cluster.now]);
};

const instanceOf = statement<{ id: string }>(
  'tenant-engine-instance-of',
  `
select gitopsengineinstance_id as id from gitopsengineinstance
where namespace_name = $1 and namespace_uid = $2 and enginecluster_id = $3`,
);

/** The id of an Argo CD's row, also of one that no mapping names: its writer may have died in between. */
export const selectEngineInstance = async (
  tx: Queryable,
  instance: { readonly namespace: string; readonly namespaceUid: string; readonly clusterId: string },
): Promise<string | undefined> =>
  (await tx.query(instanceOf, [instance.namespace, instance.namespaceUid, instance.clusterId])).rows[0]?.id;

const ensureInstance = statement(
  'tenant-ensure-engine-instance',
  `
insert into gitopsengineinstance (gitopsengineinstance_id, namespace_name, namespace_uid, enginecluster_id)
select $1::text, $2, $3, $4
where not exists (select from gitopsengineinstance where gitopsengineinstance_id = $1::text)`,
);

/** Makes the row of an Argo CD, if it is missing. */
export const ensureEngineInstance = async (
  tx: Queryable,
  instance: {
    readonly id: string;
    readonly namespace: string;
    readonly namespaceUid: string;
    readonly clusterId: string;
  },
): Promise<void> => {
  await tx.query(ensureInstance, [instance.id, instance.namespace, instance.namespaceUid, instance.clusterId]);
};

const ensureEnvironment = statement(
  'tenant-ensure-own-environment',
  `
with made as (${placeholderCredentials('$2', 'select from managedenvironment where managedenvironment_id = $1')})
insert into managedenvironment (managedenvironment_id, name, clustercredentials_id, created_on)
select $1, $4, clustercredentials_cred_id, $3 from made`,
);

/** Makes the row of the tenant's own namespace as a target, if it is missing, with placeholder credentials. */
export const ensureOwnEnvironment = async (
  tx: Queryable,
  environment: { readonly id: string; readonly newCredentialsId: string; readonly name: string; readonly now: string },
): Promise<void> => {
  await tx.query(ensureEnvironment, [environment.id, environment.newCredentialsId, environment.now, environment.name]);
};

const allowAccess = statement(
  'tenant-allow-access',
  `
insert into clusteraccess
  (clusteraccess_user_id, clusteraccess_managed_environment_id, clusteraccess_gitops_engine_instance_id, created_on)
values ($1, $2, $3, $4)
on conflict do nothing`,
);

/** Notes that a tenant reaches an environment through an engine. */
export const ensureAccess = async (
  tx: Queryable,
  access: {
    readonly userId: string;
    readonly environmentId: string;
    readonly instanceId: string;
    readonly now: string;
  },
): Promise<void> => {
  await tx.query(allowAccess, [access.userId, access.environmentId, access.instanceId, access.now]);
};
