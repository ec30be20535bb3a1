// What is wrong with a GitOpsDeploymentSyncRun by itself: ordered rules, the first that fits decides.
import { admissionMessages, tooLong } from '../api/messages.ts';
import { userFault, type Reason } from '../api/reasons.ts';
import { syncRunSpec, type GitOpsDeploymentSyncRun } from '../api/v1alpha1/gitops-deployment-sync-run.ts';
import type { Fault } from '../lib/fault.ts';

/** The name that shows whether the door is watched; nobody else may use it. */
const forbiddenName = 'zyxwvutsrqponmlkjihgfedcba-abcdefghijklmnoqrstuvwxyz';

/** Longest revision and deployment name, in bytes of UTF-8: so the original counts them, though the rows count characters. */
const MAX_LENGTH = 256;

type Rule = (syncRun: GitOpsDeploymentSyncRun) => Fault<Reason> | undefined;

const limited = (field: string, text: string): Fault<Reason> | undefined =>
  Buffer.byteLength(text) > MAX_LENGTH
    ? userFault('SyncRunFieldTooLong', tooLong(field, MAX_LENGTH, Buffer.byteLength(text)))
    : undefined;

const rules: readonly Rule[] = [
  ({ metadata }) =>
    metadata.name === forbiddenName ? userFault('ForbiddenName', admissionMessages.forbiddenSyncRunName) : undefined,
  (syncRun) => limited('Deployment_name', syncRunSpec(syncRun).gitopsDeploymentName),
  (syncRun) => limited('Revision', syncRunSpec(syncRun).revisionID),
  (syncRun) =>
    // Half a character would come back from the rows as another one.
    /\0/.test(syncRunSpec(syncRun).revisionID) || !syncRunSpec(syncRun).revisionID.isWellFormed()
      ? userFault('InvalidRevision', 'spec.revisionID contains a character that no revision can have')
      : undefined,
];

/** The fault of the first rule that the sync run breaks; undefined for one that is fine. */
export const validateSyncRun = (syncRun: GitOpsDeploymentSyncRun): Fault<Reason> | undefined => {
  for (const rule of rules) {
    const fault = rule(syncRun);
    if (fault) return fault;
  }
  return undefined;
};
