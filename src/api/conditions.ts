// Types and reasons of the conditions in our kinds' statuses.

/** The standard conditions, as kstatus reads them; at most one of the three is True. */
export const standardConditions = ['Ready', 'Reconciling', 'Stalled'] as const;
/** One of the standard conditions. */
export type StandardCondition = (typeof standardConditions)[number];

/** Type, and reason while True, of the condition that shows a fault of ours or of the spec. */
export const errorOccurred = 'ErrorOccurred';

/** Reason of a condition that was True and no longer is, on a GitOpsDeployment. */
export const resolvedReason = (conditionType: string): string => `${conditionType}Resolved`;
/** Condition of a GitOpsDeploymentManagedEnvironment: whether the cluster was reached. */
export const connectionInitializationSucceeded = 'ConnectionInitializationSucceeded';

/** Condition of a GitOpsDeploymentRepositoryCredential: whether its URL names a repository. */
export const validRepositoryUrl = 'ValidRepositoryURL';

/** Condition of a GitOpsDeploymentRepositoryCredential: whether the repository was read with the credential. */
export const validRepositoryCredential = 'ValidRepositoryCredential';
