// The sentences that users and their scripts already know, letter for letter, spelling mistakes included.

/** Shown where the cause is ours or unknown. */
export const unknownError = 'an unknown error occurred';

/** What is refused at the door, and said again by the reconciler where nothing stands at the door. */
export const admissionMessages = {
  invalidType: 'spec type must be manual or automated',
  unknownSyncOption:
    'the specified sync option in .spec.syncPolicy.syncOptions is either mispelled or is not supported by GitOpsDeployment',
  namespaceWithoutEnvironment: 'the environment field should not be empty when the namespace is non-empty',
  forbiddenSyncRunName: 'name should not be zyxwvutsrqponmlkjihgfedcba-abcdefghijklmnoqrstuvwxyz',
} as const;

/** What a GitOpsDeployment's `ErrorOccurred` condition says. */
export const deploymentMessages = {
  pathRequired: 'spec.source.path is a required field and it cannot be empty',
  pathIsRoot: "spec.source.path cannot be '/'",
  /** On create, when the environment that is named is missing or not usable. */
  environmentUnusable:
    'Unable to reconcile the ManagedEnvironment. Verify that the ManagedEnvironment and Secret are correctly defined, and have valid credentials',
  /** The same on an update. */
  environmentUnusableOnUpdate:
    'unable to reconcile the ManagedEnvironment resource. Ensure that the ManagedEnvironment exists, it references a Secret, and the Secret is valid',
  /** On create, when no namespace can be told. */
  destinationNamespaceInvalid: 'the namespace specified in the destination field is invalid',
  /** The same on an update. */
  destinationNamespaceInvalidOnUpdate:
    'destination namespace specified in the .spec.Destination.Namespace field is invalid',
} as const;

/** What a GitOpsDeploymentSyncRun's `ErrorOccurred` condition says. */
export const syncRunMessages = {
  deploymentNotFound: (name: string): string =>
    `Unable to retrieve GitOpsDeployment '${name}' referenced by the GitOpsDeploymentSyncRun`,
  notManual: (syncRunName: string): string =>
    `invalid GitOpsDeploymentSyncRun '${syncRunName}'. Syncing a GitOpsDeployment with Automated sync policy is not allowed`,
  /** While a deployment's newest spec is on its way to the rows, or from there to Argo CD. */
  changePending: (name: string): string =>
    `waiting until the last change of GitOpsDeployment '${name}' has been carried out`,
  deploymentNameImmutable: 'deployment name field is immutable: changing it from its initial value is not supported',
  revisionImmutable: 'revision change is not supported: changing it from its initial value is not supported',
} as const;

/** What the failure of a sync says. */
export const syncMessages = {
  noRow: 'no results found for GetSyncOperationById: no rows in result set',
  ended: (phase: string, message: string): string =>
    `operation has completed with phase: ${phase} and message: ${message}`,
  requirePruning: (count: number): string => `${count} resources require pruning`,
  overwritten: (applicationName: string): string =>
    `Application ${applicationName} was synced by somebody else, or this sync was taken back, before its end was seen; create another sync run`,
  neverTerminated: (applicationName: string): string => `application operation never terminated: ${applicationName}`,
} as const;

/** A value too long for the database, which both halves share. */
export const tooLong = (field: string, max: number, actual: number): string =>
  `${field} value exceeds maximum size: max: ${max}, actual: ${actual}`;
