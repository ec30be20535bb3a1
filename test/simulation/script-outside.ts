// What users do about environments and credentials, and what others do to Argo CD's Secrets behind the service's back.
import {
  gitOpsDeploymentManagedEnvironments as environments,
  type GitOpsDeploymentManagedEnvironment,
} from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import {
  gitOpsDeploymentRepositoryCredentials as credentials,
  type GitOpsDeploymentRepositoryCredential,
} from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { secrets, type KubeObject, type ResourceType } from '../../src/kube/object.ts';
import { toYaml } from '../../src/lib/yaml.ts';
import { createCredential, createEnvironment, putCredential, putKubeconfig } from '../kit/environments.ts';
import { adminToken, rightPassword } from './outside.ts';
import { clusterAt, hosts, repositories, teams } from './script-names.ts';
import { pickOne, type Acting, type Action } from './acting.ts';

export { credentials, environments };

/** The only environment of a team, and of its Secret. */
export const environmentName = 'prod';
const credentialName = 'private';

/** One kubeconfig for all clusters, so that `apiURL` alone says which. */
const kubeconfigWith = (token: string): string =>
  toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    contexts: hosts.map((host) => ({ name: host, context: { cluster: host, user: 'me' } })),
    clusters: hosts.map((host) => ({ name: host, cluster: { server: host } })),
    users: [{ name: 'me', user: { token } }],
  });

const putToken = (acting: Pick<Acting, 'client'>, namespace: string, token: string): Promise<void> =>
  putKubeconfig(acting, { namespace, name: environmentName }, kubeconfigWith(token));

const putPassword = (acting: Pick<Acting, 'client'>, namespace: string, password: string): Promise<void> =>
  putCredential(acting, { namespace, name: credentialName }, { password });

/** Most often what is right: what is wrong teaches nothing new after the first time. */
const mostly = ({ random }: Acting, right: string): string => (random.next() < 0.8 ? right : 'wrong');

const isTrueHalfOfTheTime = ({ random }: Acting): boolean => random.next() < 0.5;

const makeEnvironment = async (acting: Acting): Promise<string> => {
  const { oneOf, recorder } = acting;
  const namespace = oneOf(teams) ?? '';
  await putToken(acting, namespace, mostly(acting, adminToken));
  const ref = { namespace, name: environmentName };
  const made = await createEnvironment(acting, ref, {
    apiURL: oneOf(hosts) ?? '',
    allowInsecureSkipTLSVerify: isTrueHalfOfTheTime(acting),
    createNewServiceAccount: acting.random.next() < 0.8,
  });
  recorder.made(made);
  return `${namespace} on ${made.spec?.apiURL} ${made.metadata.uid}`;
};

const changeEnvironment = async (acting: Acting): Promise<string> => {
  const { client, oneOf } = acting;
  const found = await pickOne<GitOpsDeploymentManagedEnvironment>(acting, environments);
  if (!found) return 'nothing';
  const { namespace = '', name } = found.metadata;
  const spec = { apiURL: oneOf(hosts), createNewServiceAccount: isTrueHalfOfTheTime(acting) };
  await client.patch(environments, { namespace, name }, { type: 'merge', body: { spec } });
  return `${namespace} to ${spec.apiURL}`;
};

/** The other name of the same cluster, or the other way round. */
const renameCluster = async (acting: Acting): Promise<string> => {
  const found = await pickOne<GitOpsDeploymentManagedEnvironment>(acting, environments);
  if (!found) return 'nothing';
  const { namespace = '', name } = found.metadata;
  const { apiURL = '' } = found.spec ?? {};
  const spec = { apiURL: hosts.find((host) => host !== apiURL && clusterAt(host) === clusterAt(apiURL)) ?? apiURL };
  await acting.client.patch(environments, { namespace, name }, { type: 'merge', body: { spec } });
  return `of ${namespace} to ${spec.apiURL}`;
};

const changeKubeconfig = async (acting: Acting): Promise<string> => {
  const namespace = acting.oneOf(teams) ?? '';
  const token = mostly(acting, adminToken);
  await putToken(acting, namespace, token);
  return `of ${namespace} to ${token === adminToken ? 'a right one' : 'a wrong one'}`;
};

const makeCredential = async (acting: Acting): Promise<string> => {
  const { oneOf, recorder } = acting;
  const namespace = oneOf(teams) ?? '';
  await putPassword(acting, namespace, mostly(acting, rightPassword));
  const made = await createCredential(
    acting,
    { namespace, name: credentialName },
    { repository: oneOf(repositories) ?? '' },
  );
  recorder.made(made);
  return `${namespace} for ${made.spec?.repository} ${made.metadata.uid}`;
};

const changeCredential = async (acting: Acting): Promise<string> => {
  const found = await pickOne<GitOpsDeploymentRepositoryCredential>(acting, credentials);
  if (!found) return 'nothing';
  const { namespace = '', name } = found.metadata;
  const spec = { repository: acting.oneOf(repositories) };
  await acting.client.patch(credentials, { namespace, name }, { type: 'merge', body: { spec } });
  return `${namespace} to ${spec.repository}`;
};

const changePassword = async (acting: Acting): Promise<string> => {
  const namespace = acting.oneOf(teams) ?? '';
  const password = mostly(acting, rightPassword);
  await putPassword(acting, namespace, password);
  return `of ${namespace} to ${password}`;
};

const removeOne =
  <T extends KubeObject>(resource: ResourceType<T>) =>
  async (acting: Acting): Promise<string> => {
    const found = await pickOne(acting, resource);
    if (!found) return 'nothing';
    const { namespace = '', name, uid = '' } = found.metadata;
    acting.recorder.asked(uid);
    await acting.client.delete(resource, { namespace, name });
    return `${namespace}/${name} ${uid}`;
  };

const disturbSecret = async (acting: Acting): Promise<string> => {
  const namespace = acting.engineNamespace;
  const found = await pickOne(acting, secrets, { namespace });
  if (!found) return 'nothing';
  const { name } = found.metadata;
  if (isTrueHalfOfTheTime(acting)) await acting.client.delete(secrets, { namespace, name });
  else await acting.client.patch(secrets, { namespace, name }, { type: 'merge', body: { data: { name: '' } } });
  return name;
};

/** The actions, with how often each is chosen. */
export const outsideActions: readonly Action[] = [
  { name: 'create environment', weight: 5, run: makeEnvironment },
  { name: 'change environment', weight: 2, run: changeEnvironment },
  { name: 'rename cluster', weight: 2, run: renameCluster },
  { name: 'change kubeconfig', weight: 2, run: changeKubeconfig },
  { name: 'delete environment', weight: 3, run: removeOne(environments) },
  { name: 'create credential', weight: 4, run: makeCredential },
  { name: 'change credential', weight: 2, run: changeCredential },
  { name: 'change password', weight: 2, run: changePassword },
  { name: 'delete credential', weight: 2, run: removeOne(credentials) },
  { name: 'disturb Secret', weight: 2, run: disturbSecret },
];

/**
 * Puts right what teams have left wrong: Secrets that nobody takes, and environments that deployments name and that are not
 * there. After that everything that is asked for can be done.
 */
export const makeGood = async (acting: Pick<Acting, 'client' | 'recorder'>): Promise<void> => {
  const { client, recorder } = acting;
  const present = (await client.list(environments)).items.map(({ metadata }) => metadata.namespace ?? '');
  const { items } = await client.list(gitOpsDeployments);
  const needed = items
    .filter(({ spec, metadata }) => spec?.destination?.environment && !metadata.deletionTimestamp)
    .map(({ metadata }) => metadata.namespace ?? '');
  for (const namespace of new Set([...present, ...needed])) await putToken(acting, namespace, adminToken);
  for (const namespace of new Set(needed)) {
    if (present.includes(namespace)) continue;
    const made = await createEnvironment(acting, { namespace, name: environmentName }, { apiURL: hosts[0] });
    recorder.made(made);
  }
  for (const { metadata } of (await client.list(credentials)).items) {
    await putPassword(acting, metadata.namespace ?? '', rightPassword);
  }
};
