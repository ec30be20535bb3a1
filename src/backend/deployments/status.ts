// Step 8: the deployment's status, from the plan or what prevented it, the rows, and the last Operation. One writer.
import { resolvedReason } from '../../api/conditions.ts';
import {
  deploymentSpec,
  gitOpsDeployments,
  type GitOpsDeployment,
  type GitOpsDeploymentCondition,
} from '../../api/v1alpha1/gitops-deployment.ts';
import { inCluster } from '../../api/labels.ts';
import { readStatus, type StoredStatus } from '../../domain/application-status.ts';
import { wantedConditions, type WantedCondition, type WantedConditions } from '../../domain/deployment-conditions.ts';
import type { DeploymentFacts, OperationFacts } from '../../domain/deployment-facts.ts';
import { mirrorStatus } from '../../domain/deployment-status.ts';
import { isEnded, standingFailure } from '../../domain/operation.ts';
import type { DesiredApplication } from '../../domain/spec-field.ts';
import { rfc3339 } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { setCondition } from '../../runtime/conditions.ts';
import { createStatusWriter, type StatusWriter } from '../status-writer.ts';
import { isStandard, mergeSummary, troubleConditions, type StandardEntry } from '../summary.ts';
import type { Announce } from '../announce.ts';
import type { DeploymentContext } from './context.ts';

/** What a pass has to tell. */
export interface PassEnd {
  readonly facts: DeploymentFacts;
  /** The Application the rows ask for; undefined when there is no plan. */
  readonly desired: DesiredApplication | undefined;
  /** The environment's row that `desired` goes to; undefined for the tenant's own namespace. */
  readonly environmentId: string | undefined;
  /** True when the agent was told something in this pass. */
  readonly told: boolean;
  /** What the pass ended with, if not with success. */
  readonly fault: Error | undefined;
  readonly runId: string;
  readonly log: Logger;
}

/** Writes statuses. */
export interface StatusReporter extends Pick<StatusWriter<GitOpsDeployment>, 'isEcho' | 'forget'> {
  /** Patches the status where it differs. Returns the Operations whose end has now been told. */
  report(end: PassEnd): Promise<readonly string[]>;
  /**
   * Says of a deployment whose facts can't be read that its change has been seen and is being tried. Nothing else of
   * the status is touched, and nothing is written once it has been said, or of a deployment without a new change.
   */
  reportTrouble(deployment: GitOpsDeployment, trouble: Pick<PassEnd, 'fault' | 'runId'>): Promise<void>;
}

/** Creates the reporter. `standardConditions` adds those; without it they are taken away. */
export const createStatusReporter = (
  context: DeploymentContext & { readonly standardConditions: boolean; readonly announce: Announce },
): StatusReporter => {
  const writer = createStatusWriter({ ...context, resource: gitOpsDeployments });
  return {
    isEcho: writer.isEcho,
    forget: writer.forget,
    async report(end) {
      const { deployment } = end.facts;
      const operations = operationsOf(end.facts);
      if (!deployment) return [];
      const stored = storedStatus(end);
      const wanted = wantedConditions({
        ...end,
        deployment,
        stored,
        operations,
        destinationId: destinationId(end),
        removal: removalOf(end.facts),
      });
      const status = {
        ...mirrorStatus(stored, (id) => environmentName(end, id)),
        conditions: merge(deployment, wanted, {
          standard: context.standardConditions,
          nowText: rfc3339(context.clock.now()),
        }),
      };
      await writer.write(deployment, status, context.announce);
      return endedOf(linkOf(end.facts)?.operations ?? []);
    },
    async reportTrouble(deployment, trouble) {
      if (!context.standardConditions) return;
      const conditions = troubleConditions(deployment, trouble, { nowText: rfc3339(context.clock.now()) });
      if (!conditions) return;
      const status = { ...mirrorStatus(undefined, () => ''), ...deployment.status, conditions };
      await writer.write(deployment, status);
    },
  };
};

const linkOf = ({ deployment, links }: DeploymentFacts) =>
  links.find((link) => link.deploymentUid === deployment?.metadata.uid);

const deletionOf = ({ deployment, deletions }: DeploymentFacts) =>
  deletions.find((deletion) => deletion.deploymentUid === deployment?.metadata.uid);

/** The Operations of the deployment's application, of the one being deleted if it is that. */
const operationsOf = (facts: DeploymentFacts): readonly OperationFacts[] =>
  (linkOf(facts) ?? deletionOf(facts))?.operations ?? [];

/** How far the removal of a deployment that is being deleted has come. */
const removalOf = (facts: DeploymentFacts): 'pending' | 'done' =>
  (linkOf(facts) ?? deletionOf(facts)) ? 'pending' : 'done';

/** Ended Operations of ours that need not be kept: all but a failure that nothing later has ended after. */
const endedOf = (operations: readonly OperationFacts[]): readonly string[] => {
  const standing = standingFailure(operations);
  return operations
    .filter((operation) => operation.ours && isEnded(operation.state) && operation !== standing)
    .map((operation) => operation.id);
};

/** What Argo CD last reported. Damaged bytes are as good as none; the next report replaces them. */
const storedStatus = ({ facts, log }: PassEnd): StoredStatus | undefined => {
  const link = linkOf(facts);
  if (!link || link.storedStatus === null) return undefined;
  try {
    return readStatus(Buffer.from(link.storedStatus, 'base64'));
  } catch (error) {
    log.warn('the stored status of an application is damaged', { applicationId: link.applicationId, err: error });
    return undefined;
  }
};

/** How the rows name the destination: the environment's id, or `in-cluster`. */
const destinationId = ({ environmentId }: PassEnd): string => environmentId ?? inCluster;

const environmentName = ({ facts }: PassEnd, id: string): string =>
  id === facts.namedEnvironmentId && facts.deployment
    ? (deploymentSpec(facts.deployment).destination?.environment ?? '')
    : '';

type Conditions = readonly StandardEntry[];

const merge = (
  { status, metadata }: GitOpsDeployment,
  wanted: WantedConditions,
  { standard, nowText }: { readonly standard: boolean; readonly nowText: string },
): Conditions => {
  const present = status?.conditions ?? [];
  const told = mergeErrors(present, wanted.errors, nowText);
  return standard
    ? mergeSummary(told, wanted.summary, { nowText, generation: metadata.generation ?? 0 })
    : told.filter((condition) => !isStandard(condition.type));
};

/** Errors that are there are True; those that were and are not any more are resolved. Others are left alone. */
const mergeErrors = (present: Conditions, errors: readonly WantedCondition[], nowText: string): Conditions => {
  const when = { nowText, transition: 'content' } as const;
  const over = present.filter(
    ({ type, reason }) =>
      !isStandard(type) && reason !== resolvedReason(type) && !errors.some((error) => error.type === type),
  );
  const next: GitOpsDeploymentCondition[] = [
    ...errors.map((error) => ({ ...error, status: 'True', lastProbeTime: nowText })),
    ...over.map(({ type }) => ({ type, status: 'False', reason: resolvedReason(type), lastProbeTime: nowText })),
  ];
  return next.reduce<Conditions>((list, condition) => setCondition(list, condition, when), present);
};
