// Pieces that the statements about facts share.
import type { UtcText } from '../rows.ts';
import { linkedKinds, type LinkedKind } from './resource-link.ts';

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

/** What the last check outside has found, as JSON. */
export interface CheckJson {
  readonly inputHash: string;
  /** '' when all was well. */
  readonly reason: string;
  readonly message: string;
  readonly at: UtcText;
}

/** SQL for the last check of an object of a kind, as `CheckJson`. */
export const checkOf = (kind: string, uid: string): string => `(
  select jsonb_build_object(
    'inputHash', r.input_hash, 'reason', r.reason, 'message', r.message, 'at', ${utc('r.checked_at')}
  )
  from probe_result r where r.kind = '${kind}' and r.uid = ${uid}
)`;

/** SQL for the engine's row as `instance_id`: by the UIDs of its namespace and of its cluster. */
export const engineInstance = (namespaceUid: string, clusterUid: string): string => `
  select i.gitopsengineinstance_id as instance_id
  from kubernetestodbresourcemapping im
  join gitopsengineinstance i on i.gitopsengineinstance_id = im.db_relation_key
  join kubernetestodbresourcemapping cm
    on cm.kubernetes_resource_type = 'Namespace' and cm.kubernetes_resource_uid = ${clusterUid}
    and cm.db_relation_type = 'GitopsEngineCluster' and cm.db_relation_key = i.enginecluster_id
  where im.kubernetes_resource_type = 'Namespace' and im.kubernetes_resource_uid = ${namespaceUid}
    and im.db_relation_type = 'GitopsEngineInstance'`;

/** A row that links an object, by UID, to its own row, as far as every kind has it. */
export interface LinkedJson {
  readonly uid: string;
  readonly namespaceUid: string;
  /** Name of the namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly generation: number | null;
  readonly id: string;
  /** The cluster of the engine that it belongs to; null where the rows don't tell. */
  readonly clusterUid: string | null;
}

/** SQL for the fields of `LinkedJson` of the link `m`, for `jsonb_build_object`. */
export const linkedFields = (clusterUid: string): string => `
  'uid', m.api_resource_uid, 'namespaceUid', m.api_resource_namespace_uid, 'namespace', m.api_resource_namespace,
  'name', m.api_resource_name, 'generation', m.generation, 'id', m.db_relation_key, 'clusterUid', ${clusterUid}`;

/** SQL that is true for a link `m` of a kind with the name, or of the object, of the key `k`. */
export const linkedToKey = (kind: LinkedKind): string => `
  m.api_resource_type = '${kind}' and m.db_relation_type = '${linkedKinds[kind]}'
  and ((m.api_resource_namespace_uid = k.namespace_uid and m.api_resource_name = k.name)
    or (k.uid <> '' and m.api_resource_uid = k.uid))`;
