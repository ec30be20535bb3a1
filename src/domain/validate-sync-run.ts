// What is wrong with a GitOpsDeploymentSyncRun by itself: ordered rules, the first that fits decides.
import { admissionMessages, tooLong } from '../api/messages.ts';
import { userFault, type Reason } from '../api/reasons.ts';
import { syncRunSpec, type GitOpsDeploymentSyncRun } from '../api/v1alpha1/gitops-deployment-sync-run.ts';
import type { Fault } from '../lib/fault.ts';
import { firstBroken, type Admit, type Rule } from './admission.ts';

/** The name that shows whether the door is watched; nobody else may use it. */
const forbiddenName = 'zyxwvutsrqponmlkjihgfedcba-abcdefghijklmnoqrstuvwxyz';

/** Longest revision and deployment name, in bytes of UTF-8: so the original counts them, though the rows count characters. */
const MAX_LENGTH = 256;

type AskedOf = readonly [GitOpsDeploymentSyncRun];

const limited = (field: string, text: string): Fault<Reason> | undefined =>
  Buffer.byteLength(text) > MAX_LENGTH
    ? userFault('SyncRunFieldTooLong', tooLong(field, MAX_LENGTH, Buffer.byteLength(text)))
    : undefined;

const hasAFreeName: Rule<AskedOf> = ({ metadata }) =>
  metadata.name === forbiddenName ? userFault('ForbiddenName', admissionMessages.forbiddenSyncRunName) : undefined;

const inAPass: readonly Rule<AskedOf>[] = [
  hasAFreeName,
  (syncRun) => limited('Deployment_name', syncRunSpec(syncRun).gitopsDeploymentName),
  (syncRun) => limited('Revision', syncRunSpec(syncRun).revisionID),
  (syncRun) =>
    // Half a character would come back from the rows as another one.
    /\0/.test(syncRunSpec(syncRun).revisionID) || !syncRunSpec(syncRun).revisionID.isWellFormed()
      ? userFault('InvalidRevision', 'spec.revisionID contains a character that no revision can have')
      : undefined,
];

/** The fault of the first rule that the sync run breaks; undefined for one that is fine. */
export const validateSyncRun = (syncRun: GitOpsDeploymentSyncRun): Fault<Reason> | undefined =>
  firstBroken(inAPass, syncRun);

/** What is said of a sync run at the door: only its name, and only while it is created. That it stays as it is, the pass sees to. */
export const admitSyncRun: Admit<GitOpsDeploymentSyncRun> = (syncRun, operation) =>
  operation === 'CREATE' ? hasAFreeName(syncRun) : undefined;
