// The rows a tenant's first deployment needs besides its own: made inside its transaction, once.
import {
  mapNamespaceTo,
  ensureAccess,
  ensureEngineCluster,
  ensureEngineInstance,
  ensureOwnEnvironment,
  selectEngineInstance,
} from '../db/queries/tenant.ts';
import type { Queryable } from '../db/pool.ts';
import type { DeploymentFacts } from '../domain/deployment-facts.ts';
import type { Random } from '../lib/random.ts';

/** Ids of the rows that a deployment into the tenant's own namespace hangs on. */
export interface TenantRows {
  readonly userId: string;
  readonly engineInstanceId: string;
  readonly ownEnvironmentId: string;
}

/** What making rows takes. `now` is UTC text. */
export interface RowContext {
  readonly random: Random;
  readonly now: string;
}

/** The rows of the tenant whose user row is locked; those that are missing are made. */
export const ensureTenantRows = async (
  tx: Queryable,
  facts: DeploymentFacts & { readonly ids: { readonly userId: string } },
  context: RowContext,
): Promise<TenantRows> => {
  const { userId, engineInstanceId, ownEnvironmentId } = facts.ids;
  if (engineInstanceId !== undefined && ownEnvironmentId !== undefined) {
    return { userId, engineInstanceId, ownEnvironmentId };
  }
  const instanceId = engineInstanceId ?? (await ensureEngine(tx, facts, context));
  const { random, now } = context;
  const environmentId = await mapNamespaceTo(tx, {
    namespaceUid: facts.namespaceUid,
    relation: 'ManagedEnvironment',
    newId: random.uuid(),
  });
  await ensureOwnEnvironment(tx, {
    id: environmentId,
    newCredentialsId: random.uuid(),
    name: `Managed Environment for ${facts.namespace?.name ?? ''}`,
    now,
  });
  await ensureAccess(tx, { userId, environmentId, instanceId, now });
  return { userId, engineInstanceId: instanceId, ownEnvironmentId: environmentId };
};

/**
 * The rows of the Argo CD that serves everyone and of the cluster it runs on. They have no tenant, so what keeps two
 * namespaces from making them twice is the lock on their mapping rows: always the cluster's first.
 */
export const ensureEngine = async (
  tx: Queryable,
  { engine }: Pick<DeploymentFacts, 'engine'>,
  { random, now }: RowContext,
): Promise<string> => {
  const clusterId = await mapNamespaceTo(tx, {
    namespaceUid: engine.clusterUid,
    relation: 'GitopsEngineCluster',
    newId: random.uuid(),
  });
  await ensureEngineCluster(tx, { id: clusterId, newCredentialsId: random.uuid(), now });
  const instance = { namespace: engine.namespace, namespaceUid: engine.namespaceUid, clusterId };
  const id = await mapNamespaceTo(tx, {
    namespaceUid: engine.namespaceUid,
    relation: 'GitopsEngineInstance',
    newId: (await selectEngineInstance(tx, instance)) ?? random.uuid(),
  });
  await ensureEngineInstance(tx, { id, ...instance });
  return id;
};
