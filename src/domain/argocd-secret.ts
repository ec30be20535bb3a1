// The Secrets by which Argo CD reaches clusters and repositories, as rows ask for them. Pure.
import {
  argoCdManager,
  databaseIdLabel,
  managedByAnnotation,
  managedEnvironmentSecretName,
  repositorySecretName,
  secretTypeLabel,
} from '../api/labels.ts';
import { engineMessages } from '../api/messages.ts';
import { userFault } from '../api/reasons.ts';

/** A Secret as it should be. `data` is plain text: it never goes into a message or a log. */
export interface ArgoCdSecret {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** All that there is: a key that is not here does not belong there. */
  readonly data: Readonly<Record<string, string>>;
}

/** How a managed environment is reached; absent texts are ''. */
export interface EnvironmentAccess {
  readonly id: string;
  /** URL of the API server. */
  readonly host: string;
  readonly token: string;
  /** The server's certificate is not looked at. */
  readonly insecure: boolean;
  /** Names with commas between them, '' for all. */
  readonly namespaces: string;
  readonly clusterResources: boolean;
}

/**
 * The cluster Secret of an environment. Its server bears the environment's id, so that several ServiceAccounts on one
 * cluster can stand side by side.
 * @throws Fault('user', 'UnsupportedAPIURL') for a URL with a query, in which that id would be lost.
 */
export const clusterSecret = (environment: EnvironmentAccess): ArgoCdSecret => {
  const { id, host, token, insecure, namespaces, clusterResources } = environment;
  if (/[?&]/.test(host)) throw userFault('UnsupportedAPIURL', engineMessages.unsupportedHost(host));
  const name = managedEnvironmentSecretName(id);
  return {
    name,
    labels: { [secretTypeLabel]: 'cluster', [databaseIdLabel]: id },
    annotations: {},
    data: {
      name,
      server: `${host}?managedEnvironment=${id}`,
      config: JSON.stringify({ bearerToken: token, tlsClientConfig: { insecure } }),
      ...(clusterResources && { clusterResources: 'true' }),
      ...(namespaces && { namespaces }),
    },
  };
};

/** How a private repository is read; absent texts are ''. */
export interface RepositoryAccess {
  readonly id: string;
  /** As the user wrote it. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly sshPrivateKey: string;
  /** Name of the user's Secret. */
  readonly secretName: string;
  /** The only AppProject whose Applications may use it; undefined for all of them. */
  readonly project: string | undefined;
}

/** The repository Secret of a credential. */
export const repositorySecret = (credential: RepositoryAccess): ArgoCdSecret => {
  const { id, url, username, password, sshPrivateKey, secretName, project } = credential;
  return {
    name: repositorySecretName(id),
    labels: { [secretTypeLabel]: 'repository', [databaseIdLabel]: id },
    annotations: { [managedByAnnotation]: argoCdManager },
    data: {
      name: secretName,
      url,
      ...(username && { username }),
      ...(password && { password }),
      ...(sshPrivateKey && { sshPrivateKey }),
      ...(project && { project }),
    },
  };
};
