import { describe, expect, it } from 'vitest';
import { liveEnvironment } from '../../test/kit/outside-facts.ts';
import { unknownError } from '../api/messages.ts';
import { userFault, waitingFault } from '../api/reasons.ts';
import { Fault } from '../lib/fault.ts';
import { wantedEnvironmentConditions } from './environment-conditions.ts';

const conditions = (fault: unknown, environment = liveEnvironment()) =>
  wantedEnvironmentConditions({ environment, fault, runId: 'run1' });

describe('the connection of an environment', () => {
  it('is there when nothing stands in the way', () => {
    const { connection, summary } = conditions(undefined);
    expect(connection).toEqual({ status: 'True', reason: 'Succeeded', message: '' });
    expect(summary).toMatchObject({ holds: 'Ready', reason: 'Succeeded' });
  });

  it.each([
    ['UnsupportedAPIURL', 'Unknown'],
    ['InvalidNamespaceList', 'Unknown'],
    ['UnableToValidateClusterCredentials', 'Unknown'],
    ['SecretNotFound', 'False'],
    ['SecretNotSpecified', 'False'],
    ['InvalidSecretType', 'False'],
    ['MissingKubeConfigField', 'False'],
    ['UnableToParseKubeconfigData', 'False'],
    ['UnableToLocateContext', 'False'],
    ['UnableToRetrieveRestConfig', 'False'],
    ['UnableToCreateClient', 'False'],
    ['UnableToInstallServiceAccount', 'False'],
  ] as const)('is not there for %s: %s, with its text', (reason, status) => {
    const { connection, summary } = conditions(userFault(reason, 'text'));
    expect(connection).toEqual({ status, reason, message: 'text' });
    expect(summary).toEqual({ holds: 'Stalled', reason, message: 'text' });
  });

  it.each([
    ['DatabaseError Unknown', new Fault('internal', 'DatabaseUnavailable', 'secret text')],
    ['KubernetesError False', new Fault('internal', 'ApiUnavailable', 'secret text')],
    ['UnknownError Unknown', new Fault('internal', 'KeyMissing', 'secret text')],
    ['UnknownError Unknown', new TypeError('secret text')],
  ])("is in doubt for a trouble that is not the team's, without a word of it: %s", (told, fault) => {
    const { connection, summary } = conditions(fault);
    expect(`${connection?.reason} ${connection?.status}`).toBe(told);
    expect(connection?.message).toBe(unknownError);
    expect(summary.holds).toBe('Reconciling');
    expect(summary.message).toContain('run1');
    expect(JSON.stringify(summary)).not.toContain('secret text');
  });

  it('stays as it was while something is waited for', () => {
    const { connection, summary } = conditions(waitingFault('CheckPending', 'being checked'));
    expect(connection).toBeUndefined();
    expect(summary).toEqual({ holds: 'Reconciling', reason: 'CheckPending', message: 'being checked' });
  });

  it('stays as it was while the environment is being deleted, which says what it waits for', () => {
    const deleting = liveEnvironment({}, { deleting: true });
    const environment = { ...deleting, metadata: { ...deleting.metadata, finalizers: ['team/one', 'team/two'] } };
    const { connection, summary } = conditions(userFault('SecretNotFound', 'text'), environment);
    expect(connection).toBeUndefined();
    expect(summary).toMatchObject({ holds: 'Reconciling', reason: 'DeletionBlocked' });
    expect(summary.message).toContain('team/one, team/two');
  });
});
