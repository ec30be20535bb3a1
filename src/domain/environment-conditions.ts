// Which conditions a managed environment should have. Pure.
import { unknownError } from '../api/messages.ts';
import type { GitOpsDeploymentManagedEnvironment } from '../api/v1alpha1/gitops-deployment-managed-environment.ts';
import { isFault } from '../lib/fault.ts';
import { checkedSummary, type Summary } from './summary.ts';

/** What the conditions are made from. */
export interface EnvironmentConditionInput {
  readonly environment: GitOpsDeploymentManagedEnvironment;
  /** What ended the pass, if something did, and the pass's id. */
  readonly fault: unknown;
  readonly runId: string;
}

/** What the connection's condition says. */
export interface Connection {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** What the conditions should say. */
export interface WantedEnvironmentConditions {
  /** Undefined while nothing new is known: what was said stays. */
  readonly connection: Connection | undefined;
  readonly summary: Summary;
}

/** The conditions for one environment. */
export const wantedEnvironmentConditions = (input: EnvironmentConditionInput): WantedEnvironmentConditions => ({
  connection: connectionOf(input),
  summary: checkedSummary(
    { ...input, object: input.environment },
    { reason: 'Succeeded', message: 'the cluster can be reached' },
  ),
});

/** Reasons that leave it open whether the cluster can be reached; with the others it can't. */
const unknown: ReadonlySet<string> = new Set([
  'UnsupportedAPIURL',
  'InvalidNamespaceList',
  'UnableToValidateClusterCredentials',
  'UnableToCreateClusterCredentials',
  'DatabaseError',
  'UnknownError',
]);

const connectionOf = ({ environment, fault }: EnvironmentConditionInput): Connection | undefined => {
  if (environment.metadata.deletionTimestamp !== undefined) return undefined;
  if (fault === undefined) return { status: 'True', reason: 'Succeeded', message: '' };
  if (isFault(fault, 'waiting')) return undefined;
  const [reason, message] = isFault(fault, 'user') ? [fault.reason, fault.message] : [troubleOf(fault), unknownError];
  return { status: unknown.has(reason) ? 'Unknown' : 'False', reason, message };
};

/** What the original calls a trouble of its own. */
const troubleOf = (fault: unknown): string => {
  if (!isFault(fault)) return 'UnknownError';
  if (/^(Database|CommitUnknown|Schema)/.test(fault.reason)) return 'DatabaseError';
  if (fault.reason === 'UnableToCreateClusterCredentials') return fault.reason;
  return /^(Api|Engine)/.test(fault.reason) ? 'KubernetesError' : 'UnknownError';
};
