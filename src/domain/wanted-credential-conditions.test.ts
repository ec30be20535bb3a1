import { describe, expect, it } from 'vitest';
import { liveCredential } from '../../test/kit/outside-facts.ts';
import { userFault, waitingFault } from '../api/reasons.ts';
import { Fault } from '../lib/fault.ts';
import { wantedCredentialConditions } from './wanted-credential-conditions.ts';

const conditions = (fault: unknown, credential = liveCredential()) =>
  wantedCredentialConditions({ credential, fault, runId: 'run1' });
const shown = (fault: unknown) =>
  conditions(fault).own?.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

const good = [
  'ErrorOccurred=False RepositoryCredentialUpToDate',
  'ValidRepositoryCredential=True RepositoryCredentialUpToDate',
  'ValidRepositoryURL=True ValidRepositoryUrl',
];

describe('the conditions of a credential', () => {
  it('are good when nothing stands in the way', () => {
    expect(shown(undefined)).toEqual(good);
    expect(conditions(undefined).summary).toMatchObject({ holds: 'Ready', reason: 'RepositoryCredentialUpToDate' });
  });

  it('are good as soon as the Git server has accepted it, also while Argo CD does not have it yet', () => {
    const fault = waitingFault('OperationPending', 'waiting for the agent');
    expect(shown(fault)).toEqual(good);
    expect(conditions(fault).summary).toMatchObject({ holds: 'Reconciling', reason: 'OperationPending' });
  });

  it('stay as they were while it is being checked', () => {
    const { own, summary } = conditions(waitingFault('CheckPending', 'being checked'));
    expect([own, summary.holds]).toEqual([undefined, 'Reconciling']);
  });

  it('say what the team has to mend', () => {
    const { own, summary } = conditions(userFault('SecretNotFound', 'text'));
    expect(own?.map(({ status }) => status)).toEqual(['True', 'False', 'False']);
    expect(new Set(own?.map(({ reason, message }) => `${reason} ${message}`))).toEqual(
      new Set(['SecretNotFound text']),
    );
    expect(summary).toEqual({ holds: 'Stalled', reason: 'SecretNotFound', message: 'text' });
  });

  it('do not call a credential bad that Argo CD could not be given: the error says so, alone', () => {
    const { own, summary } = conditions(userFault('OperationFailed', 'too large'));
    expect(own?.map(({ type, status, message }) => [type, status, message])).toEqual([
      ['ErrorOccurred', 'True', 'too large'],
      ['ValidRepositoryCredential', 'True', expect.any(String)],
      ['ValidRepositoryURL', 'True', expect.any(String)],
    ]);
    expect(summary).toMatchObject({ holds: 'Stalled', reason: 'OperationFailed' });
  });

  it.each([
    ['a database that is away', new Fault('internal', 'DatabaseUnavailable', 'secret text')],
    ['a mistake of ours', new TypeError('secret text')],
  ])('stay as they were for %s, without a word of it', (_what, fault) => {
    const { own, summary } = conditions(fault);
    expect([own, summary.holds]).toEqual([undefined, 'Reconciling']);
    expect(summary.message).toContain('run1');
    expect(JSON.stringify(summary)).not.toContain('secret text');
  });

  it('stay as they were while the credential is being deleted, which says what it waits for', () => {
    const deleting = liveCredential({}, { deleting: true });
    const credential = { ...deleting, metadata: { ...deleting.metadata, finalizers: ['team/one'] } };
    const { own, summary } = conditions(userFault('SecretNotFound', 'text'), credential);
    expect([own, summary.reason]).toEqual([undefined, 'DeletionBlocked']);
    expect(summary.message).toContain('team/one');
  });
});
