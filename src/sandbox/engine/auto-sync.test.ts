import { describe, expect, test } from 'vitest';
import { rfc3339 } from '../../lib/clock.ts';
import { decideAutoSync, type AutoSyncFacts } from './auto-sync.ts';
import type { Application, OperationState } from './shapes.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const source = { repoURL: 'https://example.com/app', path: 'deploy', targetRevision: 'main' };
const behind = { version: 'v1', kind: 'ConfigMap', namespace: 'jane', name: 'a', status: 'OutOfSync' };
const extra = { ...behind, name: 'b', requiresPruning: true };

type Automated = NonNullable<NonNullable<Application['spec']['syncPolicy']>['automated']>;

const application = (automated: Automated | undefined, last?: Partial<OperationState>): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'web' },
  spec: { project: 'default', source, destination: {}, syncPolicy: automated ? { automated } : {} },
  status: last
    ? {
        operationState: {
          operation: { sync: {} },
          phase: 'Succeeded',
          startedAt: rfc3339(NOW_MS),
          syncResult: { revision: 'abc', source },
          ...last,
        },
      }
    : {},
});
const facts = (more: Partial<AutoSyncFacts> = {}): AutoSyncFacts => ({
  sync: 'OutOfSync',
  revision: 'abc',
  resources: [behind],
  nowMs: NOW_MS,
  selfHealAfterMs: 5000,
  ...more,
});

describe('an Application that is out of sync', () => {
  test('is synced to the commit it was compared with, with its policy and five retries', () => {
    expect(decideAutoSync(application({ prune: true }), facts())).toEqual({
      operation: {
        sync: { revision: 'abc', source, prune: true },
        initiatedBy: { automated: true },
        retry: { limit: 5 },
      },
    });
  });
  test.each([
    ['without the policy', application(undefined), facts()],
    ['when it is in sync', application({}), facts({ sync: 'Synced' })],
    ['when nothing is known', application({}), facts({ sync: 'Unknown' })],
    ['while an operation is there', { ...application({}), operation: {} }, facts()],
    ['when there is only something to prune, and pruning is off', application({}), facts({ resources: [extra] })],
    ['when this commit was synced already', application({}, {}), facts()],
    [
      'when only the name of the revision differs',
      application({}, { syncResult: { revision: 'abc', source: { ...source, targetRevision: 'HEAD' } } }),
      facts(),
    ],
  ])('is left alone %s', (_when, given, known) => {
    expect(decideAutoSync(given, known)).toEqual({});
  });
  test('is synced again when the source changed, though the commit is the same', () => {
    const last = { syncResult: { revision: 'abc', source: { ...source, path: 'other' } } };
    expect(decideAutoSync(application({}, last), facts()).operation).toBeDefined();
  });
  test('is not synced again to a commit that failed; the failure stays in sight', () => {
    const failed = { phase: 'Failed', message: 'it broke' };
    expect(decideAutoSync(application({ selfHeal: true }, failed), facts())).toEqual({
      condition: { type: 'SyncError', message: 'Failed sync attempt to abc: it broke' },
    });
  });
  test('never loses its last object, unless that is allowed', () => {
    const all = facts({ resources: [extra] });
    expect(decideAutoSync(application({ prune: true }), all).condition?.message).toMatch(
      /will wipe out all resources$/,
    );
    expect(decideAutoSync(application({ prune: true, allowEmpty: true }), all).operation).toBeDefined();
  });
});

test('self-heal syncs what differs, and only a while after the last sync', () => {
  const healing = application({ selfHeal: true }, { finishedAt: rfc3339(NOW_MS - 2000) });
  expect(decideAutoSync(healing, facts())).toEqual({ afterMs: 3000 });
  expect(decideAutoSync(healing, facts({ nowMs: NOW_MS + 3000 })).operation?.sync?.resources).toEqual([
    { kind: 'ConfigMap', name: 'a', namespace: 'jane' },
  ]);
});
