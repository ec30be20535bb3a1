import { describe, expect, it } from 'vitest';
import { anOperation, liveDeployment } from '../../test/kit/facts.ts';
import { userFault, waitingFault } from '../api/reasons.ts';
import { desiredApplication } from './argocd-application.ts';
import { emptyStatus, type StoredOperationState, type StoredStatus } from './application-status.ts';
import { wantedConditions, type ConditionInput } from './deployment-conditions.ts';

const deployment = liveDeployment();
const desired = desiredApplication(deployment, {
  engineNamespace: 'argocd',
  projectOfUser: 'user',
  environmentId: undefined,
});
const stored = (
  more: Omit<Partial<StoredStatus>, 'sync'> & { sync?: Partial<StoredStatus['sync']> } = {},
): StoredStatus => ({
  ...emptyStatus(),
  health: { status: 'Healthy', message: '' },
  ...more,
  sync: {
    status: 'Synced',
    revision: 'abcdef0123456789',
    revisions: [],
    comparedTo: { source: desired.source, destination: desired.destination },
    ...more.sync,
  },
});
const operation = (more: Partial<StoredOperationState>): StoredStatus['operationState'] => ({
  operation: {
    sync: undefined,
    initiatedBy: { username: '', automated: true },
    info: [],
    retry: { limit: 0, backoff: undefined },
  },
  phase: 'Running',
  message: '',
  syncResult: undefined,
  startedAt: undefined,
  finishedAt: undefined,
  retryCount: 0,
  ...more,
});
const input = (more: Partial<ConditionInput> = {}): ConditionInput => ({
  deployment,
  stored: stored(),
  desired,
  destinationId: 'in-cluster',
  operations: [],
  told: false,
  removal: 'pending',
  fault: undefined,
  runId: 'run1',
  ...more,
});
const summary = (more: Partial<ConditionInput>) => wantedConditions(input(more)).summary;
const error = (type: string) => [{ type, message: 'no', lastTransitionTime: undefined }];
const manual = liveDeployment({ type: 'manual' });

describe('the standard conditions', () => {
  const rows: readonly (readonly [what: string, holds: string | undefined, reason: string, Partial<ConditionInput>])[] =
    [
      ['a fault of the spec', 'Stalled', 'PathRequired', { fault: userFault('PathRequired', 'no path') }],
      ['a failed Operation', 'Stalled', 'OperationFailed', { operations: [anOperation('Failed', { message: 'no' })] }],
      [
        'an error of Argo CD',
        'Stalled',
        'ComparisonError',
        { stored: stored({ conditions: error('ComparisonError') }) },
      ],
      [
        'a failed sync',
        'Stalled',
        'SyncFailed',
        { stored: stored({ operationState: operation({ phase: 'Failed' }) }) },
      ],
      [
        'a sync that broke',
        'Stalled',
        'SyncFailed',
        { stored: stored({ operationState: operation({ phase: 'Error' }) }) },
      ],
      [
        'a sync that has been tried again five times',
        'Stalled',
        'SyncRetrying',
        { stored: stored({ operationState: operation({ retryCount: 5 }) }) },
      ],
      ['an open Operation', 'Reconciling', 'OperationPending', { operations: [anOperation('Waiting')] }],
      ['an Operation written in this pass', 'Reconciling', 'OperationPending', { told: true }],
      [
        'an Operation that says what it waits for',
        'Reconciling',
        'WaitingForArgoCD',
        { operations: [anOperation('In_Progress', { message: 'waits for a finalizer' })] },
      ],
      [
        'the Operation of a deletion that says what it waits for',
        'Reconciling',
        'DeletionBlocked',
        {
          deployment: liveDeployment({ deleting: true }),
          operations: [anOperation('In_Progress', { message: 'waits for a finalizer' })],
        },
      ],
      [
        'a deletion whose Application is still there',
        'Reconciling',
        'OperationPending',
        { deployment: liveDeployment({ deleting: true }) },
      ],
      [
        'a deletion that only the finalizers of others hold',
        'Reconciling',
        'DeletionBlocked',
        { deployment: liveDeployment({ deleting: true }), removal: 'done' },
      ],
      ['waiting for something', 'Reconciling', 'StaleCache', { fault: waitingFault('StaleCache', 'old') }],
      ['an error of ours', 'Reconciling', 'Unexpected', { fault: new Error('boom') }],
      ['a running sync', 'Reconciling', 'Progressing', { stored: stored({ operationState: operation({}) }) }],
      [
        'a sync that is tried again',
        'Reconciling',
        'SyncRetrying',
        { stored: stored({ operationState: operation({ retryCount: 4 }) }) },
      ],
      ['no report yet', 'Reconciling', 'WaitingForArgoCD', { stored: undefined }],
      ['another destination than wanted', 'Reconciling', 'WaitingForArgoCD', { destinationId: 'another' }],
      [
        'a manual one that differs',
        undefined,
        'WaitingForSyncRun',
        { deployment: manual, stored: stored({ sync: { status: 'OutOfSync' } }) },
      ],
      ['in sync and healthy', 'Ready', 'Ready', {}],
      [
        'in sync and degraded',
        undefined,
        'Degraded',
        { stored: stored({ health: { status: 'Degraded', message: '' } }) },
      ],
      ['suspended', undefined, 'Suspended', { stored: stored({ health: { status: 'Suspended', message: '' } }) }],
      [
        'an automated one that differs',
        'Reconciling',
        'Progressing',
        { stored: stored({ sync: { status: 'OutOfSync' } }) },
      ],
      [
        'on its way',
        'Reconciling',
        'Progressing',
        { stored: stored({ health: { status: 'Progressing', message: '' } }) },
      ],
      ['missing', 'Reconciling', 'Progressing', { stored: stored({ health: { status: 'Missing', message: '' } }) }],
      ['unknown', 'Reconciling', 'Progressing', { stored: stored({ sync: { status: 'Unknown' } }) }],
    ];

  const table = rows.map(([what, holds, reason, more]) => ({ what, holds, reason, more }));
  it.each(table)('for $what: $holds because of $reason', ({ holds, reason, more }) => {
    expect(summary(more)).toMatchObject({ holds, reason });
  });

  it('follow the first line that fits: a fault before an error of Argo CD, that before an open Operation', () => {
    const everything = {
      fault: userFault('PathRequired', 'no path'),
      operations: [anOperation('Waiting')],
      stored: stored({ conditions: error('SyncError'), operationState: operation({ phase: 'Failed' }) }),
    };
    expect(summary(everything).reason).toBe('PathRequired');
    expect(summary({ ...everything, fault: undefined }).reason).toBe('SyncError');
    expect(summary({ ...everything, fault: undefined, stored: stored() }).reason).toBe('OperationPending');
  });

  it('do not stall for a failure that is being tried again, or for a mere warning of Argo CD', () => {
    const operations = [anOperation('Failed'), anOperation('Waiting', { second: 1 })];
    expect(summary({ operations }).holds).toBe('Reconciling');
    expect(summary({ operations: [anOperation('Failed')], told: true }).holds).toBe('Reconciling');
    expect(summary({ stored: stored({ conditions: error('OrphanedResourceWarning') }) }).holds).toBe('Ready');
  });

  it.each([
    ['repository', { source: { ...desired.source, repoURL: 'other' } }],
    ['path', { source: { ...desired.source, path: 'other' } }],
    ['revision', { source: { ...desired.source, targetRevision: 'other' } }],
    ['namespace', { destination: { ...desired.destination, namespace: 'other' } }],
  ])('wait while Argo CD has compared with another %s', (_what, other) => {
    expect(summary({ desired: { ...desired, ...other } }).reason).toBe('WaitingForArgoCD');
  });

  it('name the run of an error of ours, so that an operator finds it in the log', () => {
    expect(summary({ fault: new Error('secret detail') }).message).toBe(
      'an unknown error occurred (run run1); it is being tried again',
    );
  });

  it('name the first object that a sync failed at, where Argo CD keeps the cause apart from its message', () => {
    const result = { group: '', version: 'v1', kind: 'ConfigMap', namespace: 'other', hookType: '', syncPhase: 'Sync' };
    const of = (message: string, phase = 'Running') =>
      operation({
        phase,
        retryCount: 1,
        message,
        syncResult: {
          resources: [
            { ...result, name: 'good', status: 'Synced', message: 'created', hookPhase: 'Running' },
            {
              ...result,
              name: 'map',
              status: 'SyncFailed',
              message: 'namespace other\nis not permitted',
              hookPhase: '',
            },
          ],
          revision: 'abc',
          source: desired.source,
          sources: [],
          revisions: [],
          managedNamespaceMetadata: undefined,
        },
      });
    const said = (message: string) => summary({ stored: stored({ operationState: of(message) }) }).message;
    expect(said('tasks are not valid')).toBe(
      'the sync failed and is being tried again (1 time so far): tasks are not valid (ConfigMap map: namespace other is not permitted)',
    );
    expect(said('failed: namespace other\nis not permitted')).not.toContain('ConfigMap');
    const failed = of('tasks are not valid', 'Failed');
    expect(summary({ stored: stored({ operationState: failed }) }).message).toContain(
      '(ConfigMap map: namespace other',
    );
  });

  it('name the first object that is not healthy', () => {
    const resources: StoredStatus['resources'] = [
      { group: '', version: 'v1', kind: 'Pod', namespace: 'team', name: 'good', status: 'Synced', health: undefined },
      {
        group: '',
        version: 'v1',
        kind: 'Pod',
        namespace: 'team',
        name: 'bad',
        status: 'Synced',
        health: { status: 'Degraded', message: 'crash' },
      },
    ];
    const health = { status: 'Degraded', message: '' };
    expect(summary({ stored: stored({ health, resources }) }).message).toBe('synced, but degraded: Pod bad (crash)');
  });
});

describe('the error conditions', () => {
  const errors = (more: Partial<ConditionInput>) => wantedConditions(input(more)).errors;

  it('are none where nothing is wrong, and none for waiting', () => {
    expect(errors({})).toEqual([]);
    expect(errors({ fault: waitingFault('StaleCache', 'old') })).toEqual([]);
  });

  it('say the words of a fault of the spec, and nothing about an error of ours', () => {
    const condition = { type: 'ErrorOccurred', reason: 'ErrorOccurred' };
    expect(errors({ fault: userFault('PathRequired', 'no path') })).toEqual([{ ...condition, message: 'no path' }]);
    expect(errors({ fault: new Error('secret') })).toEqual([{ ...condition, message: 'an unknown error occurred' }]);
  });

  it('say the failure of an Operation before a fault of the pass, until a later one has succeeded', () => {
    const fault = userFault('PathRequired', 'no path');
    const failed = anOperation('Failed', { message: 'the agent says no' });
    expect(errors({ fault, operations: [failed] })).toMatchObject([{ message: 'the agent says no' }]);
    expect(errors({ operations: [failed, anOperation('Completed', { second: 1 })] })).toEqual([]);
  });

  it('mirror those of Argo CD under their own types, the last of a type', () => {
    const conditions = [...error('SyncError'), { type: 'SyncError', message: 'last', lastTransitionTime: undefined }];
    expect(errors({ stored: stored({ conditions }) })).toEqual([
      { type: 'SyncError', reason: 'SyncError', message: 'last' },
    ]);
  });
});

describe('a sync that failed', () => {
  const ofSyncRun = { ...operation({})?.operation, info: [{ name: 'syncoperation', value: 'id' }] };
  const failed = (more: object, sync = 'Synced') =>
    summary({
      deployment: manual,
      stored: stored({
        sync: { status: sync },
        operationState: operation({ phase: 'Failed', message: 'no', ...more }),
      }),
    });

  it('of a sync run leaves a deployment Ready that is as it should be: the sync run tells of it', () => {
    expect(failed({ operation: ofSyncRun })).toMatchObject({ holds: 'Ready' });
    expect(failed({ operation: ofSyncRun }, 'OutOfSync')).toMatchObject({ holds: 'Stalled', message: 'no' });
    expect(failed({})).toMatchObject({ holds: 'Stalled', message: 'no' });
  });

  it('because its sync run was deleted is no failure of the deployment', () => {
    const terminated = { operation: ofSyncRun, message: 'Operation terminated' };
    expect(failed(terminated, 'OutOfSync')).toMatchObject({ holds: undefined, reason: 'WaitingForSyncRun' });
  });

  it('of a source that the deployment has no more is no failure of what it has now', () => {
    const syncResult = (path: string) => ({
      syncResult: {
        resources: [],
        revision: '',
        source: { ...desired.source, path },
        sources: [],
        revisions: [],
        managedNamespaceMetadata: undefined,
      },
    });
    expect(failed(syncResult('old'))).toMatchObject({ holds: 'Ready' });
    expect(failed(syncResult(desired.source.path))).toMatchObject({ holds: 'Stalled' });
  });
});
