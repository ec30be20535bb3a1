// ServiceAccounts that were made for environments that had gone, or had moved, when the answer came: no row tells of them.
import { gitOpsDeploymentManagedEnvironments } from '../../api/v1alpha1/gitops-deployment-managed-environment.ts';
import { insertCleanup } from '../../db/queries/environment-cleanup.ts';
import type { EnvironmentFacts } from '../../domain/environment-facts.ts';
import { utcText } from '../../lib/clock.ts';
import type { Brought } from '../checks.ts';
import { readObject } from '../identity.ts';
import { laneKey } from '../lane.ts';
import { CLEANUP_AFTER_MS } from './apply.ts';
import type { ClusterFound, EnvironmentContext } from './context.ts';

type Found = NonNullable<ClusterFound>;

/** What becomes of an account. */
type Fate = 'stays' | 'goes' | 'goes later' | 'not known yet';

/** Notes them as what is to be removed from their clusters. What an object that is alive may still use is left alone. */
export const noteLeftBehind = async (context: EnvironmentContext, facts: EnvironmentFacts): Promise<void> => {
  const { clusters, cleanUp } = context;
  const lane = laneKey('environment', facts);
  for (const { uid, found } of clusters.leftBehind(lane, facts.environment?.metadata.uid)) {
    if (!found) continue;
    const fate = await fateOf(context, facts, { uid, found });
    if (fate === 'not known yet') continue;
    if (fate !== 'stays') await note(context, { uid, found }, fate === 'goes' ? 0 : CLEANUP_AFTER_MS);
    clusters.forgetFound(lane, found);
    if (fate === 'goes') cleanUp();
  }
};

const fateOf = async (
  context: EnvironmentContext,
  facts: EnvironmentFacts,
  { uid, found }: Brought<Found>,
): Promise<Fate> => {
  const rows = facts.links.find((link) => link.environmentUid === uid)?.rows;
  if (uid === facts.environment?.metadata.uid) {
    const newest = context.clusters.foundFor(laneKey('environment', facts), uid);
    return [rows?.host, newest?.host].includes(found.host) ? 'stays' : 'goes later';
  }
  if (facts.gone.has(uid)) return 'goes';
  if (rows) return 'not known yet';
  const sources = { ...context, resource: gitOpsDeploymentManagedEnvironments };
  const ref = { namespace: facts.namespace?.name ?? '', name: facts.name };
  const live = facts.namespace && (await readObject(sources, ref));
  return live?.metadata.uid === uid ? 'not known yet' : 'goes';
};

const note = async (
  { db, clock, random, keyring }: EnvironmentContext,
  { uid, found: { host, token, insecure, serviceAccount } }: Brought<Found>,
  afterMs: number,
): Promise<void> => {
  const nowMs = clock.now();
  await insertCleanup(db, {
    id: random.uuid(),
    environmentId: '', // no row of it was written
    environmentUid: uid,
    host,
    sealedToken: keyring.seal(token),
    insecure,
    serviceAccount,
    now: utcText(nowMs),
    dueAt: utcText(nowMs + afterMs),
  });
};
