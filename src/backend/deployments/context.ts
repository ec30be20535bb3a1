// What the steps of the deployment reconciler share.
import type { GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import type { Database } from '../../db/pool.ts';
import type { PlanSettings } from '../../domain/deployment-plan.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Namespace } from '../../kube/object.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { StoreReader } from '../../runtime/store.ts';
import type { Indexers } from '../../runtime/store.ts';
import type { Absences } from '../absences.ts';
import type { CurrentRows } from '../current-rows.ts';
import type { LaneIndex } from '../lane-index.ts';
import { namespaceIndexer } from '../lanes.ts';

/** Finds deployments by the name of their namespace, and by the environment that they name: `<namespace>/<environment>`. */
export const deploymentIndexers = {
  ...namespaceIndexer,
  environment: ({ metadata, spec }: GitOpsDeployment) => {
    const environment = spec?.destination?.environment;
    return environment ? [`${metadata.namespace ?? ''}/${environment}`] : [];
  },
} satisfies Indexers<GitOpsDeployment>;

/** The surroundings of a deployment's reconciler. */
export interface DeploymentContext {
  readonly client: KubeClient;
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly deployments: StoreReader<GitOpsDeployment>;
  readonly namespaces: StoreReader<Namespace>;
  readonly absences: Absences;
  readonly laneIndex: LaneIndex;
  readonly currentRows: CurrentRows;
  /** The namespace that Argo CD runs in. */
  readonly engineNamespace: string;
  readonly plan: PlanSettings;
  /** Aborts when the right to work is lost: nothing may be written after. */
  readonly lost: AbortSignal;
}
