// The environment and the repository credential of an original installation: object, rows, and Argo CD's Secret.
import { secrets, type KubeObject } from '../../src/kube/object.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { someRepository } from './deployments.ts';
import { hoursAgo, insertAccess, insertLink, type OriginalRows, type OriginalTenant } from './original-database.ts';
import { engineNamespace, type World } from './world.ts';

const uuid = (): string => systemRandom.uuid();

const createSecret = async (
  { client }: World,
  ref: { readonly name: string; readonly namespace: string },
  more: { readonly type?: string; readonly labels?: Record<string, string> },
): Promise<void> => {
  const { labels = {}, ...rest } = more;
  await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { ...ref, labels }, ...rest });
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

/** The environment `prod` of a tenant, with its object, its rows and its Secret in Argo CD's namespace. Gives the id of its row. */
export const makeOriginalEnvironment = async (
  world: World,
  rows: OriginalRows,
  tenant: OriginalTenant,
): Promise<string> => {
  const { insert } = rows;
  const remoteId = uuid();
  const { namespace, userId } = tenant;
  const kind = 'GitOpsDeploymentManagedEnvironment';
  const spec = { apiURL: 'https://prod.example.com:6443', credentialsSecret: 'prod', allowInsecureSkipTLSVerify: true };
  const uid = await createOwn(world, kind, ownObject(kind, { name: 'prod', namespace }, spec));
  const credentialsId = uuid();
  await insert('clustercredentials', {
    clustercredentials_cred_id: credentialsId,
    host: 'https://prod.example.com:6443',
    serviceaccount_bearer_token: 'token',
    serviceaccount_ns: 'kube-system',
    allowinsecure_skiptlsverify: true,
  });
  await insert('managedenvironment', {
    managedenvironment_id: remoteId,
    name: 'prod',
    clustercredentials_id: credentialsId,
  });
  await insertAccess(rows, userId, remoteId);
  await insert('appprojectmanagedenvironment', {
    appproject_managedenv_id: uuid(),
    clusteruser_id: userId,
    managed_environment_id: remoteId,
  });
  await insertLink(rows, tenant, {
    kind,
    uid,
    name: 'prod',
    relation: 'ManagedEnvironment',
    key: remoteId,
  });
  await createSecret(world, { name: 'prod', namespace }, { type: 'managed-gitops.redhat.com/managed-environment' });
  const labels = { 'argocd.argoproj.io/secret-type': 'cluster', databaseID: remoteId };
  await createSecret(world, { name: `managed-env-${remoteId}`, namespace: engineNamespace }, { labels });
  return remoteId;
};

/** A repository credential of a tenant, with its object, its row and its Secret in Argo CD's namespace. Gives the id of its row. */
export const makeOriginalCredential = async (
  world: World,
  rows: OriginalRows,
  tenant: OriginalTenant,
): Promise<string> => {
  const { insert, instanceId } = rows;
  const kind = 'GitOpsDeploymentRepositoryCredential';
  const metadata = { name: 'private', namespace: tenant.namespace };
  const uid = await createOwn(
    world,
    kind,
    ownObject(kind, metadata, { repository: someRepository, secret: 'private' }),
  );
  const id = uuid();
  await insert('repositorycredentials', {
    repositorycredentials_id: id,
    repo_cred_user_id: tenant.userId,
    repo_cred_url: someRepository,
    repo_cred_user: 'robot',
    repo_cred_pass: 'password',
    repo_cred_secret: 'private',
    repo_cred_engine_id: instanceId,
    created_on: hoursAgo(48),
  });
  await insertLink(rows, tenant, { kind, uid, name: 'private', relation: 'RepositoryCredential', key: id });
  const labels = { 'argocd.argoproj.io/secret-type': 'repository', databaseID: id };
  await createSecret(world, { name: `repo-cred-${id}`, namespace: engineNamespace }, { labels });
  return id;
};
