// The columns of every table as data, held to `rows.ts` by the compiler and to the migrated database by a test.
import type * as rows from './rows.ts';

interface Rows {
  clustercredentials: rows.ClusterCredentialsRow;
  gitopsenginecluster: rows.GitopsEngineClusterRow;
  gitopsengineinstance: rows.GitopsEngineInstanceRow;
  managedenvironment: rows.ManagedEnvironmentRow;
  clusteruser: rows.ClusterUserRow;
  clusteraccess: rows.ClusterAccessRow;
  operation: rows.OperationRow;
  application: rows.ApplicationRow;
  applicationstate: rows.ApplicationStateRow;
  deploymenttoapplicationmapping: rows.DeploymentToApplicationMappingRow;
  kubernetestodbresourcemapping: rows.KubernetesToDbResourceMappingRow;
  apicrtodatabasemapping: rows.ApiCrToDatabaseMappingRow;
  syncoperation: rows.SyncOperationRow;
  repositorycredentials: rows.RepositoryCredentialsRow;
  appprojectrepository: rows.AppProjectRepositoryRow;
  appprojectmanagedenvironment: rows.AppProjectManagedEnvironmentRow;
  applicationowner: rows.ApplicationOwnerRow;
  deletion: rows.DeletionRow;
  refresh_request: rows.RefreshRequestRow;
  probe_result: rows.ProbeResultRow;
  environment_cleanup: rows.EnvironmentCleanupRow;
}

/** The SQL types that a TypeScript type is read from. */
type SqlTypeOf<Value> = [Value] extends [string]
  ? `varchar(${number})` | 'timestamp'
  : [Value] extends [number]
    ? 'integer' | 'bigint'
    : [Value] extends [boolean]
      ? 'boolean'
      : 'bytea';

type ColumnOf<Value> = null extends Value ? `${SqlTypeOf<NonNullable<Value>>} null` : SqlTypeOf<Value>;

type Tables = { readonly [T in keyof Rows]: { readonly [C in keyof Rows[T]]: ColumnOf<Rows[T][C]> } };

/** Each table's columns with their SQL types; ` null` at the end of those that may be null. */
export const tables = {
  clustercredentials: {
    clustercredentials_cred_id: 'varchar(48)',
    host: 'varchar(512) null',
    kube_config: 'varchar(65000) null',
    kube_config_context: 'varchar(64) null',
    serviceaccount_bearer_token: 'varchar(16384) null',
    serviceaccount_ns: 'varchar(128) null',
    seq_id: 'integer',
    allowinsecure_skiptlsverify: 'boolean null',
    created_on: 'timestamp',
    namespaces: 'varchar(4096) null',
    cluster_resources: 'boolean null',
    input_hash: 'varchar(64) null',
    token_expires_at: 'timestamp null',
    service_account: 'varchar(128) null',
  },
  gitopsenginecluster: {
    gitopsenginecluster_id: 'varchar(48)',
    seq_id: 'integer',
    clustercredentials_id: 'varchar(48)',
  },
  gitopsengineinstance: {
    gitopsengineinstance_id: 'varchar(48)',
    seq_id: 'integer',
    namespace_name: 'varchar(63)',
    namespace_uid: 'varchar(48)',
    enginecluster_id: 'varchar(48)',
  },
  managedenvironment: {
    managedenvironment_id: 'varchar(48)',
    seq_id: 'integer',
    name: 'varchar(256)',
    clustercredentials_id: 'varchar(48)',
    created_on: 'timestamp',
  },
  clusteruser: {
    clusteruser_id: 'varchar(48)',
    user_name: 'varchar(256)',
    seq_id: 'integer',
    created_on: 'timestamp',
    display_name: 'varchar(128) null',
  },
  clusteraccess: {
    clusteraccess_user_id: 'varchar(48)',
    clusteraccess_managed_environment_id: 'varchar(48)',
    clusteraccess_gitops_engine_instance_id: 'varchar(48)',
    seq_id: 'integer',
    created_on: 'timestamp',
  },
  operation: {
    operation_id: 'varchar(48)',
    seq_id: 'integer',
    instance_id: 'varchar(48)',
    resource_id: 'varchar(48)',
    operation_owner_user_id: 'varchar(48) null',
    resource_type: 'varchar(32)',
    created_on: 'timestamp',
    last_state_update: 'timestamp',
    state: 'varchar(30)',
    human_readable_state: 'varchar(1024) null',
    gc_expiration_time: 'integer null',
    dedupe_key: 'varchar(256) null',
    delivered_at: 'timestamp null',
    attempts: 'integer null',
    deadline_at: 'timestamp null',
  },
  application: {
    application_id: 'varchar(48)',
    name: 'varchar(256)',
    spec_field: 'varchar(16384)',
    engine_instance_inst_id: 'varchar(48)',
    managed_environment_id: 'varchar(48) null',
    seq_id: 'integer',
    created_on: 'timestamp',
    normalized_repo_url: 'varchar(512) null',
  },
  applicationstate: {
    applicationstate_application_id: 'varchar(48)',
    argocd_application_status: 'bytea null',
    content_hash: 'varchar(64) null',
  },
  deploymenttoapplicationmapping: {
    deploymenttoapplicationmapping_uid_id: 'varchar(48)',
    name: 'varchar(256) null',
    namespace: 'varchar(96) null',
    namespace_uid: 'varchar(48) null',
    application_id: 'varchar(48)',
    seq_id: 'integer',
    generation: 'bigint null',
  },
  kubernetestodbresourcemapping: {
    kubernetes_resource_type: 'varchar(64)',
    kubernetes_resource_uid: 'varchar(64)',
    db_relation_type: 'varchar(64)',
    db_relation_key: 'varchar(64)',
    seq_id: 'integer',
  },
  apicrtodatabasemapping: {
    api_resource_type: 'varchar(64)',
    api_resource_uid: 'varchar(64)',
    api_resource_name: 'varchar(256)',
    api_resource_namespace: 'varchar(256)',
    api_resource_namespace_uid: 'varchar(64)',
    db_relation_type: 'varchar(32)',
    db_relation_key: 'varchar(64)',
    seq_id: 'integer',
    generation: 'integer null',
  },
  syncoperation: {
    syncoperation_id: 'varchar(48)',
    seq_id: 'integer',
    application_id: 'varchar(48) null',
    deployment_name: 'varchar(256)',
    revision: 'varchar(256)',
    desired_state: 'varchar(16)',
    created_on: 'timestamp',
    engine_instance_id: 'varchar(48) null',
    ended_at: 'timestamp null',
    error: 'varchar(1024) null',
  },
  repositorycredentials: {
    repositorycredentials_id: 'varchar(48)',
    repo_cred_user_id: 'varchar(48)',
    repo_cred_url: 'varchar(512)',
    repo_cred_user: 'varchar(256) null',
    repo_cred_pass: 'varchar(8192) null',
    repo_cred_ssh: 'varchar(16384) null',
    repo_cred_secret: 'varchar(253)',
    repo_cred_engine_id: 'varchar(48)',
    seq_id: 'integer',
    created_on: 'timestamp',
    input_hash: 'varchar(64) null',
  },
  appprojectrepository: {
    appproject_repository_id: 'varchar(48)',
    clusteruser_id: 'varchar(48)',
    repo_url: 'varchar(512)',
    created_on: 'timestamp',
    seq_id: 'integer',
  },
  appprojectmanagedenvironment: {
    appproject_managedenv_id: 'varchar(48)',
    clusteruser_id: 'varchar(48)',
    managed_environment_id: 'varchar(48)',
    created_on: 'timestamp',
    seq_id: 'integer',
  },
  applicationowner: {
    application_owner_application_id: 'varchar(48)',
    application_owner_user_id: 'varchar(48)',
    seq_id: 'integer',
    created_on: 'timestamp',
  },
  deletion: {
    deployment_uid: 'varchar(48)',
    namespace_uid: 'varchar(48)',
    name: 'varchar(256)',
    application_id: 'varchar(48)',
    operation_id: 'varchar(48)',
    requested_at: 'timestamp',
    engine_instance_id: 'varchar(48) null',
  },
  refresh_request: {
    application_id: 'varchar(48)',
    cause: 'varchar(32)',
    delivery_id: 'varchar(128) null',
    due_at: 'timestamp',
    requested_at: 'timestamp',
  },
  probe_result: {
    kind: 'varchar(64)',
    uid: 'varchar(48)',
    input_hash: 'varchar(64)',
    reason: 'varchar(64)',
    message: 'varchar(4096)',
    checked_at: 'timestamp',
  },
  environment_cleanup: {
    cleanup_id: 'varchar(48)',
    environment_id: 'varchar(48)',
    environment_uid: 'varchar(48)',
    host: 'varchar(512)',
    bearer_token: 'varchar(16384)',
    allow_insecure: 'boolean',
    service_account: 'varchar(128)',
    requested_at: 'timestamp',
    attempts: 'integer',
    due_at: 'timestamp',
  },
} as const satisfies Tables;

/** What we added to the original's schema: whole tables, or columns of one of its tables. */
const added: Readonly<Record<string, 'table' | readonly string[]>> = {
  deletion: 'table',
  refresh_request: 'table',
  probe_result: 'table',
  environment_cleanup: 'table',
  clustercredentials: ['input_hash', 'token_expires_at', 'service_account'],
  apicrtodatabasemapping: ['generation'],
  repositorycredentials: ['input_hash'],
  operation: ['dedupe_key', 'delivered_at', 'attempts', 'deadline_at'],
  syncoperation: ['engine_instance_id', 'ended_at', 'error'],
  application: ['normalized_repo_url'],
  applicationstate: ['content_hash'],
  deploymenttoapplicationmapping: ['generation'],
};

/** Every column of the original's schema, as `table.column`. */
export const originalColumns = (): string[] =>
  Object.entries(tables).flatMap(([table, columns]) => {
    const ours = added[table] ?? [];
    if (ours === 'table') return [];
    return Object.keys(columns)
      .filter((column) => !ours.includes(column))
      .map((column) => `${table}.${column}`);
  });
