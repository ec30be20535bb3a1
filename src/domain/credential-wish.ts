// What a GitOpsDeploymentRepositoryCredential and its Secret ask for: how to read which repository.
import { createHash } from 'node:crypto';
import { repositoryCredentialSecretType } from '../api/labels.ts';
import { credentialMessages, tooLong } from '../api/messages.ts';
import { userFault } from '../api/reasons.ts';
import type { GitOpsDeploymentRepositoryCredential } from '../api/v1alpha1/gitops-deployment-repository-credential.ts';
import { isSealed } from '../lib/envelope.ts';
import { readGitRemote } from './git-remote.ts';
import { MAX_REPOSITORY_KEY, normalizeGitUrl, shownUrl } from './repository-url.ts';
import type { SecretFacts } from './secret-facts.ts';

/** A credential that can be tried, and kept. Texts are as they were written; '' where there is none. */
export interface CredentialWish {
  /** `spec.repository`. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Goes before user and password where it is given. */
  readonly sshPrivateKey: string;
  readonly secretName: string;
  /** SHA-256 of all that matters, as hex, or how it is kept: another one means another credential. */
  readonly inputHash: string;
}

/** What the columns hold: the URL in characters, the others in bytes, of which encryption makes a third more. */
const LIMITS = { repository: 512, username: 256, password: 4096, sshPrivateKey: 8192 } as const;

/**
 * Reads a credential.
 * @throws Fault `user`: SecretNotSpecified, SecretNotFound, SecretInvalidType, InvalidRepositoryUrl, CredentialTooLong,
 * InvalidCredentials (a value that is no text).
 */
export const readCredential = (
  { spec }: GitOpsDeploymentRepositoryCredential,
  secret: SecretFacts | undefined,
): CredentialWish => {
  const { repository: url = '', secret: secretName = '' } = spec ?? {};
  if (secretName === '') throw userFault('SecretNotSpecified', credentialMessages.secretNotSpecified);
  if (!secret) throw userFault('SecretNotFound', credentialMessages.secretNotFound);
  if (secret.type !== repositoryCredentialSecretType)
    throw userFault('SecretInvalidType', credentialMessages.secretInvalidType);
  checkUrl(url);
  const valueOf = (key: keyof typeof LIMITS): string => {
    const bytes = Buffer.from(secret.data[key] ?? '', 'base64');
    if (bytes.length > LIMITS[key]) throw tooLongFault(key, bytes.length);
    const text = textOf(bytes);
    if (text === undefined)
      throw userFault('InvalidCredentials', credentialMessages.invalid(secretName, shownUrl(url)));
    return text;
  };
  const values = {
    username: valueOf('username'),
    password: valueOf('password'),
    sshPrivateKey: valueOf('sshPrivateKey'),
  };
  return { url, ...values, secretName, inputHash: hashOf([url, secretName, ...Object.values(values)]) };
};

const tooLongFault = (field: keyof typeof LIMITS, actual: number) =>
  userFault('CredentialTooLong', tooLong(field, LIMITS[field], actual));

/** A URL that could not be kept, or has no key in the tenant's project, is a fault of this credential alone. */
const checkUrl = (url: string): void => {
  readGitRemote(url);
  const key = normalizeGitUrl(url);
  if (key === '')
    throw userFault('InvalidRepositoryUrl', credentialMessages.noRepository(credentialMessages.unreadableUrl));
  const length = Math.max(url.length, key.length);
  if (length > MAX_REPOSITORY_KEY) throw tooLongFault('repository', length);
};

/** The bytes as UTF-8; undefined for what is none, and for what no row holds: one character, and what looks encrypted. */
const textOf = (bytes: Buffer): string | undefined => {
  const text = bytes.toString('utf8');
  return text.includes('\0') || isSealed(text) || !Buffer.from(text, 'utf8').equals(bytes) ? undefined : text;
};

const hashOf = (parts: readonly string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');
