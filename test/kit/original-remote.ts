// What the original makes on another cluster for an environment that wants a ServiceAccount.
import type { ResourceType, Secret } from '../../src/kube/object.ts';
import { secrets } from '../../src/kube/object.ts';
import { eventually } from './eventually.ts';
import type { RemoteCluster } from './remote-cluster.ts';

/** ServiceAccounts, as a resource. */
export const serviceAccounts: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
};

const rbac = 'rbac.authorization.k8s.io';

/** Makes the ServiceAccount with all rights that belongs to the environment with this UID, and gives its token. */
export const installOriginalAccount = async ({ client }: RemoteCluster, uid: string): Promise<string> => {
  const account = { namespace: 'kube-system', name: `argocd-manager-${uid}` };
  await client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
  const role = `argocd-manager-cluster-role-${uid}`;
  const made = (kind: string, name: string, more: object) =>
    client.raw({
      method: 'POST',
      path: `/apis/${rbac}/v1/${kind.toLowerCase()}s`,
      body: { apiVersion: `${rbac}/v1`, kind, metadata: { name }, ...more },
    });
  await made('ClusterRole', role, { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] });
  await made('ClusterRoleBinding', `argocd-manager-cluster-role-binding-${uid}`, {
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  });
  return issueOriginalToken({ client }, uid);
};

/** Makes one more Secret with a token of that account, as it does each time that the credentials are replaced. */
export const issueOriginalToken = async ({ client }: Pick<RemoteCluster, 'client'>, uid: string): Promise<string> => {
  const name = `argocd-manager-${uid}`;
  const made = await client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      generateName: name,
      name: '',
      namespace: 'kube-system',
      annotations: { 'kubernetes.io/service-account.name': name },
    },
    type: 'kubernetes.io/service-account-token',
  });
  const token = await eventually('there is a token', async () => {
    const secret: Secret = await client.get(secrets, { namespace: 'kube-system', name: made.metadata.name });
    return secret.data?.['token'];
  });
  return Buffer.from(token, 'base64').toString();
};
