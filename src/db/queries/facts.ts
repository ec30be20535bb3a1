// Pieces that the statements about facts share.
import type { UtcText } from '../rows.ts';

/** An Operation as JSON. */
export interface OperationJson {
  readonly id: string;
  readonly state: string;
  readonly message: string | null;
  readonly at: UtcText;
  readonly ours: boolean;
}

/** SQL for a column's moment as `UtcText`. */
export const utc = (column: string): string => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** SQL for the Operations of a resource as `OperationJson`, the oldest first. */
export const operationsOf = (resourceId: string, type: string): string => `(
  select jsonb_agg(jsonb_build_object(
    'id', o.operation_id, 'state', o.state, 'message', o.human_readable_state,
    'at', ${utc('o.last_state_update')}, 'ours', o.dedupe_key is not null
  ) order by o.seq_id)
  from operation o
  where o.resource_id = ${resourceId} and o.resource_type = '${type}'
)`;

/** SQL for the cluster that an engine's row is in: the UID of its `kube-system`. */
export const clusterOf = (instanceId: string): string => `(
  select cm.kubernetes_resource_uid
  from gitopsengineinstance i
  join kubernetestodbresourcemapping cm on cm.db_relation_key = i.enginecluster_id
    and cm.db_relation_type = 'GitopsEngineCluster' and cm.kubernetes_resource_type = 'Namespace'
  where i.gitopsengineinstance_id = ${instanceId}
)`;
