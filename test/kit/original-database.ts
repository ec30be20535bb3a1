// The original service's database at its version 20: its schema, its way of inserting, and the rows that tenants share.
import { readMigrations } from '../../src/db/migrations.ts';
import { originalColumns } from '../../src/db/tables.ts';
import { namespaces } from '../../src/kube/object.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { engineNamespace, type World } from './world.ts';

/** A value of a column; undefined where the original leaves the column to its default. */
type Value = string | number | boolean | Buffer | { readonly sql: string } | undefined;

/** A time so many hours ago, as the original writes it. */
export const hoursAgo = (hours: number): { readonly sql: string } => ({
  sql: `(now() at time zone 'utc' - interval '${hours} hours')`,
});

const literal = (value: Value): string => {
  if (value === undefined) return 'default';
  if (Buffer.isBuffer(value)) return `'\\x${value.toString('hex')}'`;
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  return typeof value === 'object' ? value.sql : String(value);
};

const columnsOf = (table: string): string[] =>
  originalColumns()
    .filter((column) => column.startsWith(`${table}.`))
    .map((column) => column.slice(table.length + 1));

/** An insert as the original's library makes it: every column that it knows is named, what is empty is left to the default. */
export const originalInsert = (table: string, values: OriginalRow): string => {
  const columns = columnsOf(table);
  const unknown = Object.keys(values).filter((name) => !columns.includes(name));
  if (unknown.length > 0) throw new Error(`${table} has no ${unknown.join(', ')}`);
  return `insert into "${table}" (${columns.map((name) => `"${name}"`).join(', ')})
    values (${columns.map((name) => literal(values[name])).join(', ')})`;
};

/** A tenant and the namespace it is. */
export interface OriginalTenant {
  readonly namespace: string;
  readonly namespaceUid: string;
  readonly userId: string;
  /** The row of the tenant's own namespace as a target. */
  readonly environmentId: string;
}

/** Makes the original's schema in an empty database. */
export const makeOriginalSchema = async ({ database }: Pick<World, 'database'>): Promise<void> => {
  const [first] = await readMigrations();
  await database.script(first?.text ?? '');
};

/** A value for each column that is not left to its default. */
export type OriginalRow = Readonly<Record<string, Value>>;

/** Writes the rows of one original installation. */
export interface OriginalRows {
  readonly insert: (table: string, values: OriginalRow) => Promise<void>;
  /** The row of its Argo CD. */
  readonly instanceId: string;
}

const uuid = (): string => systemRandom.uuid();

/** The placeholder credentials of a cluster that the original is on itself. */
const insertLocalCredentials = async ({ insert }: OriginalRows): Promise<string> => {
  const id = uuid();
  await insert('clustercredentials', {
    clustercredentials_cred_id: id,
    host: 'host',
    kube_config: 'kube_config',
    kube_config_context: 'kube_config_context',
    serviceaccount_bearer_token: 'serviceaccount_bearer_token',
    serviceaccount_ns: 'serviceaccount_ns',
  });
  return id;
};

/** Maps the namespace with this UID to a row. */
const insertMapping = (
  { insert }: OriginalRows,
  uid: string,
  [relation, key]: readonly [string, string],
): Promise<void> =>
  insert('kubernetestodbresourcemapping', {
    kubernetes_resource_type: 'Namespace',
    kubernetes_resource_uid: uid,
    db_relation_type: relation,
    db_relation_key: key,
  });

/** The row that links an object of a tenant's namespace to its row. */
export const insertLink = (
  { insert }: OriginalRows,
  tenant: OriginalTenant,
  link: { readonly kind: string; readonly uid: string; readonly name: string; relation: string; key: string },
): Promise<void> =>
  insert('apicrtodatabasemapping', {
    api_resource_type: link.kind,
    api_resource_uid: link.uid,
    api_resource_name: link.name,
    api_resource_namespace: tenant.namespace,
    api_resource_namespace_uid: tenant.namespaceUid,
    db_relation_type: link.relation,
    db_relation_key: link.key,
  });

const uidOf = async ({ client }: World, name: string): Promise<string> =>
  (await client.get(namespaces, { name })).metadata.uid ?? '';

/** Makes the schema and the rows of the engine. */
export const makeOriginalDatabase = async (world: World): Promise<OriginalRows> => {
  await makeOriginalSchema(world);
  const instanceId = uuid();
  const rows: OriginalRows = {
    instanceId,
    insert: async (table, values) => void (await world.database.sql(originalInsert(table, values))),
  };
  const { insert } = rows;
  const clusterId = uuid();
  await insert('gitopsenginecluster', {
    gitopsenginecluster_id: clusterId,
    clustercredentials_id: await insertLocalCredentials(rows),
  });
  await insertMapping(rows, await uidOf(world, 'kube-system'), ['GitopsEngineCluster', clusterId]);
  const namespaceUid = await uidOf(world, engineNamespace);
  await insert('gitopsengineinstance', {
    gitopsengineinstance_id: instanceId,
    namespace_name: engineNamespace,
    namespace_uid: namespaceUid,
    enginecluster_id: clusterId,
  });
  await insertMapping(rows, namespaceUid, ['GitopsEngineInstance', instanceId]);
  return rows;
};

/** Lets a tenant reach an environment. */
export const insertAccess = (
  { insert, instanceId }: OriginalRows,
  userId: string,
  environmentId: string,
): Promise<void> =>
  insert('clusteraccess', {
    clusteraccess_user_id: userId,
    clusteraccess_managed_environment_id: environmentId,
    clusteraccess_gitops_engine_instance_id: instanceId,
  });

/** Lets a tenant's project read repositories. */
export const insertRepositories = async (
  { insert }: OriginalRows,
  { userId }: OriginalTenant,
  repositories: readonly string[],
): Promise<void> => {
  for (const repository of repositories)
    await insert('appprojectrepository', {
      appproject_repository_id: uuid(),
      clusteruser_id: userId,
      repo_url: repository,
    });
};

/** Makes a namespace and its tenant's rows. */
export const makeOriginalTenant = async (
  world: World,
  rows: OriginalRows,
  { namespace }: { readonly namespace: string },
): Promise<OriginalTenant> => {
  const { insert } = rows;
  const namespaceUid = await world.createNamespace(namespace);
  const [userId, environmentId] = [uuid(), uuid()];
  await insert('clusteruser', { clusteruser_id: userId, user_name: namespaceUid, display_name: namespace });
  await insert('managedenvironment', {
    managedenvironment_id: environmentId,
    name: `Managed Environment for ${namespace}`,
    clustercredentials_id: await insertLocalCredentials(rows),
  });
  await insertMapping(rows, namespaceUid, ['ManagedEnvironment', environmentId]);
  await insertAccess(rows, userId, environmentId);
  return { namespace, namespaceUid, userId, environmentId };
};
