// Managed environments and repository credentials as users write them, with their Secrets.
import {
  gitOpsDeploymentManagedEnvironments,
  type GitOpsDeploymentManagedEnvironment,
} from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import {
  gitOpsDeploymentRepositoryCredentials,
  type GitOpsDeploymentRepositoryCredential,
} from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { managedEnvironmentSecretType, repositoryCredentialSecretType } from '../../src/api/labels.ts';
import { secrets, type Secret } from '../../src/kube/object.ts';
import { toYaml } from '../../src/lib/yaml.ts';
import { orAbsent } from './deployments.ts';
import { eventually } from './eventually.ts';
import type { World } from './world.ts';

/** Where the objects are. */
type Cluster = Pick<World, 'client'>;

/** Where an object is. */
export interface Ref {
  readonly namespace: string;
  readonly name: string;
}

/** A kubeconfig of one cluster, whose user has this token, or whatever else `user` says. */
export const aKubeconfig = (of: {
  readonly server: string;
  readonly token?: string;
  readonly user?: Readonly<Record<string, unknown>>;
  readonly cluster?: Readonly<Record<string, unknown>>;
}): string =>
  toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'there',
    contexts: [{ name: 'there', context: { cluster: 'there', user: 'me' } }],
    clusters: [{ name: 'there', cluster: { server: of.server, ...of.cluster } }],
    users: [{ name: 'me', user: of.user ?? { token: of.token } }],
  });

const encoded = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));

const putSecret = async (
  { client }: Cluster,
  ref: Ref,
  { type, data }: { readonly type: string; readonly data: Readonly<Record<string, string>> },
): Promise<void> => {
  const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { ...ref }, type, data: encoded(data) };
  if (!(await orAbsent(client.get(secrets, ref)))) await client.create(secrets, secret);
  else await client.patch(secrets, ref, { type: 'merge', body: { data: secret.data } });
};

/** Writes the Secret of an environment, or changes what is in it. */
export const putKubeconfig = (world: Cluster, ref: Ref, kubeconfig: string): Promise<void> =>
  putSecret(world, ref, { type: managedEnvironmentSecretType, data: { kubeconfig } });

/** Writes the Secret of a credential, or changes what is in it. */
export const putCredential = (world: Cluster, ref: Ref, data: Readonly<Record<string, string>>): Promise<void> =>
  putSecret(world, ref, { type: repositoryCredentialSecretType, data });

/** An environment whose Secret is called as it is. */
export const createEnvironment = (
  { client }: Cluster,
  ref: Ref,
  spec: Partial<NonNullable<GitOpsDeploymentManagedEnvironment['spec']>> & { readonly apiURL: string },
): Promise<GitOpsDeploymentManagedEnvironment> =>
  client.create(gitOpsDeploymentManagedEnvironments, {
    apiVersion: 'managed-gitops.redhat.com/v1alpha1',
    kind: 'GitOpsDeploymentManagedEnvironment',
    metadata: { ...ref },
    spec: { credentialsSecret: ref.name, allowInsecureSkipTLSVerify: true, ...spec },
  });

/** A credential whose Secret is called as it is. */
export const createCredential = (
  { client }: Cluster,
  ref: Ref,
  spec: { readonly repository: string; readonly secret?: string },
): Promise<GitOpsDeploymentRepositoryCredential> =>
  client.create(gitOpsDeploymentRepositoryCredentials, {
    apiVersion: 'managed-gitops.redhat.com/v1alpha1',
    kind: 'GitOpsDeploymentRepositoryCredential',
    metadata: { ...ref },
    spec: { secret: ref.name, ...spec },
  });

type Kind = 'environment' | 'credential';
const resources = {
  environment: gitOpsDeploymentManagedEnvironments,
  credential: gitOpsDeploymentRepositoryCredentials,
} as const;

/** The conditions of an object as `type=status reason message` texts without times, the standard ones left out. */
export const ownConditions = async ({ client }: Cluster, kind: Kind, ref: Ref): Promise<readonly string[]> => {
  const { status } = await client.get<GitOpsDeploymentManagedEnvironment | GitOpsDeploymentRepositoryCredential>(
    resources[kind],
    ref,
  );
  return (status?.conditions ?? [])
    .filter(({ type }) => !['Ready', 'Reconciling', 'Stalled'].includes(type))
    .map(({ type, status: holds, reason, message }) => `${type}=${holds} ${reason} ${message}`.trim());
};

/** Waits until the first of an object's own conditions fits. */
export const becomes = (world: Cluster, kind: Kind, ref: Ref & { readonly condition: RegExp }): Promise<string> =>
  eventually(`the ${kind} becomes ${ref.condition.source}`, async () => {
    const conditions = await ownConditions(world, kind, { namespace: ref.namespace, name: ref.name });
    const found = conditions.find((one) => ref.condition.test(one));
    if (found === undefined) throw new Error(JSON.stringify(conditions));
    return found;
  });
