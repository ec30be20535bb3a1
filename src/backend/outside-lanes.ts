// The lanes of environments and credentials, and the loops that ask clusters and Git servers for them.
import {
  gitOpsDeploymentManagedEnvironments,
  type GitOpsDeploymentManagedEnvironment,
} from '../api/v1alpha1/gitops-deployment-managed-environment.ts';
import {
  gitOpsDeploymentRepositoryCredentials,
  type GitOpsDeploymentRepositoryCredential,
} from '../api/v1alpha1/gitops-deployment-repository-credential.ts';
import type { Database } from '../db/pool.ts';
import type { CredentialSettings } from '../domain/credential-plan.ts';
import type { CredentialWish } from '../domain/credential-wish.ts';
import type { EnvironmentQuestion } from '../domain/environment-plan.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Namespace, Secret } from '../kube/object.ts';
import type { Clock } from '../lib/clock.ts';
import type { Keyring } from '../lib/envelope.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Random } from '../lib/random.ts';
import type { Controller, Reconcile } from '../runtime/controller.ts';
import type { StoreReader } from '../runtime/store.ts';
import { createAbsences, type AbsenceSettings } from './absences.ts';
import type { Announce } from './announce.ts';
import { createChecks } from './checks.ts';
import { createConditionReporter } from './condition-status.ts';
import { createGatherCredential } from './credentials/gather.ts';
import type { CredentialContext } from './credentials/context.ts';
import { createCredentialReconciler } from './credentials/reconcile.ts';
import { cleanupKey, createCleanup } from './environments/cleanup.ts';
import { createClusterCheck, type CheckCluster } from './environments/clusters.ts';
import type { ClusterFound, EnvironmentContext } from './environments/context.ts';
import { createGatherEnvironment } from './environments/gather.ts';
import { createEnvironmentReconciler, environmentTrouble } from './environments/reconcile.ts';
import { followLanes } from './lanes.ts';
import type { MadeServiceAccount, Removal } from './remote-cluster.ts';
import { followSecrets } from './tenant-secrets.ts';

/** What is asked of others than the cluster and the database of the service. */
export interface Outside {
  readonly checkCluster: CheckCluster;
  readonly removeAccount: (account: MadeServiceAccount, signal: AbortSignal) => Promise<Removal>;
  readonly checkRepository: (wish: CredentialWish, signal: AbortSignal) => Promise<void>;
}

/** The objects that these lanes are about. */
export interface OutsideStores {
  /** With `environmentIndexers`. */
  readonly environments: StoreReader<GitOpsDeploymentManagedEnvironment>;
  /** Of the type that environments name. */
  readonly environmentSecrets: StoreReader<Secret>;
  /** With `credentialIndexers`. */
  readonly credentials: StoreReader<GitOpsDeploymentRepositoryCredential>;
  /** Of the type that credentials name. */
  readonly credentialSecrets: StoreReader<Secret>;
}

/** What these lanes share with the other loops of a term. */
export interface OutsideTerm extends OutsideStores {
  readonly client: KubeClient;
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly namespaces: StoreReader<Namespace>;
  readonly keyring: Keyring;
  readonly outside: Outside;
  readonly lost: AbortSignal;
  readonly announce: Announce;
  readonly settings: AbsenceSettings &
    CredentialSettings & {
      readonly engineNamespace: string;
      readonly concurrency: number;
      readonly standardConditions: boolean;
    };
  /** Makes a loop of this term. */
  readonly loop: (
    name: string,
    reconcile: Reconcile,
    options?: { readonly concurrency?: number; readonly graceMs?: number },
  ) => Controller;
  /** Takes Operations that nobody waits for any more. */
  readonly settled: (operationIds: readonly string[]) => void;
}

/** Lanes of one kind, with the loops that they need. */
export interface OutsideLanes {
  readonly controller: Controller;
  /** All of them, the lanes' own included. */
  readonly loops: readonly Controller[];
  follow(): () => void;
}

/**
 * Checks at once, over all tenants: each may take its whole deadline. The end of the process waits for none that long: the next
 * one asks again.
 */
const checking = { concurrency: 8, graceMs: 500 };

/** Creates the lanes of environments; `wakeDeployments` takes each environment, `<namespace>/<name>`, that has come or gone. */
export const createEnvironmentLanes = (
  term: OutsideTerm,
  wakeDeployments: (environment: string) => void,
): OutsideLanes & { cleanUp(): void } => {
  const { settings, namespaces, environments, outside } = term;
  const kind = 'GitOpsDeploymentManagedEnvironment';
  const absences = createAbsences(term, { ...settings, kind });
  const enqueue = (key: string): void => controller.enqueue(key);
  const clusters = createChecks<EnvironmentQuestion, ClusterFound>({
    ...term,
    kind,
    check: createClusterCheck({ ...term, check: outside.checkCluster }),
    loop: (reconcile) => term.loop('environment-check', reconcile, checking),
    wake: enqueue,
  });
  const remove = outside.removeAccount;
  const cleaning = createCleanup({ ...term, remove, isBusy: clusters.isBusy });
  const cleanup = term.loop('environment-cleanup', cleaning, { graceMs: checking.graceMs });
  const cleanUp = (): void => cleanup.enqueue(cleanupKey);
  const { engineNamespace, concurrency } = settings;
  const context: EnvironmentContext = {
    ...term,
    secrets: term.environmentSecrets,
    absences,
    engineNamespace,
    checks: { ...settings, fingerprints: term.keyring.fingerprints },
    clusters,
    cleanUp,
    wakeDeployments,
  };
  const resource = gitOpsDeploymentManagedEnvironments;
  const status = createConditionReporter({ ...term, ...settings, resource, ownTrouble: environmentTrouble });
  const steps = { gather: createGatherEnvironment(context), status, settled: term.settled };
  const controller = term.loop('environment', createEnvironmentReconciler(context, steps), { concurrency });
  return {
    controller,
    cleanUp,
    loops: [controller, clusters.controller, cleanup],
    follow() {
      const followed = { kind: 'environment', store: environments, namespaces, absences, status, enqueue } as const;
      return followBoth(term, followed, term.environmentSecrets);
    },
  };
};

/** Creates the lanes of credentials. */
export const createCredentialLanes = (term: OutsideTerm): OutsideLanes => {
  const { settings, namespaces, credentials, outside } = term;
  const kind = 'GitOpsDeploymentRepositoryCredential';
  const absences = createAbsences(term, { ...settings, kind });
  const enqueue = (key: string): void => controller.enqueue(key);
  const repositories = createChecks<CredentialWish, void>({
    ...term,
    kind,
    check: ({ wish }, signal) => outside.checkRepository(wish, signal),
    loop: (reconcile) => term.loop('credential-check', reconcile, checking),
    wake: enqueue,
  });
  const { engineNamespace, concurrency } = settings;
  const context: CredentialContext = {
    ...term,
    secrets: term.credentialSecrets,
    absences,
    engineNamespace,
    rules: { ...settings, fingerprints: term.keyring.fingerprints },
    repositories,
  };
  const resource = gitOpsDeploymentRepositoryCredentials;
  const status = createConditionReporter({ ...term, ...settings, resource });
  const steps = { gather: createGatherCredential(context), status, settled: term.settled };
  const controller = term.loop('credential', createCredentialReconciler(context, steps), { concurrency });
  return {
    controller,
    loops: [controller, repositories.controller],
    follow() {
      const followed = { kind: 'credential', store: credentials, namespaces, absences, status, enqueue } as const;
      return followBoth(term, followed, term.credentialSecrets);
    },
  };
};

/** Follows the objects of a kind, and the Secrets that they name. */
const followBoth = <T extends GitOpsDeploymentManagedEnvironment | GitOpsDeploymentRepositoryCredential>(
  { namespaces }: OutsideTerm,
  followed: Parameters<typeof followLanes<T>>[0],
  secrets: StoreReader<Secret>,
): (() => void) => {
  const namespaceUidOf = (namespace: string): string | undefined => namespaces.get(namespace)?.metadata.uid;
  const ends = [followLanes(followed), followSecrets({ ...followed, secrets, namespaceUidOf })];
  return () => ends.forEach((end) => end());
};
