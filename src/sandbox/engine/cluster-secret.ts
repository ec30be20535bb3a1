// Argo CD's cluster Secrets: which cluster each names, how it is reached, and what of it is managed. Pure.
import { isRecord } from '../../kube/json.ts';
import type { ClusterAccess } from '../../kube/kubeconfig.ts';
import type { Secret } from '../../kube/object.ts';
import { at, textAt } from './fields.ts';
import type { ClusterNames } from './project.ts';
import type { Scope } from './scope.ts';
import { secretText } from './secret-text.ts';

/** What a cluster Secret says. */
export interface ClusterSecret extends ClusterNames {
  readonly scope: Scope;
  readonly access: ClusterAccess;
}

/** The URL that is called: Argo CD's client leaves out a query, which only tells clusters apart. */
const addressOf = (server: string): string | undefined => {
  const url = URL.parse(server.includes('://') ? server : `https://${server}`);
  return url ? `${url.origin}${url.pathname.replace(/\/+$/, '')}` : undefined;
};

const parse = (config: string): unknown => {
  try {
    return config === '' ? {} : JSON.parse(config);
  } catch {
    return undefined;
  }
};

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

const accessOf = (server: string, config: Record<string, unknown>): ClusterAccess => {
  const token = textAt(config, 'bearerToken');
  const username = textAt(config, 'username');
  const [ca, certificate, key] = ['caData', 'certData', 'keyData'].map((name) =>
    decoded(textAt(config, 'tlsClientConfig', name)),
  );
  const tlsServerName = textAt(config, 'tlsClientConfig', 'serverName');
  return {
    server,
    ...(at(config, 'tlsClientConfig', 'insecure') === true ? { insecureSkipTlsVerify: true } : {}),
    ...(ca ? { ca } : {}),
    ...(certificate && key ? { clientCertificate: certificate, clientKey: key } : {}),
    ...(tlsServerName ? { tlsServerName } : {}),
    ...(token ? { token } : {}),
    ...(username ? { basic: { username, password: textAt(config, 'password') } } : {}),
  };
};

/** Reads the Secret; undefined where its `config` or `server` can't be read, which Argo CD passes over as well. */
export const readClusterSecret = (secret: Secret): ClusterSecret | undefined => {
  const server = secretText(secret, 'server').replace(/\/+$/, '');
  const address = addressOf(server);
  const config = parse(secretText(secret, 'config'));
  if (address === undefined || !isRecord(config)) return undefined;
  const namespaces = secretText(secret, 'namespaces')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return {
    name: secretText(secret, 'name'),
    server,
    scope: { namespaces, clusterResources: secretText(secret, 'clusterResources') === 'true' },
    access: accessOf(address, config),
  };
};
