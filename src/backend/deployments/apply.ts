// Step 4: makes the rows what the plan says, together with the Operation that tells the agent, in one transaction.
import { waitingFault } from '../../api/reasons.ts';
import { gitOpsDeployments } from '../../api/v1alpha1/gitops-deployment.ts';
import {
  allowRepository,
  insertApplication,
  moveLink,
  removeApplication,
  updateApplication,
} from '../../db/queries/application.ts';
import { isUniqueViolation } from '../../db/sql-error.ts';
import type { DeploymentFacts, DeploymentLink } from '../../domain/deployment-facts.ts';
import { planDeployment, writes, type ApplicationPlan } from '../../domain/deployment-plan.ts';
import { utcText } from '../../lib/clock.ts';
import { readObject } from '../identity.ts';
import { releaseRepository, repositoryInSpecField } from '../repositories.ts';
import {
  engineInstanceOf,
  ensureTenantRows,
  lockTenantOf,
  tellAgent,
  type TenantRows,
  type TenantWork,
} from '../tenant.ts';
import type { DeploymentContext } from './context.ts';
import { gatherAgain } from './gather.ts';

/** An open transaction that holds the tenant's lock, and what was read under it. */
interface Work extends TenantWork {
  readonly facts: DeploymentFacts;
}

/**
 * Carries out the plan for `facts`: locks the tenant, reads the rows again, plans again, writes what differs. The plan
 * made before the lock only decided that there may be something to write.
 * @returns false when it should be the `first` time, and the rows know the lane already: nothing is written then.
 * @throws what planning throws, with nothing written.
 */
export const applyPlan = async (
  context: DeploymentContext,
  facts: DeploymentFacts,
  when: 'first' | 'always' = 'always',
): Promise<boolean> => {
  try {
    return await applyOnce(context, facts, when);
  } catch (error) {
    if (!isUniqueViolation(error, 'deploymenttoapplicationmapping_pkey')) throw error;
    await bringHome(context, facts);
    return applyOnce(context, facts, 'always');
  }
};

/** The deletion's event wakes the lane; this catches what that misses. */
const STALE_AGAIN_MS = 10_000;

/**
 * The object's UID is linked under another name or namespace, or none: by hand, or by another program. An object is where
 * it is; its link is put right, and its application belongs to the tenant of its namespace. It is read live first: what
 * the cache has may have gone with a namespace that was made again under the same name.
 * @throws Fault('waiting') when it is not there.
 */
const bringHome = async (context: DeploymentContext, facts: DeploymentFacts): Promise<void> => {
  const { db, log } = context;
  const { deployment, namespace, namespaceUid, name } = facts;
  const deploymentUid = deployment?.metadata.uid ?? '';
  const sources = { ...context, resource: gitOpsDeployments };
  const live = await readObject(sources, { namespace: namespace?.name ?? '', name });
  if (live?.metadata.uid !== deploymentUid) throw waitingFault('StaleCache', '', STALE_AGAIN_MS);
  log.warn('the link of a deployment had another name or namespace; it is put right', { namespaceUid, name });
  await moveLink(db, { deploymentUid, namespace: namespace?.name ?? '', namespaceUid, name });
};

const applyOnce = async (
  context: DeploymentContext,
  facts: DeploymentFacts,
  when: 'first' | 'always',
): Promise<boolean> => {
  const { db, random, clock, lost, plan: settings } = context;
  const nowMs = clock.now();
  const now = utcText(nowMs);
  const done = await db.transaction('deployment-apply', async (tx) => {
    const userId = await lockTenantOf(tx, facts, { random, now });
    const read = await gatherAgain(tx, facts);
    if (when === 'first' && isKnown(read)) return undefined;
    const locked = { ...read, ids: { ...read.ids, userId } };
    const plan = planDeployment(locked, settings, nowMs);
    if (!writes(plan)) return { removed: [], made: undefined };
    const work: Work = { tx, facts: locked, userId, random, now };
    for (const link of plan.remove) await removeLink(work, link);
    for (const deletion of plan.removeAgain) await tell(work, deletion.applicationId, await engineOf(work));
    const made = plan.application && (await writeApplication(work, plan.application));
    lost.throwIfAborted(); // then this is rolled back: whoever works now may have planned from something newer
    return { removed: plan.remove, made };
  });
  for (const link of done?.removed ?? []) context.absences.forget(link.deploymentUid);
  if (done?.made !== undefined) context.laneIndex.learn(facts, [done.made]);
  return done !== undefined;
};

const isKnown = ({ links, deletions }: DeploymentFacts): boolean => links.length > 0 || deletions.length > 0;

const removeLink = async (work: Work, link: DeploymentLink): Promise<void> => {
  const { tx, facts, userId, now } = work;
  const instanceId = link.application?.engineInstanceId ?? (await engineOf(work));
  const operationId = await tell(work, link.applicationId, instanceId);
  await removeApplication(tx, {
    applicationId: link.applicationId,
    deploymentUid: link.deploymentUid,
    namespaceUid: facts.namespaceUid,
    name: facts.name,
    operationId,
    instanceId,
    now,
  });
  await releaseRepository(tx, userId, repositoryOf(link));
};

const engineOf = (work: Work): Promise<string> =>
  engineInstanceOf(work, work.facts.engine, work.facts.ids.engineInstanceId);

const tell = (work: Work, applicationId: string, instanceId: string): Promise<string> =>
  tellAgent(work, { type: 'Application', resourceId: applicationId, instanceId });

/** Returns the application's id. */
const writeApplication = async (work: Work, plan: ApplicationPlan): Promise<string> => {
  const { tx, facts, now, random } = work;
  const rows = await ensureTenantRows(work, facts);
  const written = await writeRows(work, plan, rows);
  await allowRepository(tx, { newId: random.uuid(), userId: rows.userId, url: plan.normalizedRepoUrl, now });
  const before = facts.links.find((link) => link.deploymentUid === plan.deploymentUid);
  if (before && repositoryOf(before) !== plan.normalizedRepoUrl) {
    await releaseRepository(tx, rows.userId, repositoryOf(before));
  }
  await tell(work, written.applicationId, written.instanceId);
  return written.applicationId;
};

const writeRows = async (
  { tx, facts, now, random }: Work,
  plan: ApplicationPlan,
  rows: TenantRows,
): Promise<{ applicationId: string; instanceId: string }> => {
  const { specField, normalizedRepoUrl, generation, deploymentUid, present } = plan;
  const environmentId = plan.environmentId ?? rows.ownEnvironmentId;
  const instanceId = rows.engineInstanceId;
  const same = { specField, environmentId, normalizedRepoUrl, generation, userId: rows.userId, now };
  if (present) {
    if (plan.write === 'update') await updateApplication(tx, { id: present.id, instanceId, ...same });
    return { applicationId: present.id, instanceId };
  }
  const id = random.uuid();
  await insertApplication(tx, {
    id,
    name: plan.desired.name,
    instanceId,
    deploymentUid,
    deploymentName: facts.name,
    namespace: facts.namespace?.name ?? '',
    namespaceUid: facts.namespaceUid,
    ...same,
  });
  return { applicationId: id, instanceId };
};

/** The normalised URL of a link's repository, '' when its row can't tell. */
const repositoryOf = ({ application }: DeploymentLink): string =>
  application ? (application.normalizedRepoUrl ?? repositoryInSpecField(application.specField)) : '';
