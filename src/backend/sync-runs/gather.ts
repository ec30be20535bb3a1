// Everything one pass needs to know. Reads only.
import {
  gitOpsDeploymentSyncRuns,
  syncRunSpec,
  type GitOpsDeploymentSyncRun,
} from '../../api/v1alpha1/gitops-deployment-sync-run.ts';
import type { GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import type { Queryable } from '../../db/pool.ts';
import {
  selectSyncRunFacts,
  type SyncLinkJson,
  type SyncRunFactsKey,
  type SyncRunFactsRow,
} from '../../db/queries/sync-run-facts.ts';
import { statementBatch } from '../../db/statement-batch.ts';
import type { NamespaceFacts } from '../../domain/deployment-facts.ts';
import type { SyncLink, SyncRunFacts } from '../../domain/sync-run-facts.ts';
import { createBatch } from '../../lib/batch.ts';
import { clusterUidOf } from '../engine.ts';
import { namespaceFacts, operationFacts } from '../facts.ts';
import { proveIdentity } from '../identity.ts';
import { laneKey, laneOf, type Lane } from '../lane.ts';
import { deploymentOfRun, hasTurn, turnOf, type SyncRunContext } from './context.ts';

/** Gathers the facts about a key. */
export type GatherSyncRun = (key: string) => Promise<SyncRunFacts>;

/** Creates the gather step. Keys that are gathered at the same time share one statement. */
export const createGatherSyncRun = (context: SyncRunContext): GatherSyncRun => {
  const rowOf = createBatch<SyncRunFactsKey, SyncRunFactsRow>({
    ...statementBatch,
    run: (keys) => selectSyncRunFacts(context.db, keys),
  });
  return async (key) => {
    const lane = laneOf(key);
    const namespace = namespaceFacts(context, lane);
    const cached = namespace && context.syncRuns.get(`${namespace.name}/${lane.name}`);
    const row = withoutOthers(await rowOf(factsKey(context, lane, cached)), clusterUidOf(context.namespaces));
    const links = (row.links ?? []).map(({ uid, namespace: name }) => ({ uid, generation: null, namespace: name }));
    const sources = { ...context, resource: gitOpsDeploymentSyncRuns, store: context.syncRuns };
    const { object: syncRun, gone } = await proveIdentity(sources, { lane, namespace, cached, links });
    noteOrder(context, syncRun, links);
    const deployment = syncRun && deploymentOf(context, syncRun);
    const isCurrent = deployment !== undefined && rowsAreOf(context, lane, deployment);
    return toFacts(row, { lane, namespace, syncRun, gone, deployment, isCurrent });
  };
};

const noteOrder = (
  { ordered }: SyncRunContext,
  syncRun: GitOpsDeploymentSyncRun | undefined,
  links: readonly { readonly uid: string }[],
): void => {
  const uid = syncRun?.metadata.uid;
  if (uid === undefined) return;
  if (links.some((link) => link.uid === uid)) ordered.add(uid);
  else ordered.delete(uid);
};

/** The same facts with the rows read again, inside a transaction that holds the tenant's lock. */
export const gatherSyncRunAgain = async (
  context: SyncRunContext,
  tx: Queryable,
  facts: SyncRunFacts,
): Promise<SyncRunFacts> => {
  const [row] = await selectSyncRunFacts(tx, [factsKey(context, facts, facts.syncRun)]);
  return row ? toFacts(withoutOthers(row, clusterUidOf(context.namespaces)), { ...facts, lane: facts }) : facts;
};

const factsKey = (
  context: SyncRunContext,
  { namespaceUid, name }: Lane,
  syncRun: GitOpsDeploymentSyncRun | undefined,
): SyncRunFactsKey => ({
  namespaceUid,
  name,
  deploymentUid: (syncRun && deploymentOf(context, syncRun)?.metadata.uid) ?? '',
  earlierUids: syncRun ? earlierThan(context, syncRun) : [],
});

/** The deployment that a sync run names, unless it is going: then the one made after it is meant. */
const deploymentOf = (
  { deployments }: SyncRunContext,
  syncRun: GitOpsDeploymentSyncRun,
): GitOpsDeployment | undefined => {
  const found = deployments.get(`${syncRun.metadata.namespace ?? ''}/${syncRunSpec(syncRun).gitopsDeploymentName}`);
  return found?.metadata.deletionTimestamp === undefined ? found : undefined;
};

const rowsAreOf = ({ currentRows }: SyncRunContext, { namespaceUid }: Lane, deployment: GitOpsDeployment): boolean =>
  currentRows.areOf(laneKey('deployment', { namespaceUid, name: deployment.metadata.name }), deployment);

/** UIDs of the sync runs of the same deployment that come first, as far as they are not known to be ordered. */
const earlierThan = ({ syncRuns, ordered }: SyncRunContext, syncRun: GitOpsDeploymentSyncRun): readonly string[] => {
  if (ordered.has(syncRun.metadata.uid ?? '')) return [];
  const mine = turnOf(syncRun);
  return syncRuns
    .byIndex('deployment', deploymentOfRun(syncRun))
    .filter((other) => turnOf(other) < mine && hasTurn(other, ordered))
    .map(({ metadata }) => metadata.uid ?? '');
};

/** Rows of an engine in another cluster are that cluster's backend's: nothing here proves anything about them. */
const withoutOthers = (row: SyncRunFactsRow, clusterUid: string): SyncRunFactsRow => ({
  ...row,
  links: (row.links ?? []).filter((link) => link.clusterUid === null || link.clusterUid === clusterUid),
});

const toFacts = (
  { user_id, links, target, earlier_waits }: SyncRunFactsRow,
  known: Pick<SyncRunFacts, 'syncRun' | 'gone' | 'deployment' | 'isCurrent'> & {
    readonly lane: Lane;
    readonly namespace: NamespaceFacts | undefined;
  },
): SyncRunFacts => {
  const { lane, namespace, syncRun, gone, deployment, isCurrent } = known;
  return {
    namespaceUid: lane.namespaceUid,
    name: lane.name,
    namespace,
    syncRun,
    gone,
    deployment,
    isCurrent,
    userId: user_id ?? undefined,
    links: (links ?? []).map(toLink),
    target: target ?? undefined,
    earlierWaits: earlier_waits,
  };
};

const toLink = ({ uid, id, sync, operations }: SyncLinkJson): SyncLink => ({
  syncRunUid: uid,
  syncId: id,
  sync: sync ?? undefined,
  operations: operationFacts(operations),
});
