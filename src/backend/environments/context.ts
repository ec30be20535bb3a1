// What the steps of the environment reconciler share.
import type { GitOpsDeploymentManagedEnvironment } from '../../api/v1alpha1/gitops-deployment-managed-environment.ts';
import type { Database } from '../../db/pool.ts';
import type { CheckRules } from '../../domain/check-facts.ts';
import type { EnvironmentFound } from '../../domain/environment-facts.ts';
import type { EnvironmentQuestion } from '../../domain/environment-plan.ts';
import type { EnvironmentWish } from '../../domain/environment-wish.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Namespace, Secret } from '../../kube/object.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Keyring } from '../../lib/envelope.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { Indexers, StoreReader } from '../../runtime/store.ts';
import type { Absences } from '../absences.ts';
import type { Checks } from '../checks.ts';
import { namespaceIndexer } from '../lanes.ts';

/** An account's token that a cluster has given, with what it takes to remove the account again. */
export type AccountFound = EnvironmentFound &
  Pick<EnvironmentWish, 'host' | 'insecure'> &
  Pick<EnvironmentQuestion, 'namespace' | 'environmentId'> & { readonly serviceAccount: string };

/** What asking a cluster has brought; undefined where what is known of it stays. */
export type ClusterFound = AccountFound | undefined;

/** The surroundings of an environment's reconciler. */
export interface EnvironmentContext {
  readonly client: KubeClient;
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** With `environmentIndexers`. */
  readonly environments: StoreReader<GitOpsDeploymentManagedEnvironment>;
  /** Of the type that environments name. */
  readonly secrets: StoreReader<Secret>;
  readonly namespaces: StoreReader<Namespace>;
  readonly absences: Absences;
  readonly keyring: Keyring;
  /** The namespace that Argo CD runs in. */
  readonly engineNamespace: string;
  readonly checks: CheckRules;
  /** What is asked of clusters. */
  readonly clusters: Checks<EnvironmentQuestion, ClusterFound>;
  /** Has what is to be removed from clusters looked at. */
  readonly cleanUp: () => void;
  /** Looks again at the deployments that name an environment, `<namespace>/<name>`. */
  readonly wakeDeployments: (environment: string) => void;
  /** Aborts when the right to work is lost: nothing may be written after. */
  readonly lost: AbortSignal;
}

/** Finds environments by the name of their namespace, and by the Secret that they name. */
export const environmentIndexers = {
  ...namespaceIndexer,
  secret: ({ metadata, spec }: GitOpsDeploymentManagedEnvironment) => [
    `${metadata.namespace ?? ''}/${spec?.credentialsSecret ?? ''}`,
  ],
} satisfies Indexers<GitOpsDeploymentManagedEnvironment>;
