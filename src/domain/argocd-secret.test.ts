import { describe, expect, it } from 'vitest';
import { clusterSecret, repositorySecret, type EnvironmentAccess, type RepositoryAccess } from './argocd-secret.ts';

const environment = (more: Partial<EnvironmentAccess> = {}): EnvironmentAccess => ({
  id: '7',
  host: 'https://cluster.example:6443',
  token: 'abc',
  insecure: false,
  namespaces: '',
  clusterResources: false,
  ...more,
});
const credential = (more: Partial<RepositoryAccess> = {}): RepositoryAccess => ({
  id: '8',
  url: 'https://git.example/Org/Repo.git',
  username: '',
  password: '',
  sshPrivateKey: '',
  secretName: 'my-secret',
  project: undefined,
  ...more,
});

describe('the cluster Secret of an environment', () => {
  it('is named after it, and says how its cluster is reached', () => {
    expect(clusterSecret(environment())).toEqual({
      name: 'managed-env-7',
      labels: { 'argocd.argoproj.io/secret-type': 'cluster', databaseID: '7' },
      annotations: {},
      data: {
        name: 'managed-env-7',
        server: 'https://cluster.example:6443?managedEnvironment=7',
        config: '{"bearerToken":"abc","tlsClientConfig":{"insecure":false}}',
      },
    });
  });

  it('has the namespaces, the cluster-scoped kinds and the unchecked certificate only where they are asked for', () => {
    expect(clusterSecret(environment({ insecure: true, namespaces: 'a,b', clusterResources: true })).data).toEqual({
      name: 'managed-env-7',
      server: 'https://cluster.example:6443?managedEnvironment=7',
      config: '{"bearerToken":"abc","tlsClientConfig":{"insecure":true}}',
      clusterResources: 'true',
      namespaces: 'a,b',
    });
  });

  it.each(['https://cluster.example?x=1', 'https://cluster.example&x'])('is refused for %s', (host) => {
    expect(() => clusterSecret(environment({ host }))).toThrow(
      `the Kubernetes API URL contained unsupported characters: ${host}`,
    );
  });
});

describe('the repository Secret of a credential', () => {
  it('has the URL as it was written, and user and password', () => {
    expect(repositorySecret(credential({ username: 'me', password: 'secret' }))).toEqual({
      name: 'repo-cred-8',
      labels: { 'argocd.argoproj.io/secret-type': 'repository', databaseID: '8' },
      annotations: { 'managed-by': 'argocd.argoproj.io' },
      data: { name: 'my-secret', url: 'https://git.example/Org/Repo.git', username: 'me', password: 'secret' },
    });
  });

  it('has a key under the name that Argo CD reads, and the project that alone may use it', () => {
    expect(repositorySecret(credential({ sshPrivateKey: 'KEY', project: 'app-project-1' })).data).toEqual({
      name: 'my-secret',
      url: 'https://git.example/Org/Repo.git',
      sshPrivateKey: 'KEY',
      project: 'app-project-1',
    });
  });
});
