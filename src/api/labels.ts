// Every name, label, annotation, finalizer and type that stands in objects and that others rely on.

/** A user's finalizer on a GitOpsDeployment: it stays until its Application is gone. We only ever remove it. */
export const deploymentFinalizer = 'resources-finalizer.managed-gitops.redhat.com';

/** Argo CD's finalizer on an Application: what was deployed is deleted with it, in the background. */
export const applicationFinalizer = 'resources-finalizer.argocd.argoproj.io/background';

/** Label of what is made from a row; its value is the row's id. */
export const databaseIdLabel = 'databaseID';

/** Label that Argo CD sets on what it deploys; its value is the Application's name. */
export const instanceLabel = 'app.kubernetes.io/instance';

/** Annotation that asks Argo CD to look at an Application now; Argo CD removes it when done. */
export const refreshAnnotation = 'argocd.argoproj.io/refresh';
/** Value of `refreshAnnotation`: compare with the repository, caches allowed. */
export const refreshNormal = 'normal';

/** Annotation on an Application; its value is the id of the sync's row that a refresh was last asked for. */
export const syncRefreshAnnotation = 'managed-gitops.redhat.com/refreshed-for';

/**
 * Annotation on an Application; its value is the id of the sync's row that was ordered last. Argo CD forgets a sync as soon
 * as another one begins: this does not.
 */
export const syncOrderedAnnotation = 'managed-gitops.redhat.com/ordered-for';

/** Annotation on an Operation that was shown to the agent again; its value is the time. */
export const redeliveredAtAnnotation = 'managed-gitops.redhat.com/redelivered-at';

/** Label of Operation objects that were made together; its value is a random id. */
export const deliveryLabel = 'managed-gitops.redhat.com/delivery';

/** Annotation on an AppProject; its value is the id of the tenant's row. */
export const usernameAnnotation = 'username';

/** Label by which Argo CD knows its Secrets; its value is `cluster` or `repository`. */
export const secretTypeLabel = 'argocd.argoproj.io/secret-type';

/** Annotation on a repository Secret: Argo CD deletes what it manages when it is told to forget the repository. */
export const managedByAnnotation = 'managed-by';
/** Value of `managedByAnnotation`. */
export const argoCdManager = 'argocd.argoproj.io';

/** Finalizer on an ArgoCD object: the operator removes what it made for it. */
export const argoCdFinalizer = 'argoproj.io/finalizer';

/** Type of the Secret that a GitOpsDeploymentManagedEnvironment names; its key is `kubeconfig`. */
export const managedEnvironmentSecretType = 'managed-gitops.redhat.com/managed-environment';
/** Type of the Secret that a GitOpsDeploymentRepositoryCredential names. */
export const repositoryCredentialSecretType = 'managed-gitops.redhat.com/repository-credential';

/** Name, in Argo CD, of the cluster that Argo CD itself runs on. */
export const inCluster = 'in-cluster';
/** The project every Application belongs to while projects don't isolate tenants. */
export const defaultProject = 'default';

/** Name of the Application of a GitOpsDeployment, from the deployment's UID. */
export const applicationNameFor = (deploymentUid: string): string => `gitopsdepl-${deploymentUid}`;

/** The UID of the GitOpsDeployment whose Application has this name; undefined for any other name. */
export const deploymentUidOf = (applicationName: string): string | undefined =>
  /^gitopsdepl-(.{36})$/.exec(applicationName)?.[1];

/** Name of the Operation object of a row. */
export const operationName = (operationId: string): string => `operation-${operationId}`;

/** Name of the cluster Secret, and of the cluster in Argo CD, from the id of the managed environment's row. */
export const managedEnvironmentSecretName = (managedEnvironmentId: string): string =>
  `managed-env-${managedEnvironmentId}`;

/** The managed environment's id in a cluster name; undefined for any other name, `inCluster` among them. */
export const managedEnvironmentIdOf = (clusterName: string): string | undefined =>
  /^managed-env-(.+)$/.exec(clusterName)?.[1];

/** Name of the repository Secret of a credential, from the id of its row. */
export const repositorySecretName = (credentialId: string): string => `repo-cred-${credentialId}`;

/** The credential's id in the name of a Secret; undefined for any other name. */
export const credentialIdOf = (secretName: string): string | undefined => /^repo-cred-(.+)$/.exec(secretName)?.[1];

/** Name of a tenant's AppProject, from the id of the tenant's row. */
export const appProjectName = (userId: string): string => `app-project-${userId}`;

/** The id of the tenant's row in the name of an AppProject; undefined for any other name, `defaultProject` among them. */
export const appProjectUserOf = (projectName: string): string | undefined =>
  /^app-project-(.+)$/.exec(projectName)?.[1];

/** Name of the note that travels with an Application's `operation` of a sync run; its value is the id of the sync's row. */
export const syncInfoName = 'syncoperation';
