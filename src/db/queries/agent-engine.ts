// Which engine rows are those of an agent: a piece of its statements.

/** The Argo CD that an agent serves: a namespace of the cluster whose `kube-system` has this UID. */
export interface AgentEngine {
  readonly namespace: string;
  readonly clusterUid: string;
}

/**
 * SQL for the ids of the engine rows that mean an agent's Argo CD, whatever UID its namespace had when they were made.
 * The arguments are the placeholders of namespace name and cluster UID.
 */
export const engineRows = (namespace: string, clusterUid: string): string => `(
  select i.gitopsengineinstance_id
  from gitopsengineinstance i
  join kubernetestodbresourcemapping m
    on m.kubernetes_resource_type = 'Namespace' and m.kubernetes_resource_uid = ${clusterUid}
    and m.db_relation_type = 'GitopsEngineCluster' and m.db_relation_key = i.enginecluster_id
  where i.namespace_name = ${namespace}
)`;
