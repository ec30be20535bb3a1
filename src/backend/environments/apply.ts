// Makes the rows what the plan says, together with the Operations that tell the agent, in one transaction.
import {
  allowEnvironment,
  detachApplication,
  removeEnvironment,
  selectEnvironmentUsers,
  selectEnvironmentValues,
  writeEnvironment,
  type EnvironmentRows,
  type EnvironmentUserRow,
  type EnvironmentValues,
} from '../../db/queries/environment.ts';
import { internalFault } from '../../api/reasons.ts';
import { dropCleanups, insertCleanup } from '../../db/queries/environment-cleanup.ts';
import { linkResource } from '../../db/queries/resource-link.ts';
import { ensureAccess } from '../../db/queries/tenant.ts';
import type { Queryable } from '../../db/pool.ts';
import { isAnswered } from '../../db/sql-error.ts';
import type { EnvironmentFacts, EnvironmentFound, EnvironmentLink } from '../../domain/environment-facts.ts';
import { planEnvironment, writesEnvironment, type EnvironmentWrite } from '../../domain/environment-plan.ts';
import { readSpecField, writeSpecField } from '../../domain/spec-field.ts';
import { utcText } from '../../lib/clock.ts';
import { messageOf } from '../../lib/fault.ts';
import { engineInstanceOf, lockTenantOf, tellAgent, type TenantWork } from '../tenant.ts';
import type { EnvironmentContext } from './context.ts';
import { gatherEnvironmentAgain } from './gather.ts';

/** An open transaction that holds the tenant's lock, and what was read under it. */
interface Work extends TenantWork, Pick<EnvironmentContext, 'keyring' | 'clock'> {
  readonly facts: EnvironmentFacts;
}

/** What was written. */
export interface AppliedEnvironment {
  /** Links that are gone. */
  readonly removed: readonly EnvironmentLink[];
  /** Operations that nobody waits for. */
  readonly operations: readonly string[];
  /** What has gone into the rows; undefined when nothing was written. */
  readonly found: EnvironmentFound | undefined;
}

const nothing: AppliedEnvironment = { removed: [], operations: [], found: undefined };

/**
 * Carries out the plan for `facts`: locks the tenant, reads the rows again, plans again, writes what differs.
 * @throws what planning throws, with nothing written.
 */
export const applyEnvironmentPlan = async (
  context: EnvironmentContext,
  facts: EnvironmentFacts,
): Promise<AppliedEnvironment> => {
  const { db, random, clock, lost, keyring } = context;
  const nowMs = clock.now();
  const now = utcText(nowMs);
  return db.transaction('environment-apply', async (tx) => {
    const userId = await lockTenantOf(tx, facts, { random, now });
    const locked = await gatherEnvironmentAgain(tx, facts);
    const plan = planEnvironment(locked, context.checks, nowMs);
    if (!writesEnvironment(plan)) return nothing;
    const work: Work = { tx, facts: locked, userId, random, now, keyring, clock };
    const operations: string[] = [];
    for (const link of plan.remove) operations.push(await removeLink(work, link));
    if (plan.write) await writeRows(work, plan.write);
    lost.throwIfAborted(); // then this is rolled back: whoever works now may have planned from something newer
    return { removed: plan.remove, operations, found: plan.write?.found };
  });
};

const engineOf = (work: Work): Promise<string> =>
  engineInstanceOf(work, work.facts.engine, work.facts.engineInstanceId);

/** What deploys to it has nowhere to go any more, and Argo CD forgets the cluster. Returns that Operation's id. */
const removeLink = async (work: Work, link: EnvironmentLink): Promise<string> => {
  const { tx } = work;
  for (const user of await selectEnvironmentUsers(tx, link.id)) {
    await detachApplication(tx, { id: user.application_id, specField: withoutDestination(user.spec_field) });
    await tellApplication(work, user);
  }
  await noteCleanup(work, link, 0);
  await removeEnvironment(tx, { id: link.id, uid: link.environmentUid });
  return tellAgent(work, { type: 'ManagedEnvironment', resourceId: link.id, instanceId: await engineOf(work) });
};

/** The text of an application that names no destination; one that is damaged is left to its deployment. */
const withoutDestination = (specField: string): string => {
  try {
    const application = readSpecField(specField);
    return writeSpecField({ ...application, destination: { ...application.destination, name: '' } });
  } catch {
    return specField;
  }
};

const tellApplication = (work: Work, user: EnvironmentUserRow): Promise<string> =>
  tellAgent(work, {
    type: 'Application',
    resourceId: user.application_id,
    instanceId: user.instance_id,
    ownerId: user.user_id ?? undefined,
  });

/** Time for Argo CD to take the new credentials, before the old ones end; and for who changes his mind. */
export const CLEANUP_AFTER_MS = 60_000;

const noteCleanup = async (
  work: Work,
  { id, environmentUid, rows }: EnvironmentLink,
  afterMs: number,
): Promise<void> => {
  if (!rows?.serviceAccount) return;
  await insertCleanup(work.tx, {
    id: work.random.uuid(),
    environmentId: id,
    environmentUid,
    host: rows.host,
    sealedToken: rows.sealedToken,
    insecure: rows.insecure,
    serviceAccount: rows.serviceAccount,
    now: work.now,
    dueAt: utcText(work.clock.now() + afterMs),
  });
};

const writeRows = async (work: Work, write: EnvironmentWrite): Promise<void> => {
  const { tx, facts, userId, random, now, keyring } = work;
  const { link, wish, found, environmentUid, generation } = write;
  const instanceId = await engineOf(work);
  const id = link?.rows ? link.id : random.uuid();
  if (link?.rows && (link.rows.host !== wish.host || !found.serviceAccount)) {
    await noteCleanup(work, link, CLEANUP_AFTER_MS);
  }
  if (found.serviceAccount) await dropCleanups(tx, { environmentUid, host: wish.host, until: now });
  const before = await selectEnvironmentValues(tx, id);
  const { host, insecure, namespaces, clusterResources } = wish;
  const values: EnvironmentValues = { host, token: found.token, insecure, namespaces, clusterResources };
  await keep(tx, {
    id,
    credentialsId: link?.rows?.credentialsId ?? random.uuid(),
    name: facts.name,
    ...values,
    token: keyring.seal(found.token),
    inputHash: wish.inputHash,
    tokenExpiresAt: found.expiresAtMs === undefined ? null : utcText(found.expiresAtMs),
    serviceAccount: found.serviceAccount ?? null,
    now,
  });
  await linkResource(tx, {
    kind: 'GitOpsDeploymentManagedEnvironment',
    uid: environmentUid,
    name: facts.name,
    namespace: facts.namespace?.name ?? '',
    namespaceUid: facts.namespaceUid,
    generation,
    key: id,
  });
  await allowEnvironment(tx, { newId: random.uuid(), userId, environmentId: id, now });
  await ensureAccess(tx, { userId, environmentId: id, instanceId, now });
  // What the original has written most often says the same already.
  if (!before || isSame({ ...before, token: keyring.open(before.token) }, values)) return;
  for (const user of await selectEnvironmentUsers(tx, id)) await tellApplication(work, user);
};

/** @throws Fault('internal', 'UnableToCreateClusterCredentials') when the database answers that it will not have them. */
const keep = async (tx: Queryable, rows: EnvironmentRows): Promise<void> => {
  try {
    await writeEnvironment(tx, rows);
  } catch (error) {
    if (!isAnswered(error)) throw error;
    throw internalFault('UnableToCreateClusterCredentials', messageOf(error), error);
  }
};

const isSame = (one: EnvironmentValues, other: EnvironmentValues): boolean =>
  one.host === other.host &&
  one.token === other.token &&
  one.insecure === other.insecure &&
  one.namespaces === other.namespaces &&
  one.clusterResources === other.clusterResources;
