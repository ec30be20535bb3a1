import { expect, test } from 'vitest';
import { readClusterSecret } from './cluster-secret.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secret = (data: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'prod' },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
});
const server = 'https://prod.example.com:6443?managedEnvironment=1';

test('a cluster Secret names a cluster by its whole URL, which is called without the query', () => {
  const config = JSON.stringify({ bearerToken: 'secret', tlsClientConfig: { insecure: true } });
  expect(readClusterSecret(secret({ name: 'prod', server, config }))).toEqual({
    name: 'prod',
    server,
    scope: { namespaces: [], clusterResources: false },
    access: { server: 'https://prod.example.com:6443', insecureSkipTlsVerify: true, token: 'secret' },
  });
});

test('a cluster Secret may name an authority, a client certificate or a password', () => {
  const tlsClientConfig = {
    caData: base64('ca'),
    certData: base64('cert'),
    keyData: base64('key'),
    serverName: 'prod',
  };
  const config = JSON.stringify({ username: 'me', password: 'secret', tlsClientConfig });
  expect(readClusterSecret(secret({ name: 'prod', server: 'prod.example.com/api/', config }))?.access).toEqual({
    server: 'https://prod.example.com/api',
    ca: 'ca',
    clientCertificate: 'cert',
    clientKey: 'key',
    tlsServerName: 'prod',
    basic: { username: 'me', password: 'secret' },
  });
});

test('a cluster Secret may leave some namespaces only, with or without what is in none', () => {
  const scoped = { name: 'prod', server, namespaces: 'api, web,' };
  expect(readClusterSecret(secret(scoped))?.scope).toEqual({ namespaces: ['api', 'web'], clusterResources: false });
  expect(readClusterSecret(secret({ ...scoped, clusterResources: 'true' }))?.scope.clusterResources).toBe(true);
});

test.each([{ config: '{' }, { config: '"text"' }, { server: 'https://a b' }])(
  '%j in a cluster Secret is no cluster',
  (data) => {
    expect(readClusterSecret(secret({ name: 'prod', server, ...data }))).toBeUndefined();
  },
);
