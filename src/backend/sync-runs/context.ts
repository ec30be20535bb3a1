// What the steps of the sync run reconciler share.
import type { GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import type { GitOpsDeploymentSyncRun } from '../../api/v1alpha1/gitops-deployment-sync-run.ts';
import type { Database } from '../../db/pool.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Namespace } from '../../kube/object.ts';
import { validateSyncRun } from '../../domain/validate-sync-run.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { Indexers, StoreReader } from '../../runtime/store.ts';
import type { Absences } from '../absences.ts';
import type { CurrentRows } from '../current-rows.ts';
import { namespaceIndexer } from '../lanes.ts';

/** The surroundings of a sync run's reconciler. */
export interface SyncRunContext {
  readonly client: KubeClient;
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** With `syncRunIndexers`. */
  readonly syncRuns: StoreReader<GitOpsDeploymentSyncRun>;
  readonly deployments: StoreReader<GitOpsDeployment>;
  readonly namespaces: StoreReader<Namespace>;
  readonly absences: Absences;
  readonly currentRows: CurrentRows;
  /** UIDs of sync runs that a pass has found ordered: nobody waits for their turn. */
  readonly ordered: Set<string>;
  /** Aborts when the right to work is lost: nothing may be written after. */
  readonly lost: AbortSignal;
}

/** Where the sync runs of a deployment are found: `<namespace>/<name of the deployment>`. */
export const deploymentOfRun = ({ metadata, spec }: GitOpsDeploymentSyncRun): string =>
  `${metadata.namespace ?? ''}/${spec?.gitopsDeploymentName ?? ''}`;

/** Sync runs of one deployment are ordered as these texts are: as they were made, within one second by their names. */
export const turnOf = ({ metadata }: GitOpsDeploymentSyncRun): string =>
  `${metadata.creationTimestamp ?? ''} ${metadata.name}`;

/** True for one that may have its turn before it. One that is going, or can't be ordered, holds up nobody. */
export const hasTurn = (syncRun: GitOpsDeploymentSyncRun, ordered: ReadonlySet<string>): boolean =>
  !ordered.has(syncRun.metadata.uid ?? '') && !syncRun.metadata.deletionTimestamp && !validateSyncRun(syncRun);

/** Finds sync runs by the name of their namespace, and by the deployment that they name. */
export const syncRunIndexers = {
  ...namespaceIndexer,
  deployment: (syncRun: GitOpsDeploymentSyncRun) => [deploymentOfRun(syncRun)],
} satisfies Indexers<GitOpsDeploymentSyncRun>;
