// What every lane does to the rows of its tenant: locks them, makes those that are missing, tells the agent.
import { writeOperation } from '../db/queries/operation.ts';
import {
  mapNamespaceTo,
  ensureAccess,
  ensureEngineCluster,
  ensureEngineInstance,
  ensureOwnEnvironment,
  lockTenant,
  selectEngineInstance,
} from '../db/queries/tenant.ts';
import type { Queryable } from '../db/pool.ts';
import type { OperationResourceType } from '../db/rows.ts';
import type { DeploymentFacts, EngineFacts, NamespaceFacts } from '../domain/deployment-facts.ts';
import { dedupeKey } from '../domain/operation.ts';
import type { Random } from '../lib/random.ts';

/** Ids of the rows that a deployment into the tenant's own namespace hangs on. */
export interface TenantRows {
  readonly userId: string;
  readonly engineInstanceId: string;
  readonly ownEnvironmentId: string;
}

/** What making rows takes. `now` is UTC text. */
interface RowContext {
  readonly random: Random;
  readonly now: string;
}

/** An open transaction that holds the lock of a tenant. */
export interface TenantWork extends RowContext {
  readonly tx: Queryable;
  readonly userId: string;
}

/** Locks the tenant of a lane until the transaction ends, and makes its row if it is missing. Returns the row's id. */
export const lockTenantOf = (
  tx: Queryable,
  { namespaceUid, namespace }: { readonly namespaceUid: string; readonly namespace: NamespaceFacts | undefined },
  { random, now }: RowContext,
): Promise<string> => lockTenant(tx, { newId: random.uuid(), namespaceUid, namespace: namespace?.name ?? '', now });

/** What an Operation is about. `ownerId` is the tenant of the transaction unless given. */
export interface OperationSubject {
  readonly type: OperationResourceType;
  readonly resourceId: string;
  readonly instanceId: string;
  readonly ownerId?: string | undefined;
}

/** Writes the Operation for a row, or touches the one that still waits. Returns its id. */
export const tellAgent = (
  { tx, userId, random, now }: TenantWork,
  { type, resourceId, instanceId, ownerId = userId }: OperationSubject,
): Promise<string> =>
  writeOperation(tx, {
    newId: random.uuid(),
    instanceId,
    resourceId,
    ownerId,
    type,
    dedupeKey: dedupeKey(instanceId, type, resourceId),
    now,
  });

/** The id of the engine's instance: the one that was read, or else that of the rows that are made for it. */
export const engineInstanceOf = async (
  { tx, random, now }: TenantWork,
  engine: EngineFacts,
  read: string | undefined,
): Promise<string> => read ?? (await ensureEngine(tx, engine, { random, now }));

/** The rows of the tenant whose user row is locked; those that are missing are made. */
export const ensureTenantRows = async (work: TenantWork, facts: DeploymentFacts): Promise<TenantRows> => {
  const { tx, userId, random, now } = work;
  const { engineInstanceId, ownEnvironmentId } = facts.ids;
  if (engineInstanceId !== undefined && ownEnvironmentId !== undefined) {
    return { userId, engineInstanceId, ownEnvironmentId };
  }
  const instanceId = await engineInstanceOf(work, facts.engine, engineInstanceId);
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
const ensureEngine = async (tx: Queryable, engine: EngineFacts, { random, now }: RowContext): Promise<string> => {
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
