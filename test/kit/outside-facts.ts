// Facts about one environment and one credential, as gathered: everything is in order unless a test says otherwise.
import { managedEnvironmentSecretType, repositoryCredentialSecretType } from '../../src/api/labels.ts';
import type { GitOpsDeploymentManagedEnvironment } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import type { GitOpsDeploymentRepositoryCredential } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import type { CheckFacts } from '../../src/domain/check-facts.ts';
import type { CredentialFacts, CredentialLink, CredentialRowFacts } from '../../src/domain/credential-facts.ts';
import { readCredential } from '../../src/domain/credential-wish.ts';
import type { EnvironmentFacts, EnvironmentLink, EnvironmentRowFacts } from '../../src/domain/environment-facts.ts';
import { readEnvironment } from '../../src/domain/environment-wish.ts';
import type { SecretFacts } from '../../src/domain/secret-facts.ts';
import { aKubeconfig } from './environments.ts';

/** The UID of the object that the facts are about. */
export const liveUid = '22222222-2222-4222-8222-222222222222';

const apiUrl = 'https://cluster.example:6443';
const repository = 'https://git.example/Team/App.git';

/** What of an object's metadata the plans look at. */
interface Life {
  readonly generation?: number;
  readonly deleting?: boolean;
}

const metadataOf = (name: string, { generation = 1, deleting = false }: Life) => ({
  name,
  namespace: 'team-a',
  uid: liveUid,
  generation,
  ...(deleting && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
});

const secretOf = (type: string, texts: Readonly<Record<string, string>>): SecretFacts => ({
  type,
  data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
});

/** An environment as the API server has it. */
export const liveEnvironment = (
  spec: Partial<NonNullable<GitOpsDeploymentManagedEnvironment['spec']>> = {},
  life: Life = {},
): GitOpsDeploymentManagedEnvironment => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeploymentManagedEnvironment',
  metadata: metadataOf('prod', life),
  spec: { apiURL: apiUrl, credentialsSecret: 'prod', allowInsecureSkipTLSVerify: true, ...spec },
});

/** Its Secret, with the token of its user. */
export const kubeconfigSecret = (token = 'token', server = apiUrl): SecretFacts =>
  secretOf(managedEnvironmentSecretType, { kubeconfig: aKubeconfig({ server, token }) });

/** The hash of what an environment asks for. */
export const environmentHash = (environment = liveEnvironment(), secret = kubeconfigSecret()): string =>
  readEnvironment(environment, secret, false).inputHash;

/** The link of an environment whose rows were made from it as it is. */
export const environmentLink = (
  rows: Partial<EnvironmentRowFacts> = {},
  more: Partial<EnvironmentLink> = {},
): EnvironmentLink => ({
  environmentUid: liveUid,
  inPlace: true,
  generation: 1,
  id: 'environment',
  rows: {
    name: 'prod',
    credentialsId: 'credentials',
    inputHash: environmentHash(),
    tokenExpiresAt: null,
    serviceAccount: null,
    host: apiUrl,
    sealedToken: 'token',
    insecure: true,
    allowed: true,
    ...rows,
  },
  ...more,
});

const around = {
  namespaceUid: 'namespace-uid',
  namespace: { name: 'team-a', uid: 'namespace-uid', deleting: false },
  live: false,
  lastAnswer: 0,
  engine: { namespace: 'argocd', namespaceUid: 'engine-uid', clusterUid: 'cluster-uid' },
  userId: 'user',
  engineInstanceId: 'instance',
};

/** A result of 2026-01-01T00:00:00, a good one unless told. */
export const checkOf = (inputHash: string, more: Partial<CheckFacts> = {}): CheckFacts => ({
  inputHash,
  reason: '',
  message: '',
  at: '2026-01-01T00:00:00.000000Z',
  ...more,
});

/** The facts of an environment whose tenant is known and which was checked. */
export const environmentFacts = (more: Partial<EnvironmentFacts> = {}): EnvironmentFacts => ({
  ...around,
  name: 'prod',
  environment: liveEnvironment(),
  secret: kubeconfigSecret(),
  gone: new Set(),
  links: [],
  check: checkOf(environmentHash()),
  found: undefined,
  ...more,
});

/** A credential as the API server has it. */
export const liveCredential = (
  spec: Partial<NonNullable<GitOpsDeploymentRepositoryCredential['spec']>> = {},
  life: Life = {},
): GitOpsDeploymentRepositoryCredential => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeploymentRepositoryCredential',
  metadata: metadataOf('repo', life),
  spec: { repository, secret: 'repo', ...spec },
});

/** Its Secret. */
export const passwordSecret = (password = 'password'): SecretFacts =>
  secretOf(repositoryCredentialSecretType, { username: 'git', password });

/** The hash of what a credential asks for. */
export const credentialHash = (credential = liveCredential(), secret = passwordSecret()): string =>
  readCredential(credential, secret).inputHash;

/** The link of a credential whose row was made from it as it is. */
export const credentialLink = (
  row: Partial<CredentialRowFacts> = {},
  more: Partial<CredentialLink> = {},
): CredentialLink => ({
  credentialUid: liveUid,
  inPlace: true,
  generation: 1,
  id: 'credential',
  row: {
    userId: 'user',
    instanceId: 'instance',
    url: repository,
    secret: 'repo',
    inputHash: credentialHash(),
    ...row,
  },
  operations: [],
  ...more,
});

/** The facts of a credential whose tenant is known and which was checked. */
export const credentialFacts = (more: Partial<CredentialFacts> = {}): CredentialFacts => ({
  ...around,
  name: 'repo',
  credential: liveCredential(),
  secret: passwordSecret(),
  gone: new Set(),
  repositoryKnown: true,
  links: [],
  check: checkOf(credentialHash()),
  ...more,
});
