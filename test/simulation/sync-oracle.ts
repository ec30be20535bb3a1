// What the oracle asks of sync runs: each has been carried out once where it could be, and goes with all its rows.
import type { GitOpsDeploymentSyncRun } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { difference, hold, type Check } from './saying.ts';

/** The row of a sync, and the link to it. */
export interface SyncRow {
  /** Null for a sync that no link leads to. */
  readonly syncRunUid: string | null;
  readonly name: string | null;
  readonly namespace: string | null;
  /** Null for a link that leads nowhere. */
  readonly syncId: string | null;
  readonly deploymentName: string | null;
  readonly revision: string | null;
  readonly endedAt: string | null;
  readonly error: string | null;
}

/** Reads the rows of all syncs. */
export const SYNC_ROWS = `
select m.api_resource_uid as "syncRunUid", m.api_resource_name as name, m.api_resource_namespace as namespace,
  s.syncoperation_id as "syncId", s.deployment_name as "deploymentName", s.revision, s.ended_at::text as "endedAt", s.error
from syncoperation s
full join (select * from apicrtodatabasemapping where db_relation_type = 'SyncOperation') m
  on m.db_relation_key = s.syncoperation_id`;

/** What is there of sync runs, and of what they sync. */
interface Syncs {
  readonly syncRuns: readonly GitOpsDeploymentSyncRun[];
  readonly deployments: readonly GitOpsDeployment[];
  readonly rows: readonly SyncRow[];
}

/** What does not agree about sync runs. */
export const syncDisagreements = ({ syncRuns, deployments, rows }: Syncs): readonly string[] => {
  const live = syncRuns.filter(({ metadata }) => !metadata.deletionTimestamp);
  const uids = new Set(live.map(({ metadata }) => metadata.uid));
  const leftover = rows.filter((row) => row.syncRunUid === null || row.syncId === null || !uids.has(row.syncRunUid));
  return [
    ...live.flatMap((syncRun) => ofOne(syncRun, deployments, rows)),
    ...leftover.map((row) => `the rows of the sync ${row.syncId} (${row.namespace}/${row.name}) were left over`),
  ];
};

const ofOne = (
  syncRun: GitOpsDeploymentSyncRun,
  deployments: readonly GitOpsDeployment[],
  rows: readonly SyncRow[],
): readonly string[] => {
  const { name, namespace = '', uid } = syncRun.metadata;
  const who = `sync run ${namespace}/${name} (${uid})`;
  const mine = rows.filter((row) => row.syncRunUid === uid);
  const [row] = mine;
  if (mine.length > 1) return [`${who} has ${mine.length} links`];
  if (!row) return hold(!canBeOrdered(syncRun, deployments), `${who} has not been ordered`);
  const conditions = syncRun.status?.conditions ?? [];
  const statusOf = (type: string) => conditions.find((condition) => condition.type === type)?.status;
  const checks: Check[] = [
    ...difference(
      'its row says',
      { deployment: syncRun.spec?.gitopsDeploymentName, revision: syncRun.spec?.revisionID ?? '' },
      {
        deployment: row.deploymentName,
        revision: row.revision,
      },
    ),
    [row.endedAt !== null, 'its sync has not ended'],
    ...difference('its Ready', row.error ? 'False' : 'True', statusOf('Ready')),
    ...difference('its ErrorOccurred', row.error ? 'True' : 'False', statusOf('ErrorOccurred')),
  ];
  return checks.filter(([isRight]) => !isRight).map(([, text]) => `${who}: ${text}`);
};

/** Its deployment is there and manual. */
const canBeOrdered = (
  { metadata, spec }: GitOpsDeploymentSyncRun,
  deployments: readonly GitOpsDeployment[],
): boolean => {
  const target = deployments.find(
    (one) => one.metadata.namespace === metadata.namespace && one.metadata.name === spec?.gitopsDeploymentName,
  );
  return target?.metadata.deletionTimestamp === undefined && target?.spec?.type.toLowerCase() === 'manual';
};
