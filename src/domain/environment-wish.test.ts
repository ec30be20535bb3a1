import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { managedEnvironmentSecretType } from '../api/labels.ts';
import type { GitOpsDeploymentManagedEnvironment } from '../api/v1alpha1/gitops-deployment-managed-environment.ts';
import { isFault } from '../lib/fault.ts';
import { toYaml } from '../lib/yaml.ts';
import { readEnvironment, type EnvironmentWish, type SecretFacts } from './environment-wish.ts';

const host = 'https://api.one.example:6443';
const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** Stands wherever a value may be secret: no message may have it. */
const canary = 'canary-s3cret';

type Spec = NonNullable<GitOpsDeploymentManagedEnvironment['spec']>;

const environment = (spec: Partial<Spec> = {}): GitOpsDeploymentManagedEnvironment => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeploymentManagedEnvironment',
  metadata: { name: 'staging', namespace: 'team' },
  spec: { apiURL: host, credentialsSecret: 'access', allowInsecureSkipTLSVerify: false, ...spec },
});

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly root?: object;
}

const kubeconfig = ({ cluster = {}, user = { token: canary }, root = {} }: Parts = {}): string =>
  toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'ctx',
    clusters: [{ name: 'one', cluster: { server: host, ...cluster } }],
    users: [{ name: 'admin', user }],
    contexts: [{ name: 'ctx', context: { cluster: 'one', user: 'admin' } }],
    ...root,
  });

const secretOf = (text: string): SecretFacts => ({
  type: managedEnvironmentSecretType,
  data: { kubeconfig: base64(text) },
});

interface Reading {
  readonly spec?: Partial<Spec>;
  /** Null for none. */
  readonly secret?: SecretFacts | null;
  readonly known?: boolean;
}

const read = ({ spec, secret, known = false }: Reading = {}): EnvironmentWish =>
  readEnvironment(environment(spec), secret === null ? undefined : (secret ?? secretOf(kubeconfig())), known);

/** Reason and text of the refusal. */
const refusal = (reading: Reading): [string, string] => {
  try {
    read(reading);
  } catch (error) {
    if (isFault(error, 'user')) return [error.reason, error.message];
    throw error;
  }
  throw new Error('it was taken');
};
const refusalOf = (text: string, spec: Partial<Spec> = {}): [string, string] =>
  refusal({ spec, secret: secretOf(text) });

const unparsable = 'UnableToParseKubeconfigData';

describe('what an environment asks for', () => {
  test('is read from its spec and the part of the kubeconfig that it means', () => {
    const text = kubeconfig({
      cluster: { 'certificate-authority-data': base64(pem), 'tls-server-name': 'inside' },
    });
    expect(read({ secret: secretOf(text), spec: { namespaces: ['b', 'a'], clusterResources: true } })).toEqual({
      host,
      insecure: false,
      namespaces: 'a,b',
      clusterResources: true,
      newServiceAccount: false,
      access: { server: host, ca: pem, tlsServerName: 'inside', token: canary },
      inputHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('is found by the URL in any case, and called as a URL is', () => {
    const spec = { apiURL: 'HTTPS://API.One.example:6443/Path/' };
    const text = kubeconfig({ cluster: { server: 'https://api.one.EXAMPLE:6443/path/' } });
    const wish = read({ spec, secret: secretOf(text) });
    expect([wish.host, wish.access.server]).toEqual([spec.apiURL, 'https://api.one.example:6443/Path']);
  });

  test('takes the current context where several name the cluster, else the first, always the same', () => {
    const root = (current: string) => ({
      'current-context': current,
      clusters: [
        { name: 'other', cluster: { server: 'https://other.example' } },
        { name: 'one', cluster: { server: host } },
        { name: 'alias', cluster: { server: host } },
      ],
      users: ['a', 'b', 'c'].map((name) => ({ name, user: { token: `token-${name}` } })),
      contexts: [
        { name: 'elsewhere', context: { cluster: 'other', user: 'c' } },
        { name: 'first', context: { cluster: 'alias', user: 'a' } },
        { name: 'second', context: { cluster: 'one', user: 'b' } },
      ],
    });
    const tokenWith = (current: string) => read({ secret: secretOf(kubeconfig({ root: root(current) })) }).access.token;
    expect(['second', 'first', 'elsewhere', 'none'].map(tokenWith)).toEqual([
      'token-b',
      'token-a',
      'token-a',
      'token-a',
    ]);
  });

  test('does not care what other users and clusters of the file are', () => {
    const root = {
      users: [
        { name: 'cloud', user: { exec: { command: 'aws' } } },
        { name: 'admin', user: { token: canary } },
        'junk',
        { user: {} },
      ],
    };
    expect(read({ secret: secretOf(kubeconfig({ root })) }).access.token).toBe(canary);
  });

  test('takes a client certificate, or a password, where a ServiceAccount is to be made with it', () => {
    const certificate = { 'client-certificate-data': base64(pem), 'client-key-data': base64(`key ${canary}`) };
    const spec = { createNewServiceAccount: true };
    const accessWith = (user: object) => read({ spec, secret: secretOf(kubeconfig({ user })) }).access;
    expect(accessWith(certificate)).toEqual({
      server: host,
      clientCertificate: pem,
      clientKey: `key ${canary}`,
    });
    expect(accessWith({ username: 'u', password: canary }).basic).toEqual({ username: 'u', password: canary });
  });

  test('has another hash after each change that matters, of the content of the Secret too', () => {
    const other = (spec: Partial<Spec>, text = kubeconfig()) => read({ spec, secret: secretOf(text) }).inputHash;
    const hashes = [
      other({}),
      other({ allowInsecureSkipTLSVerify: true }),
      other({ namespaces: ['a'] }),
      other({ clusterResources: true }),
      other({ createNewServiceAccount: true }),
      other({}, kubeconfig({ user: { token: 'rotated' } })),
      other({ apiURL: `${host}/` }, kubeconfig({ cluster: { server: `${host}/` } })),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(other({ namespaces: ['b', 'a'] })).toBe(other({ namespaces: ['a', 'b'] }));
    expect(read({ known: true }).inputHash).toBe(other({}));
  });
});

describe('a Secret that can not be used has a condition', () => {
  test('also when none is named, or none is there', () => {
    expect(refusal({ spec: { credentialsSecret: '' } })).toEqual([
      'SecretNotSpecified',
      "no secret specified by managed environment 'staging' in 'team'",
    ]);
    expect(refusal({ secret: null })).toEqual([
      'SecretNotFound',
      `secret 'access' referenced by managed environment 'staging' in 'team', could not be retrieved: Secret "access" not found`,
    ]);
  });

  test('when it has another type, or no kubeconfig', () => {
    expect(refusal({ secret: { type: 'Opaque', data: {} } })).toEqual([
      'InvalidSecretType',
      'invalid secret type: Opaque',
    ]);
    expect(refusal({ secret: { type: managedEnvironmentSecretType, data: { config: '' } } })).toEqual([
      'MissingKubeConfigField',
      'missing kubeconfig field in Secret',
    ]);
  });
});

describe('a spec that can not be used', () => {
  test.each([
    [`${host}/?a=b`, 'the API URL must not have ? or & values'],
    [`${host}/&x`, 'the API URL must not have ? or & values'],
    ['http://api.one.example', 'cluster api url must start with https://'],
    ['api.one.example', 'parse "api.one.example": invalid URI for request'],
    ['', 'parse "": empty url'],
    [`https://u:${canary}@host`, 'the API URL must not have a user or password'],
    [`https://u:${canary}@host:port`, 'the API URL is not a valid URL'],
    ['https://', 'the API URL must name a host'],
    [`https://${'x'.repeat(600)}`, 'spec.apiURL value exceeds maximum size: max: 512, actual: 608'],
  ])('has the text of the rule at the door, or ours: %s', (apiURL, message) => {
    expect(refusal({ spec: { apiURL } })).toEqual(['UnsupportedAPIURL', message]);
  });

  test('names the namespace that is none, in other words once the environment has been usable', () => {
    const text = 'ManagedEnvironment contains an invalid namespace in namespaces list: Not-A-Name';
    const spec = { namespaces: ['fine', 'Not-A-Name'] };
    expect(refusal({ spec })).toEqual(['InvalidNamespaceList', text]);
    expect(refusal({ spec, known: true })).toEqual([
      'InvalidNamespaceList',
      `user specified an invalid namespace: ${text}`,
    ]);
    for (const namespaces of [[''], ['-a'], ['a-'], ['a.b'], ['x'.repeat(64)]]) {
      expect(refusal({ spec: { namespaces } })[0]).toBe('InvalidNamespaceList');
    }
    const many = Array.from({ length: 100 }, (_, at) => `${'x'.repeat(50)}${at}`);
    expect(refusal({ spec: { namespaces: many } })[0]).toBe('InvalidNamespaceList');
  });

  test('is told before the Secret is looked into, and the URL before the namespaces', () => {
    const secret = { type: 'Opaque', data: {} };
    expect(refusal({ spec: { apiURL: 'http://x', namespaces: ['-'] }, secret })[0]).toBe('UnsupportedAPIURL');
    expect(refusal({ spec: { namespaces: ['-'] }, secret })[0]).toBe('InvalidNamespaceList');
  });
});

describe('a kubeconfig that can not be used', () => {
  const typeMeta = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

  test.each([
    ['a text', canary, `json: cannot unmarshal string into Go value of type ${typeMeta}`],
    ['a list', `- ${canary}`, `json: cannot unmarshal array into Go value of type ${typeMeta}`],
    ['a number', '12', `json: cannot unmarshal number into Go value of type ${typeMeta}`],
  ])('because it is %s has the words of the original', (_, text, cause) => {
    expect(refusalOf(text)).toEqual([
      unparsable,
      `unable to parse kubeconfig data: couldn't get version/kind; json parse error: ${cause}`,
    ]);
  });

  test('because it is no YAML names the line, and nothing that stands there', () => {
    const [reason, message] = refusalOf(`clusters:\n  token: "${canary}`);
    expect(reason).toBe(unparsable);
    expect(message).toMatch(/^unable to parse kubeconfig data: yaml: line 2: /);
    expect(message).not.toContain(canary);
  });

  test('because the cluster, or a context for it, is not in it, says which', () => {
    const noCluster = `the kubeconfig did not have a cluster entry that matched the API URL '${host}'`;
    expect(refusalOf(kubeconfig({ cluster: { server: 'https://other.example' } }))).toEqual([
      'UnableToLocateContext',
      noCluster,
    ]);
    expect(refusalOf('')).toEqual(['UnableToLocateContext', noCluster]);
    expect(refusalOf(kubeconfig({ root: { contexts: [] } }))).toEqual([
      'UnableToLocateContext',
      "the kubeconfig did not have a context that matched the cluster specified in the API URL of the GitOpsDeploymentManagedEnvironment. Context was expected to reference cluster 'one'",
    ]);
  });

  test('because the context has no user, or that user no token, says so', () => {
    expect(refusalOf(kubeconfig({ root: { users: [] } }))).toEqual([
      unparsable,
      'unable to extract remote cluster configuration from kubeconfig, missing auth info for ctx',
    ]);
    const noToken =
      'kubeconfig must have a service account token for the user in context "ctx". client-certificate is not supported at this time.';
    const certificate = { 'client-certificate-data': base64(pem), 'client-key-data': base64(canary) };
    expect(refusalOf(kubeconfig({ user: certificate }))).toEqual([unparsable, noToken]);
    expect(refusalOf(kubeconfig({ user: { username: 'u', password: canary } }))).toEqual([unparsable, noToken]);
    expect(refusalOf(kubeconfig({ user: {} }), { createNewServiceAccount: true })).toEqual([unparsable, noToken]);
  });

  test.each([
    ['half a certificate', { 'client-certificate-data': base64(pem), token: canary }],
    ['half a certificate, the other half', { 'client-key-data': base64(canary), token: canary }],
    ['two ways to sign in', { username: 'u', password: canary, token: canary }],
  ])('because of %s gives no client configuration', (_, user) => {
    const [reason, message] = refusalOf(kubeconfig({ user }), { createNewServiceAccount: true });
    expect(reason).toBe('UnableToRetrieveRestConfig');
    expect(message).toMatch(/^unable to retrieve restConfig from managed environment secret: invalid configuration: /);
    expect(message).not.toContain(canary);
  });

  test.each([
    ['data that is not base64', { 'client-certificate-data': `%${canary}`, token: canary }, 'client-certificate-data'],
    ['a token with a line break', { token: `${canary}\nX: y` }, 'user.token'],
    ['a token longer than the rows can hold', { token: canary.repeat(800) }, 'max: 8192'],
    ['a token that is no text', { token: 12345 }, 'user.token'],
    ['a token that nobody could tell from an encrypted one', { token: 'sealed:v1:k1:AAAA' }, 'user.token'],
  ])('because of %s names the field and not the value', (_, user, named) => {
    const [reason, message] = refusalOf(kubeconfig({ user }));
    expect(reason).toBe(unparsable);
    expect(message).toContain(named);
    expect(message).not.toContain(canary);
  });
});

describe('a hostile kubeconfig', () => {
  const path = `/etc/${canary}`;
  test.each([
    ['exec', { user: { token: canary, exec: { command: path } } }],
    ['auth-provider', { user: { token: canary, 'auth-provider': { name: path } } }],
    ['tokenFile', { user: { tokenFile: path } }],
    ['client-certificate', { user: { token: canary, 'client-certificate': path } }],
    ['client-key', { user: { token: canary, 'client-key': path } }],
    ['as', { user: { token: canary, as: path } }],
    ['as-uid', { user: { token: canary, 'as-uid': path } }],
    ['as-groups', { user: { token: canary, 'as-groups': [path] } }],
    ['as-user-extra', { user: { token: canary, 'as-user-extra': { a: [path] } } }],
    ['certificate-authority', { cluster: { 'certificate-authority': path } }],
    ['proxy-url', { cluster: { 'proxy-url': `http://${canary}@proxy` } }],
  ])('with %s is refused by that name, and nothing of it is repeated', (field, parts) => {
    for (const createNewServiceAccount of [false, true]) {
      const [reason, message] = refusalOf(kubeconfig(parts), { createNewServiceAccount });
      expect(reason).toBe(unparsable);
      expect(message).toMatch(
        new RegExp(`^unable to parse kubeconfig data: (user|cluster)\\.${field} is not allowed: `),
      );
      expect(message).not.toContain(canary);
    }
  });

  const mebibyte = 1024 * 1024;
  const repeated = (text: string): string => text.repeat(mebibyte / text.length);
  const aliases = Array.from({ length: 30 }, (_, at) => `a${at}: &a${at} [${`*a${at - 1},`.repeat(at ? 9 : 0)}x]`);

  test.each([
    ['random bytes', randomBytes(mebibyte).toString('latin1')],
    ['random base64', randomBytes((mebibyte / 4) * 3).toString('base64')],
    ['tags', repeated('! ')],
    ['quoted texts', repeated('"a" ')],
    ['keys', Array.from({ length: 100_000 }, (_, at) => `k${at}: v`).join('\n')],
    ['brackets', repeated('[')],
    ['braces', repeated('{a: b, ')],
    ['list items', repeated('- a\n')],
    ['list items in one line', repeated('- ')],
    ['question marks', repeated('? ')],
    ['documents', repeated('---\n')],
    ['directives', repeated('%')],
    ['comments', repeated('#\n')],
    ['aliases of aliases', aliases.join('\n')],
    ['a JSON text', JSON.stringify({ clusters: Array.from({ length: 40_000 }, () => ({ name: 'one' })) })],
  ])('of 1 MiB of %s, or fewer that expand to more, is refused before anybody notices', (_, text) => {
    const secret = secretOf(text);
    const startMs = performance.now();
    const [reason, message] = refusal({ secret });
    // Measured at 60 ms at most. Unbounded, the worst of them takes minutes.
    expect(performance.now() - startMs).toBeLessThan(1000);
    expect(['UnableToLocateContext', unparsable]).toContain(reason);
    expect(message.length).toBeLessThan(1000);
  });

  test('with names as long as a Secret has no message as long', () => {
    const name = 'x'.repeat(mebibyte / 2);
    const root = { clusters: [{ name, cluster: { server: host } }], contexts: [] };
    expect(refusalOf(kubeconfig({ root }))[1].length).toBeLessThan(1000);
  });
});
