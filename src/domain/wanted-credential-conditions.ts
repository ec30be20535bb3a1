// Which conditions a repository credential should have after a pass. Pure.
import { errorOccurred } from '../api/conditions.ts';
import type { GitOpsDeploymentRepositoryCredential } from '../api/v1alpha1/gitops-deployment-repository-credential.ts';
import { isFault } from '../lib/fault.ts';
import { credentialConditions, type CredentialCondition } from './credential-conditions.ts';
import { reconciling, stalled, troubleSummary, type Summary } from './summary.ts';

/** What the conditions are made from. */
export interface CredentialConditionInput {
  readonly credential: GitOpsDeploymentRepositoryCredential;
  /** What ended the pass, if something did, and the pass's id. */
  readonly fault: unknown;
  readonly runId: string;
}

/** What the conditions should say. */
export interface WantedCredentialConditions {
  /** Undefined while nothing new is known: what was said stays. */
  readonly own: readonly CredentialCondition[] | undefined;
  readonly summary: Summary;
}

/** The conditions for one credential. */
export const wantedCredentialConditions = (input: CredentialConditionInput): WantedCredentialConditions => ({
  own: ownOf(input),
  summary: summarize(input),
});

const ownOf = ({ credential, fault }: CredentialConditionInput): readonly CredentialCondition[] | undefined => {
  const { metadata, spec } = credential;
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const of = { url: spec?.repository ?? '', secret: spec?.secret ?? '' };
  const good = credentialConditions({ ...of, fault: undefined });
  if (fault === undefined) return good;
  // The Git server has accepted it then; what is left is to tell Argo CD.
  if (isFault(fault, 'waiting')) return fault.reason === 'OperationPending' ? good : undefined;
  if (!isFault(fault, 'user')) return undefined;
  if (fault.reason !== 'OperationFailed') return credentialConditions({ ...of, fault });
  const { reason, message } = fault;
  return good.map((one) => (one.type === errorOccurred ? { ...one, status: 'True', reason, message } : one));
};

const summarize = ({ credential, fault, runId }: CredentialConditionInput): Summary => {
  const { deletionTimestamp, finalizers = [] } = credential.metadata;
  if (deletionTimestamp !== undefined) {
    const waits = `nothing is left to be done; the object itself waits for its finalizers ${finalizers.join(', ')}`;
    return reconciling('DeletionBlocked', waits);
  }
  if (isFault(fault, 'user')) return stalled(fault.reason, fault.message);
  if (fault !== undefined) return troubleSummary({ fault, runId });
  return { holds: 'Ready', reason: 'RepositoryCredentialUpToDate', message: 'the repository can be read' };
};
