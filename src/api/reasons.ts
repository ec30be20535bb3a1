// The reasons of faults and conditions in GitOps matters: one table, from which constructors and documentation come.
import { Fault, type FaultKind } from '../lib/fault.ts';
import type { ReasonEntry } from '../lib/reasons.ts';

/** Every reason, in the order in which a deployment meets them. */
export const reasons = {
  InvalidType: {
    kind: 'user',
    summary: '`spec.type` is neither `automated` nor `manual`.',
    remedy: 'Set it to one of the two.',
  },
  UnknownSyncOption: {
    kind: 'user',
    summary: '`spec.syncPolicy.syncOptions` holds an option that is not supported.',
    remedy: 'Use `CreateNamespace=true` or `CreateNamespace=false`, or leave the list out.',
  },
  NamespaceWithoutEnvironment: {
    kind: 'user',
    summary: '`spec.destination.namespace` is set, but `spec.destination.environment` is not.',
    remedy: 'Name the environment too, or leave the namespace out to deploy to the namespace of the GitOpsDeployment.',
  },
  PathRequired: {
    kind: 'user',
    summary: '`spec.source.path` is empty.',
    remedy: 'Name the folder of the repository that holds the manifests.',
  },
  PathIsRoot: {
    kind: 'user',
    summary: '`spec.source.path` is `/`.',
    remedy: 'Name a folder relative to the root of the repository; `.` is the root itself.',
  },
  InvalidRepositoryUrl: {
    kind: 'user',
    summary: 'The URL of the repository cannot be read as one.',
    remedy: 'Write it as `https://host/path` or `ssh://user@host/path`, without spaces.',
  },
  RepositoryUrlTooLong: {
    kind: 'user',
    summary: 'The URL of the repository is longer than the 512 characters the service can keep.',
    remedy: 'Use a shorter URL for the same repository.',
  },
  SpecTooLarge: {
    kind: 'user',
    summary: 'The spec as a whole is longer than the 16384 characters the service can keep.',
    remedy: 'Shorten path, target revision or the list of sync options.',
  },
  DestinationNamespaceMissing: {
    kind: 'user',
    summary: 'An environment is named, but no namespace in it.',
    remedy: 'Set `spec.destination.namespace`.',
  },
  EnvironmentNotFound: {
    kind: 'user',
    summary:
      'The GitOpsDeploymentManagedEnvironment that is named does not exist in this namespace, or cannot be used.',
    remedy: 'Create it, or correct the name or its credentials; the deployment goes on by itself then.',
  },
  NamespaceTerminating: {
    kind: 'waiting',
    summary: 'The namespace is being deleted, so nothing new is deployed from it.',
    remedy: 'Nothing to do: what was deployed is removed with the namespace.',
  },
  StaleCache: {
    kind: 'waiting',
    summary: 'What the service sees of the object is older than what it has already acted on.',
    remedy: 'Nothing to do: it is looked at again shortly.',
  },
  WaitingForDeletion: {
    kind: 'waiting',
    summary: 'A GitOpsDeployment of the same name was deleted, and what it deployed is not gone yet.',
    remedy: 'Nothing to do: the new one is deployed as soon as the old one is gone.',
  },
  ForbiddenName: {
    kind: 'user',
    summary: 'The GitOpsDeploymentSyncRun has a name that is kept for a test of admission.',
    remedy: 'Create it under another name.',
  },
  SyncRunFieldTooLong: {
    kind: 'user',
    summary: 'A field of the GitOpsDeploymentSyncRun is longer than the 256 bytes the service can keep.',
    remedy: 'Create another one with the name of a GitOpsDeployment, and a commit, tag or branch as revision.',
  },
  InvalidRevision: {
    kind: 'user',
    summary: '`spec.revisionID` holds a character that no revision can have.',
    remedy: 'Name a commit, tag or branch.',
  },
  SyncNotManual: {
    kind: 'user',
    summary: 'The GitOpsDeployment that should be synced is not `manual`: Argo CD syncs it by itself.',
    remedy: 'Set `spec.type` of the GitOpsDeployment to `manual`, or delete the GitOpsDeploymentSyncRun.',
  },
  SyncRunImmutable: {
    kind: 'user',
    summary: 'The spec of a GitOpsDeploymentSyncRun was changed after its sync had been ordered.',
    remedy: 'Change it back, and create another GitOpsDeploymentSyncRun for another sync.',
  },
  DeploymentNotFound: {
    kind: 'user',
    summary: 'The GitOpsDeployment that a GitOpsDeploymentSyncRun names does not exist any more.',
    remedy: 'Delete the GitOpsDeploymentSyncRun, or create the GitOpsDeployment and another GitOpsDeploymentSyncRun.',
  },
  WaitingForDeployment: {
    kind: 'waiting',
    turn: 'team',
    summary: 'The GitOpsDeployment that a GitOpsDeploymentSyncRun names is not there yet, or not deployed yet.',
    remedy: 'Create it, or correct the name; the sync then goes on by itself.',
  },
  WaitingForTurn: {
    kind: 'waiting',
    summary: 'Another sync of the same GitOpsDeployment comes first.',
    remedy: 'Nothing to do: one sync follows the other. Deleting a GitOpsDeploymentSyncRun ends its sync.',
  },
  Syncing: {
    kind: 'waiting',
    summary: 'The sync has been ordered and has not ended yet.',
    remedy: 'Nothing to do. The status of the GitOpsDeployment shows how far it is; deleting the sync run ends it.',
  },
  EngineNotFound: {
    kind: 'internal',
    summary: 'The namespace that Argo CD should run in does not exist.',
    remedy: 'Install Argo CD there, or correct the setting that names the namespace (`ARGO_CD_NAMESPACE`).',
  },
  EngineMismatch: {
    kind: 'user',
    turn: 'operator',
    summary: 'An Operation lies in another namespace than the Argo CD it is meant for.',
    remedy: 'Give backend and agent the same Argo CD namespace, then change the deployment or wait for the resync.',
  },
  OperationPending: {
    kind: 'waiting',
    summary: 'The change has been recorded, and the agent has not carried it out yet.',
    remedy: 'Nothing to do. If it lasts for minutes, an operator should see whether the agent runs.',
  },
  OperationFailed: {
    kind: 'user',
    summary: 'The agent could not carry out the change, and trying again as it stands would not help.',
    remedy: 'The message says why. Correct that; the slow resync also tries again.',
  },
  UnknownOperation: {
    kind: 'user',
    turn: 'operator',
    summary: 'An Operation is of a type that this agent does not know, or names nothing.',
    remedy: 'Let backend and agent be of the same release.',
  },
  InvalidSpecField: {
    kind: 'user',
    turn: 'operator',
    summary: 'What the database holds for an Application cannot be read.',
    remedy: 'Change the GitOpsDeployment, which writes it anew. Report it if the service wrote it.',
  },
  WaitingForArgoCD: {
    kind: 'waiting',
    summary: 'Argo CD has not yet done, or not yet said, what was asked of it.',
    remedy: 'Nothing to do. If it lasts for minutes, an operator should see whether Argo CD runs.',
  },
  WaitingForSyncRun: {
    kind: 'waiting',
    turn: 'team',
    summary: 'The deployment is `manual` and the cluster differs from the repository.',
    remedy: 'Create a GitOpsDeploymentSyncRun that names it.',
  },
  Progressing: {
    kind: 'waiting',
    summary: 'The objects are deployed and on their way to being healthy, or a sync runs.',
    remedy: 'Nothing to do. If it lasts, look at `status.resources` for the object that is not healthy.',
  },
  SyncRetrying: {
    kind: 'waiting',
    turn: 'team',
    summary: 'A sync failed and is being tried again.',
    remedy: 'The message has the failure. If it is in the repository, push a correction.',
  },
  SyncFailed: {
    kind: 'user',
    summary: 'The last sync failed.',
    remedy: 'The message and `status.operationState` have the failure. Correct it in the repository.',
  },
  Degraded: {
    kind: 'user',
    summary: 'What is deployed is in sync but not healthy.',
    remedy: 'Look at `status.resources` for the object, then at its own events and logs.',
  },
  Suspended: {
    kind: 'waiting',
    turn: 'team',
    summary: 'An object of the deployment is suspended.',
    remedy: 'Resume it when it is meant to go on.',
  },
  InvalidSpecError: {
    kind: 'user',
    summary: 'Argo CD does not accept the Application: source, destination or project do not fit.',
    remedy: 'The message names what. Correct it in the GitOpsDeployment.',
  },
  ComparisonError: {
    kind: 'user',
    summary: 'Argo CD could not compare: repository, revision, path or a manifest in it is not usable.',
    remedy: 'The message names what. Correct the GitOpsDeployment or the repository.',
  },
  SyncError: {
    kind: 'user',
    summary: 'Argo CD could not start a sync, or gave up on it.',
    remedy: 'The message names the object. Correct it in the repository.',
  },
  DeletionError: {
    kind: 'user',
    summary: 'Argo CD could not delete what was deployed.',
    remedy: 'The message names the object. Remove what holds it.',
  },
  UnknownError: {
    kind: 'user',
    turn: 'operator',
    summary: 'Argo CD failed for a reason it does not know.',
    remedy: 'The message has what Argo CD says; its logs have more.',
  },
  DeletionBlocked: {
    kind: 'waiting',
    turn: 'team',
    summary: 'The deletion does not get on: something that was deployed cannot be deleted.',
    remedy:
      'The message names what blocks. Remove its finalizer or what it waits for; the deletion then ends by itself.',
  },
} as const satisfies Readonly<Record<string, ReasonEntry>>;

type ReasonOf<K extends FaultKind> = {
  [R in keyof typeof reasons]: (typeof reasons)[R]['kind'] extends K ? R : never;
}[keyof typeof reasons];

/** One of the reasons. */
export type Reason = keyof typeof reasons;

/** A fault that only a change of the object, or of what it refers to, can mend. `message` is shown to the team. */
export const userFault = (reason: ReasonOf<'user'>, message: string): Fault<Reason> =>
  new Fault('user', reason, message);

/**
 * A fault that ends when something else has finished. `message` is shown to the team. Looked at again after
 * `retryAfterMs`; without it, when what it waits for changes, and at the resync.
 */
export const waitingFault = (reason: ReasonOf<'waiting'>, message: string, retryAfterMs?: number): Fault<Reason> =>
  new Fault('waiting', reason, message, retryAfterMs === undefined ? {} : { retryAfterMs });

/** A fault of the service or what it stands on. `message` and `cause` go to the log; the team sees a general sentence. */
export const internalFault = (reason: ReasonOf<'internal'>, message: string, cause?: unknown): Fault<Reason> =>
  new Fault('internal', reason, message, { cause });
