// Decides what the rows of one deployment should be. Pure: facts in, plan out; a bad spec is thrown as a user's fault.
import { deploymentMessages, tooLong } from '../api/messages.ts';
import { userFault, waitingFault } from '../api/reasons.ts';
import { deploymentSpec, type GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';
import { parseTime } from '../lib/clock.ts';
import { desiredApplication } from './argocd-application.ts';
import type {
  ApplicationFacts,
  DeletionFacts,
  DeploymentFacts,
  DeploymentLink,
  OperationFacts,
} from './deployment-facts.ts';
import { openOperations, standingFailure } from './operation.ts';
import { normalizeGitUrl } from './repository-url.ts';
import { readSpecField, sameApplication, writeSpecField, type DesiredApplication } from './spec-field.ts';
import { validateGitOpsDeployment } from './validate-gitops-deployment.ts';
import { assertTurn } from './turn.ts';

/** The rows of the live deployment, and whether the agent has to be told. */
export interface ApplicationPlan {
  readonly deploymentUid: string;
  readonly generation: number;
  readonly desired: DesiredApplication;
  readonly specField: string;
  readonly normalizedRepoUrl: string;
  /** The environment's row; undefined for the tenant's own namespace, whose row apply makes. */
  readonly environmentId: string | undefined;
  /** The present row, to be updated; undefined when it has to be made. */
  readonly present: ApplicationFacts | undefined;
  /** `none` when the rows say it already. */
  readonly write: 'create' | 'update' | 'none';
  /** True when the agent has to act although no row changes: a failed Operation is tried again. */
  readonly retry: boolean;
}

/** What apply has to bring about. Nothing to remove and nothing to write means: the rows are right. */
export interface DeploymentPlan {
  /** Links whose deployment is gone or going. */
  readonly remove: readonly DeploymentLink[];
  /** Removals that the agent has to be told again: its last try failed, or ended without the Application being gone. */
  readonly removeAgain: readonly DeletionFacts[];
  readonly application: ApplicationPlan | undefined;
}

/** Rules that an operator sets. Times in milliseconds. */
export interface PlanSettings {
  /** Each tenant in an AppProject of its own, instead of everyone in `default`. */
  readonly projectIsolation: boolean;
  /** How long a failed Operation stands before it is tried again. */
  readonly retryFailedMs: number;
}

/** Longest `spec_field` that the rows hold, in characters. */
const MAX_SPEC_FIELD = 16_384;

/** The end of a deletion wakes its lane; this catches what that misses. */
const DELETION_LOOK_MS = 10_000;

/** True when the plan has something to write. */
export const writes = (plan: DeploymentPlan): boolean =>
  plan.remove.length > 0 ||
  plan.removeAgain.length > 0 ||
  (plan.application !== undefined && (plan.application.write !== 'none' || plan.application.retry));

/**
 * The plan for one deployment at time `nowMs`.
 *
 * What is proven to be gone is removed before anything else. A deployment made again under the same name waits until
 * what the old one deployed is gone: both would otherwise own the same objects.
 * @throws Fault('user') on a bad spec, Fault('waiting') when it is not this deployment's turn. A fault of a live
 *   deployment never keeps an old one from being removed: removals come first.
 */
export const planDeployment = (facts: DeploymentFacts, settings: PlanSettings, nowMs: number): DeploymentPlan => {
  const remove = facts.links.filter((link) => facts.gone.has(link.deploymentUid));
  const live = liveDeployment(facts);
  const removeAgain = facts.deletions.filter(({ operations, requestedAt }) =>
    isDue({ operations, sinceAt: requestedAt }, settings, nowMs),
  );
  if (remove.length > 0 || removeAgain.length > 0 || !live) return { remove, removeAgain, application: undefined };
  return { remove, removeAgain, application: planApplication(facts, live, { settings, nowMs }) };
};

/** The deployment, unless it is gone or being deleted. */
const liveDeployment = (facts: DeploymentFacts): GitOpsDeployment | undefined =>
  facts.deployment?.metadata.deletionTimestamp === undefined ? facts.deployment : undefined;

const planApplication = (
  facts: DeploymentFacts,
  deployment: GitOpsDeployment,
  { settings, nowMs }: { settings: PlanSettings; nowMs: number },
): ApplicationPlan => {
  const { uid = '', generation = 0 } = deployment.metadata;
  const link = facts.links.find((one) => one.deploymentUid === uid);
  const fault = validateGitOpsDeployment(deployment, { known: link !== undefined });
  if (fault) throw fault;
  const environmentId = namedEnvironment(facts, deployment, link !== undefined);
  assertTurn(facts, link, generation);
  if (!link) assertNoPredecessor(facts, uid);

  const desired = desiredApplication(deployment, {
    engineNamespace: facts.engine.namespace,
    projectOfUser: settings.projectIsolation ? (facts.ids.userId ?? '') : undefined,
    environmentId,
  });
  const specField = writeSpecField(desired);
  if (specField.length > MAX_SPEC_FIELD) {
    throw userFault('SpecTooLarge', tooLong('Spec_field', MAX_SPEC_FIELD, specField.length));
  }
  const present = link?.application;
  const operations = link?.operations ?? [];
  return {
    deploymentUid: uid,
    generation,
    desired,
    specField,
    normalizedRepoUrl: normalizeGitUrl(desired.source.repoURL),
    environmentId,
    present,
    write: present
      ? rowsAreRight(facts, { present, desired, specField, environmentId })
        ? 'none'
        : 'update'
      : 'create',
    retry: standingFailure(operations) !== undefined && isDue({ operations }, settings, nowMs),
  };
};

const namedEnvironment = (facts: DeploymentFacts, deployment: GitOpsDeployment, known: boolean): string | undefined => {
  if (!deploymentSpec(deployment).destination?.environment) return undefined;
  if (facts.namedEnvironmentId !== undefined) return facts.namedEnvironmentId;
  throw userFault(
    'EnvironmentNotFound',
    known ? deploymentMessages.environmentUnusableOnUpdate : deploymentMessages.environmentUnusable,
  );
};

/** Nothing new is made before the old one of this name is gone. */
const assertNoPredecessor = (facts: DeploymentFacts, uid: string): void => {
  const before = facts.deletions.find((deletion) => deletion.deploymentUid !== uid);
  if (before || facts.namesakeLeft) {
    throw waitingFault(
      'WaitingForDeletion',
      'waiting until what the previous GitOpsDeployment of this name deployed has been deleted',
      DELETION_LOOK_MS,
    );
  }
};

const rowsAreRight = (
  facts: DeploymentFacts,
  {
    present,
    desired,
    specField,
    environmentId,
  }: {
    readonly present: ApplicationFacts;
    readonly desired: DesiredApplication;
    readonly specField: string;
    readonly environmentId: string | undefined;
  },
): boolean => {
  const expectedEnvironment = environmentId ?? facts.ids.ownEnvironmentId;
  return (
    present.hasOwner &&
    present.engineInstanceId === facts.ids.engineInstanceId &&
    facts.repositoryKnown &&
    expectedEnvironment !== undefined &&
    present.environmentId === expectedEnvironment &&
    (present.specField === specField || means(present.specField, desired))
  );
};

/** True for a text that asks for the same in other words. One that is damaged asks for nothing: writing it anew mends it. */
const means = (specField: string, desired: DesiredApplication): boolean => {
  try {
    return sameApplication(readSpecField(specField), desired);
  } catch {
    return false;
  }
};

/** True when the agent is at nothing, and has been for long enough to be told anew. */
const isDue = (
  { operations, sinceAt }: { readonly operations: readonly OperationFacts[]; readonly sinceAt?: string },
  { retryFailedMs }: PlanSettings,
  nowMs: number,
): boolean => {
  const sinceMs = parseTime(operations.at(-1)?.lastStateUpdate ?? sinceAt);
  return openOperations(operations).length === 0 && sinceMs !== undefined && sinceMs + retryFailedMs <= nowMs;
};
