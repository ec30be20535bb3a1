import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFault } from '../lib/fault.ts';
import { readCredential } from './credential-wish.ts';
import { normalizeGitUrl } from './repository-url.ts';
import type { SecretFacts } from './secret-facts.ts';

const type = 'managed-gitops.redhat.com/repository-credential';
const url = 'https://git.example/Team/App.git';

const credential = (spec?: { repository: string; secret: string }) => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeploymentRepositoryCredential',
  metadata: { name: 'mine', namespace: 'team' },
  ...(spec && { spec }),
});
const secretOf = (data: Record<string, string | Buffer>): SecretFacts => ({
  type,
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
});
const read = (data: Record<string, string | Buffer>, repository = url) =>
  readCredential(credential({ repository, secret: 'token' }), secretOf(data));

test('everything is taken as it was written', () => {
  expect(read({ username: 'bob', password: 'p\n', sshPrivateKey: 'key' })).toEqual({
    url,
    username: 'bob',
    password: 'p\n',
    sshPrivateKey: 'key',
    secretName: 'token',
    inputHash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(read({})).toMatchObject({ username: '', password: '', sshPrivateKey: '' });
});

test.each(['git@github.com:Team/App.git', 'ssh://git@github.com/Team/App', 'http://127.0.0.1:1/a'])(
  '%s is a repository',
  (repository) => {
    expect(read({}, repository).url).toBe(repository);
  },
);

test('the hash is another one when anything is, and only then', () => {
  const values = { username: 'a', password: 'b', sshPrivateKey: 'c' };
  const hashes = [
    read(values),
    read({ ...values, username: 'b', password: 'a' }),
    read({ ...values, password: '' }),
    read({ ...values, sshPrivateKey: 'd' }),
    read(values, `${url}/`),
    readCredential(credential({ repository: url, secret: 'other' }), secretOf(values)),
  ].map(({ inputHash }) => inputHash);
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(read({ ...values, note: 'x' }).inputHash).toBe(hashes[0]);
});

describe('a credential is refused in the words that users know', () => {
  const spec = { repository: url, secret: 'token' };
  test.each([
    { reason: 'SecretNotSpecified', message: 'Secret field is missing value' },
    { reason: 'SecretNotSpecified', message: 'Secret field is missing value', of: { ...spec, secret: '' } },
    { reason: 'SecretNotFound', message: 'Secret specified not found', of: spec },
    {
      reason: 'SecretInvalidType',
      message: 'Secret has an invalid type, must be managed-gitops.redhat.com/repository-credential',
      of: spec,
      secret: { type: 'Opaque', data: {} },
    },
    {
      reason: 'InvalidRepositoryUrl',
      message: 'Repository does not exist: repository must begin with ssh:// or https://',
      of: { ...spec, repository: 'ext::sh' },
      secret: secretOf({}),
    },
  ])('$reason: $message', ({ reason, message, of, secret }) => {
    expect(() => readCredential(credential(of), secret)).toThrow(
      expect.objectContaining({ kind: 'user', reason, message }),
    );
  });

  test('a Secret that is missing is never called one of the wrong type, nor the other way round', () => {
    const reasonOf = (secret?: SecretFacts): unknown => {
      try {
        return readCredential(credential(spec), secret);
      } catch (error) {
        return isFault(error) && error.reason;
      }
    };
    expect([reasonOf(), reasonOf({ type: '', data: {} })]).toEqual(['SecretNotFound', 'SecretInvalidType']);
  });
});

describe('what is too long to be kept is a fault that names the field and never the value', () => {
  test.each([
    ['username', 256],
    ['password', 4096],
    ['sshPrivateKey', 8192],
  ])('%s: at most %i bytes', (field, max) => {
    expect(() => read({ [field]: 'x'.repeat(max) })).not.toThrow();
    expect(() => read({ [field]: 'x'.repeat(max + 1) })).toThrow(
      expect.objectContaining({
        reason: 'CredentialTooLong',
        message: `${field} value exceeds maximum size: max: ${max}, actual: ${max + 1}`,
      }),
    );
  });

  test('a key of 1 MiB of junk', () => {
    expect(() => read({ sshPrivateKey: Buffer.alloc(2 ** 20, 0xff) })).toThrow(/^sshPrivateKey value exceeds/);
  });

  test('an RSA key of 4096 bits is not', () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 4096,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    expect(read({ sshPrivateKey: privateKey }).sshPrivateKey).toBe(privateKey);
  });
});

test.each([Buffer.from('pass\0word'), Buffer.from([0xff, 0xfe]), Buffer.from('sealed:v1:k1:AAAA')])(
  '%j can not be kept as a text, so it can not be a password',
  (password) => {
    expect(() => read({ password }, 'https://bob:hunter2@host/a')).toThrow(
      expect.objectContaining({
        reason: 'InvalidCredentials',
        message: 'Repository Credentials provided token for Repository https://host/a are invalid',
      }),
    );
  },
);

test('a repository URL that has no key in the project, or one too long for its row, is a fault of its credential alone', () => {
  expect(() => read({}, `https://host/${'a'.repeat(500)}`)).toThrow(/^repository value exceeds/);
  expect(() => read({}, `https://host/${'ö'.repeat(100)}`)).toThrow('actual: 613'); // as a key, each is six characters
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(fc.constantFrom('https://h/', 'git@h:', 'ssh://h/'), fc.string({ unit: 'binary', maxLength: 600 }))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const key = normalizeGitUrl(read({}, text).url);
        expect(key.length > 0 && key.length <= 512).toBe(true);
      } catch (error) {
        if (!isFault(error, 'user')) throw error;
      }
    }),
  );
});
