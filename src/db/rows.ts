// The tables as they are: one interface per table, with the names the original gave its columns. Above `db` and
// `domain` nobody uses these names.

/** A moment in UTC with microseconds, `2026-01-31T12:00:00.000000Z`: the order of the texts is the order of the moments. */
export type UtcText = string;

/** How to reach a cluster. */
export interface ClusterCredentialsRow {
  clustercredentials_cred_id: string;
  host: string | null;
  kube_config: string | null;
  kube_config_context: string | null;
  serviceaccount_bearer_token: string | null;
  serviceaccount_ns: string | null;
  seq_id: number;
  allowinsecure_skiptlsverify: boolean | null;
  created_on: UtcText;
  namespaces: string | null;
  cluster_resources: boolean | null;
  /** Of what the credentials were made from. */
  input_hash: string | null;
  /** When the token ends; null for one that lasts. */
  token_expires_at: UtcText | null;
  /** The ServiceAccount that was made on the cluster; null where none was. */
  service_account: string | null;
}

/** A cluster that Argo CD runs on. */
export interface GitopsEngineClusterRow {
  gitopsenginecluster_id: string;
  seq_id: number;
  clustercredentials_id: string;
}

/** One Argo CD, which is one namespace. */
export interface GitopsEngineInstanceRow {
  gitopsengineinstance_id: string;
  seq_id: number;
  namespace_name: string;
  namespace_uid: string;
  enginecluster_id: string;
}

/** Where tenants deploy to. */
export interface ManagedEnvironmentRow {
  managedenvironment_id: string;
  seq_id: number;
  name: string;
  clustercredentials_id: string;
  created_on: UtcText;
}

/** A tenant: `user_name` is its namespace's UID, `display_name` its namespace's name. */
export interface ClusterUserRow {
  clusteruser_id: string;
  user_name: string;
  seq_id: number;
  created_on: UtcText;
  display_name: string | null;
}

/** Which tenant reaches which environment through which engine. */
export interface ClusterAccessRow {
  clusteraccess_user_id: string;
  clusteraccess_managed_environment_id: string;
  clusteraccess_gitops_engine_instance_id: string;
  seq_id: number;
  created_on: UtcText;
}

/** How far an Operation is. The last two are final. */
export type OperationState = 'Waiting' | 'In_Progress' | 'Completed' | 'Failed';

/** What an Operation is about; `resource_id` is the key of a row of that kind. */
export type OperationResourceType =
  'Application' | 'ManagedEnvironment' | 'RepositoryCredentials' | 'SyncOperation' | 'GitOpsEngineInstance';

/** A ticket for the agent: look at that row again. */
export interface OperationRow {
  operation_id: string;
  seq_id: number;
  instance_id: string;
  resource_id: string;
  operation_owner_user_id: string | null;
  resource_type: OperationResourceType;
  created_on: UtcText;
  last_state_update: UtcText;
  state: OperationState;
  human_readable_state: string | null;
  gc_expiration_time: number | null;
  /** Not null: the row is ours. At most one row with a given key is `Waiting`. */
  dedupe_key: string | null;
  /** When its custom resource was made. */
  delivered_at: UtcText | null;
  attempts: number | null;
  deadline_at: UtcText | null;
}

/** The Argo CD Application that should be there. */
export interface ApplicationRow {
  application_id: string;
  name: string;
  spec_field: string;
  engine_instance_inst_id: string;
  managed_environment_id: string | null;
  seq_id: number;
  created_on: UtcText;
  normalized_repo_url: string | null;
}

/** What Argo CD says of an Application. */
export interface ApplicationStateRow {
  applicationstate_application_id: string;
  argocd_application_status: Buffer | null;
  /** Hash of the fields that we use, or null when the blob was written by somebody who does not keep it. */
  content_hash: string | null;
}

/** Which GitOpsDeployment (by UID) an application belongs to. */
export interface DeploymentToApplicationMappingRow {
  deploymenttoapplicationmapping_uid_id: string;
  name: string | null;
  namespace: string | null;
  namespace_uid: string | null;
  application_id: string;
  seq_id: number;
  /** `metadata.generation` of the GitOpsDeployment that the rows were planned from. */
  generation: number | null;
}

/** Which row a namespace stands for. */
export interface KubernetesToDbResourceMappingRow {
  kubernetes_resource_type: string;
  kubernetes_resource_uid: string;
  db_relation_type: string;
  db_relation_key: string;
  seq_id: number;
}

/** Which row another custom resource stands for. */
export interface ApiCrToDatabaseMappingRow {
  api_resource_type: string;
  api_resource_uid: string;
  api_resource_name: string;
  api_resource_namespace: string;
  api_resource_namespace_uid: string;
  db_relation_type: string;
  db_relation_key: string;
  seq_id: number;
  /** `metadata.generation` of the object that the row was planned from. */
  generation: number | null;
}

/** A wish to sync, or to stop syncing. */
export interface SyncOperationRow {
  syncoperation_id: string;
  seq_id: number;
  application_id: string | null;
  deployment_name: string;
  /** '' means the target revision of the deployment. */
  revision: string;
  /** `Running` or `Terminated`. */
  desired_state: string;
  created_on: UtcText;
  /** The engine it was ordered from. */
  engine_instance_id: string | null;
  /** When its end was noted; null while it is open. */
  ended_at: UtcText | null;
  /** Why it failed. */
  error: string | null;
}

/** How to read a private Git repository. */
export interface RepositoryCredentialsRow {
  repositorycredentials_id: string;
  repo_cred_user_id: string;
  repo_cred_url: string;
  repo_cred_user: string | null;
  repo_cred_pass: string | null;
  repo_cred_ssh: string | null;
  repo_cred_secret: string;
  repo_cred_engine_id: string;
  seq_id: number;
  created_on: UtcText;
  /** Of what the row was made from. */
  input_hash: string | null;
}

/** A repository that a tenant's AppProject may read. */
export interface AppProjectRepositoryRow {
  appproject_repository_id: string;
  clusteruser_id: string;
  repo_url: string;
  created_on: UtcText;
  seq_id: number;
}

/** An environment that a tenant's AppProject may deploy to. */
export interface AppProjectManagedEnvironmentRow {
  appproject_managedenv_id: string;
  clusteruser_id: string;
  managed_environment_id: string;
  created_on: UtcText;
  seq_id: number;
}

/** Which tenant an application belongs to. */
export interface ApplicationOwnerRow {
  application_owner_application_id: string;
  application_owner_user_id: string;
  seq_id: number;
  created_on: UtcText;
}

/** A removed deployment whose Application may still be there. */
export interface DeletionRow {
  deployment_uid: string;
  namespace_uid: string;
  name: string;
  application_id: string;
  operation_id: string;
  requested_at: UtcText;
  engine_instance_id: string | null;
}

/** A wish that Argo CD look at an Application's repository again, not before `due_at`. */
export interface RefreshRequestRow {
  application_id: string;
  cause: string;
  delivery_id: string | null;
  due_at: UtcText;
  requested_at: UtcText;
}

/** What the last check outside has found about an environment or a credential. */
export interface ProbeResultRow {
  kind: string;
  /** Of the object. */
  uid: string;
  /** Of what was checked: about anything else the result says nothing. */
  input_hash: string;
  /** '' when all was well. */
  reason: string;
  message: string;
  checked_at: UtcText;
}

/** What was made on another cluster for an environment that is gone or has moved, until it is removed there. */
export interface EnvironmentCleanupRow {
  cleanup_id: string;
  environment_id: string;
  environment_uid: string;
  host: string;
  bearer_token: string;
  allow_insecure: boolean;
  service_account: string;
  requested_at: UtcText;
  attempts: number;
  due_at: UtcText;
}
