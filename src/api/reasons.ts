// The reasons of faults and conditions in GitOps matters: one table, from which constructors and documentation come.
import { Fault, type FaultKind, type FaultOptions } from '../lib/fault.ts';
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
    summary: 'An object of the same name was deleted, and what it deployed, or what was made for it, is not gone yet.',
    remedy: 'Nothing to do: the new one has its turn as soon as the old one is gone.',
  },
  SecretNotSpecified: {
    kind: 'user',
    summary: 'No Secret is named.',
    remedy: 'Name the Secret in this namespace that holds the credentials.',
  },
  SecretNotFound: {
    kind: 'user',
    summary: 'The Secret that is named does not exist in this namespace, or is of another type.',
    remedy: 'Create it, or correct the name; it goes on by itself then.',
  },
  SecretInvalidType: {
    kind: 'user',
    summary: 'The Secret of a GitOpsDeploymentRepositoryCredential has the wrong type.',
    remedy: 'Create it anew with the type `managed-gitops.redhat.com/repository-credential`.',
  },
  InvalidSecretType: {
    kind: 'user',
    summary: 'The Secret of a GitOpsDeploymentManagedEnvironment has the wrong type.',
    remedy: 'Create it anew with the type `managed-gitops.redhat.com/managed-environment`.',
  },
  UnsupportedAPIURL: {
    kind: 'user',
    summary: '`spec.apiURL` is no URL that a cluster can be reached at, or one that is not allowed.',
    remedy: 'Write it as `https://host:port`, as the kubeconfig has it, without `?` and `&`.',
  },
  InvalidNamespaceList: {
    kind: 'user',
    summary: '`spec.namespaces` holds a text that is no name of a namespace.',
    remedy: 'Correct the name: lower-case letters, digits and hyphens, at most 63 of them.',
  },
  MissingKubeConfigField: {
    kind: 'user',
    summary: 'The Secret has no key `kubeconfig`.',
    remedy: 'Put the kubeconfig under this key.',
  },
  UnableToParseKubeconfigData: {
    kind: 'user',
    summary: 'The kubeconfig cannot be read, lacks what is needed, or asks for something that is not allowed.',
    remedy: 'The message names the part. Give a kubeconfig with a token, without commands, files and proxies.',
  },
  UnableToLocateContext: {
    kind: 'user',
    summary: 'The kubeconfig has no cluster with the URL of `spec.apiURL`, or no context for that cluster.',
    remedy: 'Let `spec.apiURL` be the `server` of a cluster in the kubeconfig that a context names.',
  },
  UnableToRetrieveRestConfig: {
    kind: 'user',
    summary: 'What the kubeconfig says of the cluster cannot be used.',
    remedy: 'The message names the part. Correct the kubeconfig.',
  },
  UnableToCreateClient: {
    kind: 'user',
    summary: 'The cluster cannot be connected to as the kubeconfig says.',
    remedy: 'The message has the cause. It is tried again every minute, and at once when something is changed.',
  },
  UnableToInstallServiceAccount: {
    kind: 'user',
    summary: 'The ServiceAccount could not be made on the cluster.',
    remedy: 'The message has the cause. Most often the user of the kubeconfig lacks the rights of a cluster admin.',
  },
  UnableToValidateClusterCredentials: {
    kind: 'user',
    summary: 'The cluster did not answer, or did not accept the credentials.',
    remedy: 'The message says which. Correct URL, token or rights; it is also tried again every minute.',
  },
  UnableToCreateClusterCredentials: {
    kind: 'internal',
    summary: 'The credentials of an environment could not be kept.',
    remedy: 'It is tried again. The log has the cause.',
  },
  CheckPending: {
    kind: 'waiting',
    summary: 'Whether the credentials work is being looked at.',
    remedy: 'Nothing to do: it takes as long as the other side takes to answer, a minute at the most.',
  },
  InvalidCredentials: {
    kind: 'user',
    summary: 'The Git server did not accept the credential.',
    remedy: 'Correct user and password, token or key in the Secret.',
  },
  RepositoryUnreachable: {
    kind: 'user',
    turn: 'nobody',
    summary: 'The Git server cannot be reached, or did not answer in time.',
    remedy: 'The message has the cause. It is tried again every minute, and at once when something is changed.',
  },
  GitNotInstalled: {
    kind: 'internal',
    summary: 'The backend found no git, or no ssh that runs, so no repository credential can be checked.',
    remedy:
      'Install git and the client of OpenSSH where it runs, or add their folder to `PATH`; the message says what is missing.',
  },
  GitAuthoritiesUnreadable: {
    kind: 'internal',
    summary: 'The file of --git-ca-file was there when the backend started and can not be read now.',
    remedy: 'Put the file back. Credentials of repositories over HTTPS are checked again then.',
  },
  CredentialTooLong: {
    kind: 'user',
    summary: 'A value in the Secret is longer than what the service can keep.',
    remedy: 'The message names it. Use a shorter one.',
  },
  EngineNotSupported: {
    kind: 'user',
    turn: 'operator',
    summary: 'An Operation asks for an Argo CD to be made, and the cluster has no operator that could.',
    remedy: 'Install the Argo CD operator, or delete the Operation.',
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
export const userFault = (reason: ReasonOf<'user'>, message: string, options?: FaultOptions): Fault<Reason> =>
  new Fault('user', reason, message, options);

/**
 * A fault that ends when something else has finished. `message` is shown to the team. Looked at again after
 * `retryAfterMs`; without it, when what it waits for changes, and at the resync.
 */
export const waitingFault = (reason: ReasonOf<'waiting'>, message: string, retryAfterMs?: number): Fault<Reason> =>
  new Fault('waiting', reason, message, retryAfterMs === undefined ? {} : { retryAfterMs });

/** A fault of the service or what it stands on. `message` and `cause` go to the log; the team sees a general sentence. */
export const internalFault = (reason: ReasonOf<'internal'>, message: string, cause?: unknown): Fault<Reason> =>
  new Fault('internal', reason, message, { cause });
