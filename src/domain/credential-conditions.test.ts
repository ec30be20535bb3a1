import { expect, test } from 'vitest';
import { userFault } from '../api/reasons.ts';
import type { Fault } from '../lib/fault.ts';
import { credentialConditions } from './credential-conditions.ts';

const url = 'https://git.example/team/app';
const of = (fault?: Fault) =>
  credentialConditions({ url, secret: 'token', fault }).map(({ type, status, reason, message }) => [
    type,
    status,
    reason,
    message,
  ]);
const exists = ['ValidRepositoryURL', 'True', 'ValidRepositoryUrl', `Repository ${url} exists`];

test('of a credential that works, nothing is amiss', () => {
  const valid = `Repository Credentials provided token for Repository ${url} are valid`;
  expect(of()).toEqual([
    ['ErrorOccurred', 'False', 'RepositoryCredentialUpToDate', 'RepositoryCredentials are Valid'],
    ['ValidRepositoryCredential', 'True', 'RepositoryCredentialUpToDate', valid],
    exists,
  ]);
});

test('of a credential that is refused, the repository exists all the same', () => {
  const message = `Repository Credentials provided token for Repository ${url} are invalid`;
  expect(of(userFault('InvalidCredentials', message))).toEqual([
    ['ErrorOccurred', 'True', 'InvalidCredentials', message],
    ['ValidRepositoryCredential', 'False', 'InvalidCredentials', message],
    exists,
  ]);
});

test.each([
  'SecretNotSpecified',
  'SecretNotFound',
  'SecretInvalidType',
  'InvalidRepositoryUrl',
  'CredentialTooLong',
] as const)('of %s, all three say the same', (reason) => {
  expect(of(userFault(reason, 'why'))).toEqual([
    ['ErrorOccurred', 'True', reason, 'why'],
    ['ValidRepositoryCredential', 'False', reason, 'why'],
    ['ValidRepositoryURL', 'False', reason, 'why'],
  ]);
});

test('a network failure is never called an invalid credential: nothing is known then', () => {
  expect(of(userFault('RepositoryUnreachable', 'why'))).toEqual([
    ['ErrorOccurred', 'True', 'RepositoryUnreachable', 'why'],
    ['ValidRepositoryCredential', 'Unknown', 'RepositoryUnreachable', 'why'],
    ['ValidRepositoryURL', 'Unknown', 'RepositoryUnreachable', 'why'],
  ]);
});

test('a password in the URL stands in no condition', () => {
  const said = JSON.stringify(credentialConditions({ url: 'https://bob:hunter2@h/a', secret: 's', fault: undefined }));
  expect(said).not.toMatch(/hunter2|bob/);
  expect(said).toContain('Repository https://h/a exists');
});
