// The environments and repository credentials of an original installation: object, rows, and Argo CD's Secret.
import { secrets, type KubeObject } from '../../src/kube/object.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { someRepository } from './deployments.ts';
import { hoursAgo, insertAccess, insertLink, type OriginalRows, type OriginalTenant } from './original-database.ts';
import { engineNamespace, type World } from './world.ts';

const uuid = (): string => systemRandom.uuid();

const createSecret = async (
  { client }: World,
  ref: { readonly name: string; readonly namespace: string },
  more: {
    readonly type?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    /** Plain text. */
    readonly data?: Readonly<Record<string, string>>;
  },
): Promise<void> => {
  const { labels = {}, annotations = {}, data: texts = {}, ...rest } = more;
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  const metadata = { ...ref, labels, annotations };
  await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata, data, ...rest });
};

/** Makes an object of one of the service's kinds; gives its UID. */
const createOwn = async ({ client }: World, kind: string, object: KubeObject): Promise<string> => {
  const resource = {
    group: 'managed-gitops.redhat.com',
    version: 'v1alpha1',
    plural: `${kind.toLowerCase()}s`,
    kind,
    namespaced: true,
  };
  return (await client.create(resource, object)).metadata.uid ?? '';
};

const ownObject = (kind: string, metadata: KubeObject['metadata'], spec: unknown): KubeObject =>
  Object.assign({ apiVersion: 'managed-gitops.redhat.com/v1alpha1', kind, metadata }, { spec });

/** An environment as its team has written it, and the token that the original has stored. */
export interface OriginalEnvironment {
  readonly name: string;
  readonly apiURL: string;
  /** Takes the UID of the object. */
  readonly token: (uid: string) => Promise<string>;
  /** In the Secret; without one that is empty. */
  readonly kubeconfig?: string;
  readonly createNewServiceAccount?: boolean;
  readonly namespaces?: readonly string[];
  readonly clusterResources?: boolean;
}

const prod: OriginalEnvironment = {
  name: 'prod',
  apiURL: 'https://prod.example.com:6443',
  token: async () => 'token',
};

/** An environment of a tenant, with its object, its rows and its Secret in Argo CD's namespace. Gives the id of its row. */
export const makeOriginalEnvironment = async (
  world: World,
  rows: OriginalRows,
  { tenant, ...given }: Partial<OriginalEnvironment> & { readonly tenant: OriginalTenant },
): Promise<string> => {
  const { insert } = rows;
  const { name, apiURL, token: tokenFor, kubeconfig, namespaces, ...more } = { ...prod, ...given };
  const { namespace, userId } = tenant;
  const kind = 'GitOpsDeploymentManagedEnvironment';
  const spec = { apiURL, credentialsSecret: name, allowInsecureSkipTLSVerify: true, namespaces, ...more };
  const uid = await createOwn(world, kind, ownObject(kind, { name, namespace }, spec));
  const [id, credentialsId, token] = [uuid(), uuid(), await tokenFor(uid)];
  const joined = namespaces?.toSorted().join(',');
  await insert('clustercredentials', {
    clustercredentials_cred_id: credentialsId,
    host: apiURL,
    serviceaccount_bearer_token: token,
    serviceaccount_ns: 'kube-system',
    allowinsecure_skiptlsverify: true,
    namespaces: joined,
    cluster_resources: more.clusterResources,
  });
  await insert('managedenvironment', { managedenvironment_id: id, name, clustercredentials_id: credentialsId });
  await insertAccess(rows, userId, id);
  await insert('appprojectmanagedenvironment', {
    appproject_managedenv_id: uuid(),
    clusteruser_id: userId,
    managed_environment_id: id,
  });
  await insertLink(rows, tenant, { kind, uid, name, relation: 'ManagedEnvironment', key: id });
  const type = 'managed-gitops.redhat.com/managed-environment';
  await createSecret(world, { name, namespace }, { type, ...(kubeconfig && { data: { kubeconfig } }) });
  const labels = { 'argocd.argoproj.io/secret-type': 'cluster', databaseID: id };
  const secretName = `managed-env-${id}`;
  const data = {
    name: secretName,
    server: `${apiURL}?managedEnvironment=${id}`,
    config: `{"bearerToken":"${token}","tlsClientConfig":{"insecure":true}}`,
    ...(more.clusterResources && { clusterResources: 'true' }),
    ...(joined && { namespaces: joined }),
  };
  await createSecret(world, { name: secretName, namespace: engineNamespace }, { labels, data });
  return id;
};

/** A credential as its team has written it. */
export interface OriginalCredential {
  readonly name: string;
  readonly repository: string;
  readonly values: { readonly username?: string; readonly password?: string; readonly sshPrivateKey?: string };
  /** True where the Secret of the team is there. */
  readonly hasSecret: boolean;
}

const aPrivateOne: OriginalCredential = {
  name: 'private',
  repository: someRepository,
  values: { username: 'robot', password: 'password' },
  hasSecret: false,
};

/** A repository credential of a tenant, with its object, its row and its Secret in Argo CD's namespace. Gives the id of its row. */
export const makeOriginalCredential = async (
  world: World,
  rows: OriginalRows,
  { tenant, ...given }: Partial<OriginalCredential> & { readonly tenant: OriginalTenant },
): Promise<string> => {
  const { insert, instanceId } = rows;
  const { name, repository, values, hasSecret } = { ...aPrivateOne, ...given };
  const { namespace } = tenant;
  const kind = 'GitOpsDeploymentRepositoryCredential';
  const uid = await createOwn(world, kind, ownObject(kind, { name, namespace }, { repository, secret: name }));
  const id = uuid();
  await insert('repositorycredentials', {
    repositorycredentials_id: id,
    repo_cred_user_id: tenant.userId,
    repo_cred_url: repository,
    repo_cred_user: values.username,
    repo_cred_pass: values.password,
    repo_cred_ssh: values.sshPrivateKey,
    repo_cred_secret: name,
    repo_cred_engine_id: instanceId,
    created_on: hoursAgo(48),
  });
  await insertLink(rows, tenant, { kind, uid, name, relation: 'RepositoryCredential', key: id });
  const type = 'managed-gitops.redhat.com/repository-credential';
  if (hasSecret) await createSecret(world, { name, namespace }, { type, data: { ...values } });
  const labels = { 'argocd.argoproj.io/secret-type': 'repository', databaseID: id };
  const annotations = { 'managed-by': 'argocd.argoproj.io' };
  const data = { name, url: repository, ...values };
  await createSecret(world, { name: `repo-cred-${id}`, namespace: engineNamespace }, { labels, annotations, data });
  return id;
};

/** What tenants of the original have outside of their own namespace. */
export interface OriginalOutside {
  /** Ids of rows by the names of environments, in the order in which they were made. */
  readonly environments: Readonly<Record<string, string>>;
  /** Id of the row of a credential that an Operation is open for. */
  readonly credentialId: string;
  /** Keys of the repositories that credentials are for. */
  readonly repositories: readonly string[];
}

/** The environment `prod` that nobody reaches, and a credential, both without a Secret that could be read. */
export const makeUnreached = async (
  world: World,
  rows: OriginalRows,
  tenant: OriginalTenant,
): Promise<OriginalOutside> => ({
  environments: { prod: await makeOriginalEnvironment(world, rows, { tenant }) },
  credentialId: await makeOriginalCredential(world, rows, { tenant }),
  repositories: [someRepository],
});
