// Clusters that environments lead to, the suite's own one and another: namespaces and accounts on them, and environments.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import {
  gitOpsDeploymentManagedEnvironments,
  type GitOpsDeploymentManagedEnvironment,
} from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { aKubeconfig, createEnvironment, ownConditions, putKubeconfig } from '../kit/environments.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import { client, type Stage, type Team } from './scenario.ts';

const run = inject('endToEnd');

/** A cluster. */
export interface Cluster {
  /** Of its API server. */
  readonly url: string;
  /** Acts as its administrator. */
  readonly kubectl: Kubectl;
}

/** A namespace on a cluster. */
export interface Place {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** The data of a ConfigMap; undefined where there is none. */
  configMap(name: string): Promise<Readonly<Record<string, string>> | undefined>;
}

/** What an account may do: everything, everything in some namespaces, or nothing. */
export type Rights = 'all' | 'none' | readonly string[];

const clusterOf = (file: string): Cluster => ({
  url: parseKubeconfig(readFileSync(file, 'utf8')).server,
  kubectl: createKubectl(file),
});

/** The cluster of Argo CD. */
export const here: Cluster = clusterOf(run.kubeconfig);

/** Another cluster. @throws where none was started. */
const elsewhere = (): Cluster => {
  if (run.elsewhere === undefined) throw new Error('this run has no other cluster');
  return clusterOf(run.elsewhere);
};

const dataOf = async (kubectl: Kubectl, namespace: string, name: string) => {
  const text = await kubectl(['-n', namespace, 'get', 'configmap', name, '--ignore-not-found', '-o', 'json']);
  return text === '' ? undefined : ((JSON.parse(text) as { data?: Record<string, string> }).data ?? {}); // kubectl's own output
};

/** A namespace that is there. */
export const placeOf = (cluster: Cluster, namespace: string): Place => ({
  cluster,
  namespace,
  configMap: (name) => dataOf(cluster.kubectl, namespace, name),
});

/** Makes a namespace on another cluster; it goes when the scenario has passed. */
export const createPlace = async ({ afterwards }: Stage, cluster: Cluster = elsewhere()): Promise<Place> => {
  const namespace = `place-${systemRandom.uuid().slice(0, 8)}`;
  await cluster.kubectl(['create', 'namespace', namespace]);
  afterwards(() => cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']));
  return placeOf(cluster, namespace);
};

/** Makes a ServiceAccount; its token. */
export const createAccount = async (
  { afterwards }: Stage,
  { cluster: { kubectl }, namespace }: Place,
  { name, rights }: { readonly name: string; readonly rights: Rights },
): Promise<string> => {
  await kubectl(['-n', namespace, 'create', 'serviceaccount', name]);
  const bound = ['--clusterrole=cluster-admin', `--serviceaccount=${namespace}:${name}`];
  const binding = `${namespace}-${name}`;
  if (rights === 'all') {
    await kubectl(['create', 'clusterrolebinding', binding, ...bound]);
    afterwards(() => kubectl(['delete', 'clusterrolebinding', binding, '--ignore-not-found']));
  } else if (rights !== 'none') {
    for (const one of rights) await kubectl(['-n', one, 'create', 'rolebinding', binding, ...bound]);
  }
  return (await kubectl(['-n', namespace, 'create', 'token', name, '--duration=4h'])).trim();
};

/** A user's certificate and key, as PEM. */
export interface UserCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** Has a cluster sign the certificate of a user, who may do everything there. */
export const createUser = async (
  { afterwards, step }: Stage,
  { cluster: { kubectl }, namespace }: Place,
  name: string,
): Promise<UserCertificate> => {
  const user = `${namespace}-${name}`;
  const { key, request } = await makeRequest(user);
  const signing = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: user },
    spec: {
      request: Buffer.from(request).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  };
  await kubectl(['create', '-f', '-'], JSON.stringify(signing));
  await kubectl(['certificate', 'approve', user]);
  await kubectl(['create', 'clusterrolebinding', user, '--clusterrole=cluster-admin', `--user=${user}`]);
  afterwards(() => kubectl(['delete', 'clusterrolebinding', user, '--ignore-not-found']));
  const signed = await step('a certificate is signed', () =>
    kubectl(['get', 'csr', user, '-o', 'jsonpath={.status.certificate}']),
  );
  return { certificate: Buffer.from(signed, 'base64').toString(), key };
};

const makeRequest = async (user: string): Promise<{ readonly key: string; readonly request: string }> => {
  const folder = await mkdtemp(join(tmpdir(), 'e2e-user-'));
  try {
    const [key, request] = [join(folder, 'key.pem'), join(folder, 'request.pem')];
    const kind = ['-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${user}`];
    await promisify(execFile)('openssl', ['req', '-new', ...kind, '-keyout', key, '-out', request]);
    return { key: await readFile(key, 'utf8'), request: await readFile(request, 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** What a team may say of an environment. */
interface EnvironmentWish {
  readonly cluster: Cluster;
  readonly namespaces?: readonly string[];
  readonly createNewServiceAccount?: boolean;
  /** Whether the certificate of the cluster is checked; it is not unless given. */
  readonly checksCertificate?: boolean;
}

/** Puts the certificate of a user into the Secret of a team's environment. */
export const putCertificate = (
  team: Team,
  name: string,
  { cluster, certificate, key }: UserCertificate & { readonly cluster: Cluster },
): Promise<void> => {
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  const user = { 'client-certificate-data': encoded(certificate), 'client-key-data': encoded(key) };
  return putKubeconfig({ client }, { namespace: team.namespace, name }, aKubeconfig({ server: cluster.url, user }));
};

/** Puts a token for a cluster into the Secret of a team's environment. */
export const putToken = (team: Team, name: string, of: { readonly cluster: Cluster; readonly token: string }) =>
  putKubeconfig(
    { client },
    { namespace: team.namespace, name },
    aKubeconfig({ server: of.cluster.url, token: of.token }),
  );

/** Makes a team's environment on a cluster; its Secret, of the same name, is made by others. */
export const makeEnvironment = (
  team: Team,
  name: string,
  { cluster, namespaces, createNewServiceAccount = false, checksCertificate = false }: EnvironmentWish,
): Promise<GitOpsDeploymentManagedEnvironment> => {
  const spec = {
    apiURL: cluster.url,
    allowInsecureSkipTLSVerify: !checksCertificate,
    createNewServiceAccount,
    ...(namespaces && { namespaces: [...namespaces] }),
  };
  return createEnvironment({ client }, { namespace: team.namespace, name }, spec);
};

/** Deletes a team's environment. Its Secret stays. */
export const removeEnvironment = async ({ namespace }: Team, name: string): Promise<void> => {
  await client.delete(gitOpsDeploymentManagedEnvironments, { namespace, name });
};

/** The first of an environment's own conditions fits. @throws with what is there */
export const environmentSays = async (team: Team, name: string, condition: RegExp): Promise<true> => {
  const conditions = await ownConditions({ client }, 'environment', { namespace: team.namespace, name });
  if (conditions.length !== 1 || !condition.test(conditions[0] ?? '')) throw new Error(JSON.stringify(conditions));
  return true;
};

/** The environment can be used. */
export const isConnected = (team: Team, name: string): Promise<true> =>
  environmentSays(team, name, /^ConnectionInitializationSucceeded=True Succeeded$/);
