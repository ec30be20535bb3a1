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
  apiUrlNotHttps: 'cluster api url must start with https://',
  repositoryScheme: 'repository must begin with ssh:// or https://',
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

/** What a GitOpsDeploymentManagedEnvironment's condition says. */
export const environmentMessages = {
  unsupportedApiUrl: 'the API URL must not have ? or & values',
  invalidNamespace: (name: string): string =>
    `ManagedEnvironment contains an invalid namespace in namespaces list: ${name}`,
  /** The same of an environment that has been usable before. */
  invalidNamespaceOnUpdate: (name: string): string =>
    `user specified an invalid namespace: ManagedEnvironment contains an invalid namespace in namespaces list: ${name}`,
  secretNotSpecified: (name: string, namespace: string): string =>
    `no secret specified by managed environment '${name}' in '${namespace}'`,
  secretNotFound: (of: { readonly secret: string; readonly name: string; readonly namespace: string }): string =>
    `secret '${of.secret}' referenced by managed environment '${of.name}' in '${of.namespace}', could not be retrieved: Secret "${of.secret}" not found`,
  invalidSecretType: (type: string): string => `invalid secret type: ${type}`,
  missingKubeconfig: 'missing kubeconfig field in Secret',
  unparsable: (cause: string): string => `unable to parse kubeconfig data: ${cause}`,
  missingAuthInfo: (context: string): string =>
    `unable to extract remote cluster configuration from kubeconfig, missing auth info for ${context}`,
  noToken: (context: string): string =>
    `kubeconfig must have a service account token for the user in context "${context}". client-certificate is not supported at this time.`,
  noCluster: (url: string): string => `the kubeconfig did not have a cluster entry that matched the API URL '${url}'`,
  noContext: (cluster: string): string =>
    `the kubeconfig did not have a context that matched the cluster specified in the API URL of the GitOpsDeploymentManagedEnvironment. Context was expected to reference cluster '${cluster}'`,
  noRestConfig: (cause: string): string => `unable to retrieve restConfig from managed environment secret: ${cause}`,
  noClient: (cause: string): string =>
    `unable to create k8s client from restConfig from managed environment secret: ${cause}`,
  notValidated:
    'Unable to validate the credentials provided in the ManagedEnvironment Secret. Verify the API URL, and service account token are correct.',
  forbidden:
    'Provided service account does not have permission to access resources in the cluster. Verify that the service account has the correct Role and RoleBinding.',
  unknownAuthority:
    "Certificate signed by unknown authority. Note that the '.spec.allowInsecureSkipTLSVerify' field can be used to ignore this error.",
} as const;

/** What a GitOpsDeploymentRepositoryCredential's conditions say. */
export const credentialMessages = {
  secretNotSpecified: 'Secret field is missing value',
  secretNotFound: 'Secret specified not found',
  secretInvalidType: 'Secret has an invalid type, must be managed-gitops.redhat.com/repository-credential',
  noRepository: (cause: string): string => `Repository does not exist: ${cause}`,
  unreadableUrl: 'the URL can not be read, write it as https://host/path or ssh://user@host/path',
  notFound: 'repository not found',
  redirected: 'repository not found: the server names another URL for it, write that one',
  invalid: (secret: string, url: string): string =>
    `Repository Credentials provided ${secret} for Repository ${url} are invalid`,
  exists: (url: string): string => `Repository ${url} exists`,
  upToDate: 'RepositoryCredentials are Valid',
  valid: (secret: string, url: string): string =>
    `Repository Credentials provided ${secret} for Repository ${url} are valid`,
  /** Nobody knows then whether the credential is right. */
  unreachable: (url: string, cause: string): string => `Repository ${url} can not be reached: ${cause}`,
} as const;

/** What an Operation about Argo CD's Secrets or its projects says. */
export const engineMessages = {
  unsupportedHost: (host: string): string => `the Kubernetes API URL contained unsupported characters: ${host}`,
  environmentExists: 'managed environment still exists in the database',
  clusterSecretNotCreated: (name: string, namespace: string): string =>
    `unable to create expected Argo CD Cluster secret '${name}' in '${namespace}'`,
  clusterSecretNotUpdated: (name: string, namespace: string): string =>
    `unable to update existing secret '${name}' in '${namespace}'`,
  repositorySecretNotCreated: 'unable to create Argo CD Repository secret',
  repositorySecretNotUpdated: 'unable to update Argo CD Private Repository secret',
} as const;

/** A value too long for the database, which both halves share. */
export const tooLong = (field: string, max: number, actual: number): string =>
  `${field} value exceeds maximum size: max: ${max}, actual: ${actual}`;
