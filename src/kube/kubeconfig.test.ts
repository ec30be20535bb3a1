import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toYaml } from '../lib/yaml.ts';
import { inClusterAccess, parseKubeconfig, type KubeconfigOptions } from './kubeconfig.ts';

const pem = (what: string): string => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with one context, from the parts that a case is about. */
const kubeconfig = (parts: { cluster?: object; user?: object; context?: object; root?: object } = {}): string =>
  toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'dev',
    contexts: [{ name: 'dev', context: { cluster: 'c', user: 'u', ...parts.context } }],
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443', ...parts.cluster } }],
    users: [{ name: 'u', user: parts.user ?? {} }],
    ...parts.root,
  });

const parse = (parts: Parameters<typeof kubeconfig>[0], options?: KubeconfigOptions) =>
  parseKubeconfig(kubeconfig(parts), options);

const clusterFields = ['server', 'certificate-authority', 'certificate-authority-data', 'tls-server-name', 'proxy-url'];
const userFields = [
  'token',
  'tokenFile',
  'client-key',
  'client-certificate-data',
  'username',
  'password',
  'exec',
  'as',
];

/** A mapping of some of the fields to values that nobody expects there. */
const odd = (fields: readonly string[]): fc.Arbitrary<object> =>
  fc.dictionary(fc.constantFrom(...fields), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 });

const merged = ([parts, root]: [{ cluster: object; user: object; context: object }, object]): string =>
  kubeconfig({ ...parts, root });

describe('a kubeconfig', () => {
  test('gives the server, its authority and the credentials of the current context', () => {
    const access = parse({
      cluster: { 'certificate-authority-data': base64(pem('CERTIFICATE')), 'tls-server-name': 'inner' },
      user: {
        'client-certificate-data': base64(pem('CERTIFICATE')),
        'client-key-data': base64(pem('PRIVATE KEY')),
        token: 't',
        username: 'ann',
        password: 'p',
      },
      context: { namespace: 'team' },
    });
    expect(access).toEqual({
      server: 'https://api.example:6443',
      ca: pem('CERTIFICATE'),
      tlsServerName: 'inner',
      clientCertificate: pem('CERTIFICATE'),
      clientKey: pem('PRIVATE KEY'),
      token: 't',
      basic: { username: 'ann', password: 'p' },
      namespace: 'team',
    });
  });

  test('gives another context when asked for', () => {
    const root = {
      contexts: [
        { name: 'dev', context: { cluster: 'c', user: 'u' } },
        { name: 'prod', context: { cluster: 'p' } },
      ],
      clusters: [{ name: 'p', cluster: { server: 'http://10.0.0.1:8080/k8s/', 'insecure-skip-tls-verify': true } }],
    };
    expect(parse({ root }, { context: 'prod' })).toEqual({
      server: 'http://10.0.0.1:8080/k8s',
      insecureSkipTlsVerify: true,
    });
  });

  test('reads files relative to its own folder', () => {
    const files: Record<string, string> = { '/home/ann/.kube/ca.pem': pem('CERTIFICATE'), '/run/token': 'one\n' };
    const readFile = (path: string): string => {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: ${path}`);
      return text;
    };
    const options = { readFile, directory: '/home/ann/.kube' };
    const access = parse(
      { cluster: { 'certificate-authority': 'ca.pem' }, user: { tokenFile: '/run/token' } },
      options,
    );
    expect(access.ca).toBe(pem('CERTIFICATE'));
    expect(access.readToken?.()).toBe('one');
    files['/run/token'] = 'two';
    expect(access.readToken?.()).toBe('two');
    expect(() => parse({ user: { tokenFile: 'other' } }, options)).toThrow(
      'users["u"].user.tokenFile can\'t be read: ENOENT: /home/ann/.kube/other',
    );
  });

  test.each([
    [{ root: { 'current-context': '' } }, 'it has no current-context, and no context was asked for'],
    [{ root: { 'current-context': 'x' } }, 'contexts has no entry named "x"'],
    [{ root: { contexts: null } }, 'contexts has no entry named "dev"'],
    [{ context: { cluster: 'x' } }, 'clusters has no entry named "x"'],
    [{ context: { cluster: 5 } }, 'contexts["dev"].context.cluster is not text'],
    [{ context: { user: 'x' } }, 'users has no entry named "x"'],
    [{ cluster: { server: '' } }, 'clusters["c"].cluster.server is missing'],
    [{ cluster: { server: 'ftp://x' } }, 'clusters["c"].cluster.server is not an http(s) URL'],
    [{ cluster: { server: 'https://a:b@x' } }, 'clusters["c"].cluster.server carries credentials'],
    [{ cluster: { 'proxy-url': 'http://p' } }, 'clusters["c"].cluster.proxy-url is not supported'],
    [{ cluster: { 'certificate-authority-data': 'nonsense' } }, 'certificate-authority-data is not base64 of PEM'],
    [{ cluster: { 'certificate-authority': '/etc/x' } }, 'cluster.certificate-authority refers to a file'],
    [
      { cluster: { 'certificate-authority-data': base64(pem('C')), 'insecure-skip-tls-verify': true } },
      'has both certificate-authority and insecure-skip-tls-verify',
    ],
    [{ user: { exec: { command: 'aws' } } }, 'users["u"].user.exec is not supported: no program is run'],
    [{ user: { 'auth-provider': {} } }, 'users["u"].user.auth-provider is not supported'],
    [{ user: { as: 'root' } }, 'users["u"].user.as is not supported: there is no impersonation'],
    [{ user: { 'client-key-data': base64(pem('K')) } }, 'has a client-key but no client-certificate'],
    [{ user: { 'client-certificate-data': base64(pem('C')) } }, 'has a client-certificate but no client-key'],
    [{ user: { token: 'two\nlines' } }, 'users["u"].user.token has characters that no token has'],
    [{ user: { username: 'ann' } }, 'users["u"].user.password is missing'],
  ])('%j is refused by the name of the field', (parts, message) => {
    expect(() => parse(parts)).toThrow(message);
    expect(() => parse(parts)).toThrow(expect.objectContaining({ kind: 'user', reason: 'InvalidKubeconfig' }));
  });

  test('of any shape gives an access or one clear fault, and never anything else', () => {
    const anything = fc.jsonValue({ maxDepth: 3 });
    const parts = fc.record({ cluster: odd(clusterFields), user: odd(userFields), context: odd(['cluster', 'user']) });
    const root = odd(['contexts', 'clusters', 'users', 'current-context']);
    fc.assert(
      fc.property(fc.oneof(anything.map(toYaml), fc.string(), fc.tuple(parts, root).map(merged)), (text) => {
        try {
          expect(parseKubeconfig(text).server).toMatch(/^https?:/);
        } catch (error) {
          expect(error).toMatchObject({ kind: 'user', reason: 'InvalidKubeconfig' });
        }
      }),
    );
  });

  test('that is no YAML is refused without quoting it, since it holds secrets', () => {
    const refuse = (text: string): string => {
      try {
        parseKubeconfig(text);
        return '';
      } catch (error) {
        return String(error);
      }
    };
    expect(refuse('users:\n- user:\n    token: "s3cret')).toMatch(/not YAML at line 3, column \d+$/);
    expect(refuse('just s3cret')).toBe('Fault: invalid kubeconfig: it is not a mapping');
  });
});

describe('a pod', () => {
  const readFile = (path: string): string => `content of ${path.split('/').at(-1)}\n`;

  test('reaches the API server as its service account', () => {
    const access = inClusterAccess({ readFile, environment: { host: '10.0.0.1', port: '443' } });
    expect(access).toMatchObject({
      server: 'https://10.0.0.1:443',
      ca: 'content of ca.crt',
      namespace: 'content of namespace',
    });
    expect(access.readToken?.()).toBe('content of token');
    expect(inClusterAccess({ readFile, environment: { host: 'fd00::1', port: '443' } }).server).toBe(
      'https://[fd00::1]:443',
    );
  });

  test('without the variables or files of one is refused', () => {
    expect(() => inClusterAccess({ readFile, environment: { host: undefined, port: '443' } })).toThrow('not in a pod');
    const unreadable = (): string => {
      throw new Error('ENOENT');
    };
    const access = { readFile: unreadable, environment: { host: 'h', port: '443' } };
    expect(() => inClusterAccess(access)).toThrow("the pod's service account can't be read: ENOENT");
  });
});
