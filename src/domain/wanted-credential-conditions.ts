// Which conditions a repository credential should have after a pass. Pure.
import { errorOccurred } from '../api/conditions.ts';
import type { GitOpsDeploymentRepositoryCredential } from '../api/v1alpha1/gitops-deployment-repository-credential.ts';
import { isFault } from '../lib/fault.ts';
import { credentialConditions, type CredentialCondition } from './credential-conditions.ts';
import { checkedSummary, type Summary } from './summary.ts';

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
  summary: checkedSummary(
    { ...input, object: input.credential },
    { reason: 'RepositoryCredentialUpToDate', message: 'the repository can be read' },
  ),
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
