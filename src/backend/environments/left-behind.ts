// ServiceAccounts that were made for environments that had gone, or wished for something else, when the answer came: no row
// tells of them.
import { gitOpsDeploymentManagedEnvironments } from '../../api/v1alpha1/gitops-deployment-managed-environment.ts';
import { insertCleanup } from '../../db/queries/environment-cleanup.ts';
import { mayBeOfAccount, type EnvironmentFacts } from '../../domain/environment-facts.ts';
import { utcText } from '../../lib/clock.ts';
import { readObject } from '../identity.ts';
import { laneKey } from '../lane.ts';
import { CLEANUP_AFTER_MS } from './apply.ts';
import type { AccountFound, EnvironmentContext } from './context.ts';

/** What becomes of an account. */
type Fate = 'stays' | 'goes' | 'goes later' | 'not known yet';

/** An account, and the UID of the object that it was made for. */
interface Made {
  readonly uid: string;
  readonly found: AccountFound;
}

/** Notes them as what is to be removed from their clusters. What an object that is alive may still use is left alone. */
export const noteLeftBehind = async (context: EnvironmentContext, facts: EnvironmentFacts): Promise<void> => {
  const { clusters, cleanUp } = context;
  const { environment, check, lastAnswer } = facts;
  const lane = laneKey('environment', facts);
  const isLive = environment !== undefined && environment.metadata.deletionTimestamp === undefined;
  const current = isLive ? { uid: environment.metadata.uid ?? '', inputHash: check?.inputHash } : undefined;
  for (const { uid, found } of clusters.leftBehind(lane, current, lastAnswer)) {
    if (!found) continue;
    const fate = await fateOf(context, facts, { uid, found });
    if (fate === 'not known yet') continue;
    if (fate !== 'stays') await note(context, facts, { uid, found, afterMs: fate === 'goes' ? 0 : CLEANUP_AFTER_MS });
    clusters.forgetFound(lane, found);
    if (fate !== 'stays') cleanUp();
  }
};

const fateOf = async (context: EnvironmentContext, facts: EnvironmentFacts, made: Made): Promise<Fate> => {
  const { environment, links, gone, name } = facts;
  const { uid, found } = made;
  if (uid === environment?.metadata.uid) {
    if (environment.metadata.deletionTimestamp !== undefined) return 'goes';
    return hostsInUse(context, facts, uid).includes(found.host) ? 'stays' : 'goes later';
  }
  if (gone.has(uid)) return 'goes';
  if (links.some((link) => link.environmentUid === uid)) return 'not known yet';
  const sources = { ...context, resource: gitOpsDeploymentManagedEnvironments };
  const live = await readObject(sources, { namespace: found.namespace, name });
  return live?.metadata.uid === uid ? 'not known yet' : 'goes';
};

/** Where the account of a live environment is used: as the rows say, and as its last check will have them say. */
const hostsInUse = ({ clusters }: EnvironmentContext, facts: EnvironmentFacts, uid: string): readonly string[] => {
  const rows = facts.links.find((link) => link.environmentUid === uid)?.rows;
  const newest = clusters.foundFor(laneKey('environment', facts), uid);
  return [
    ...(rows && mayBeOfAccount(rows) ? [rows.host] : []),
    ...(newest && newest.inputHash === facts.check?.inputHash ? [newest.host] : []),
  ];
};

const note = async (
  { db, clock, random, keyring }: EnvironmentContext,
  { links }: EnvironmentFacts,
  { uid, found, afterMs }: Made & { readonly afterMs: number },
): Promise<void> => {
  const { host, token, insecure, serviceAccount, environmentId } = found;
  const nowMs = clock.now();
  await insertCleanup(db, {
    id: random.uuid(),
    // With the row that Argo CD knows it by, it waits until Argo CD has let go of it.
    environmentId: environmentId ?? links.find((link) => link.environmentUid === uid)?.id ?? '',
    environmentUid: uid,
    host,
    sealedToken: keyring.seal(token),
    insecure,
    serviceAccount,
    now: utcText(nowMs),
    dueAt: utcText(nowMs + afterMs),
  });
};
