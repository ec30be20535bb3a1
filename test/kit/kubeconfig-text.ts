// Writes a kubeconfig, for programs that are told of a cluster by one.
import type { ClusterAccess } from '../../src/kube/kubeconfig.ts';
import { toYaml } from '../../src/lib/yaml.ts';

/** What of an access may be left out may also be undefined. */
type Access = { readonly [Key in keyof ClusterAccess]: ClusterAccess[Key] | undefined };

/** The kubeconfig of somebody who has this access; YAML without references to files. */
export const kubeconfigText = (access: Access): string => {
  const data = (text: string | undefined): string | undefined => text && Buffer.from(text).toString('base64');
  const cluster = {
    server: access.server,
    'certificate-authority-data': data(access.ca),
    'insecure-skip-tls-verify': access.insecureSkipTlsVerify,
    'tls-server-name': access.tlsServerName,
  };
  const user = {
    'client-certificate-data': data(access.clientCertificate),
    'client-key-data': data(access.clientKey),
    token: access.readToken?.() ?? access.token,
    ...access.basic,
  };
  return toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'cluster',
    clusters: [{ name: 'cluster', cluster: JSON.parse(JSON.stringify(cluster)) as unknown }], // without what is undefined
    users: [{ name: 'cluster', user: JSON.parse(JSON.stringify(user)) as unknown }], // the same
    contexts: [{ name: 'cluster', context: { cluster: 'cluster', user: 'cluster', namespace: 'default' } }],
  });
};
