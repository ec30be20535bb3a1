import { describe, expect, it } from 'vitest';
import { readStatus, writeStatus } from './application-status.ts';
import { mirrorStatus } from './deployment-status.ts';

const stored = (...status: Parameters<typeof writeStatus>) => readStatus(writeStatus(...status).bytes);
const nameOf = (id: string): string => (id === '1234' ? 'prod' : '');

describe('the mirrored status', () => {
  it('has the required fields, empty, before anything is reported', () => {
    expect(mirrorStatus(undefined, nameOf)).toEqual({
      sync: { status: '' },
      health: {},
      resources: [],
      reconciledState: { source: { path: '', repoURL: '', branch: '' }, destination: { name: '', namespace: '' } },
    });
  });

  it.each([
    ['in-cluster', ''],
    ['managed-env-1234', 'prod'],
    ['managed-env-gone', ''],
  ])('shows the destination %s as %j', (name, shown) => {
    const comparedTo = { source: { repoURL: 'https://a', path: 'app' }, destination: { name, namespace: 'team' } };
    const { reconciledState } = mirrorStatus(stored({ sync: { status: 'Synced', comparedTo } }), nameOf);
    expect(reconciledState).toEqual({
      source: { path: 'app', repoURL: 'https://a', branch: '' },
      destination: { name: shown, namespace: 'team' },
    });
  });

  it('leaves empty fields out and keeps required ones', () => {
    const { resources, operationState } = mirrorStatus(
      stored({
        resources: [{ kind: 'ConfigMap', name: 'a', health: { status: 'Healthy' } }],
        operationState: {
          phase: 'Succeeded',
          startedAt: '2026-01-02T03:04:05Z',
          operation: { sync: { revision: 'abc' } },
          syncResult: {
            revision: '',
            resources: [{ group: '', version: 'v1', kind: 'ConfigMap', namespace: 'team', name: 'a' }],
            source: { repoURL: 'https://a', path: 'app' },
          },
        },
      }),
      nameOf,
    );
    expect(resources).toEqual([{ kind: 'ConfigMap', name: 'a', health: { status: 'Healthy' } }]);
    expect(operationState).toEqual({
      phase: 'Succeeded',
      startedAt: '2026-01-02T03:04:05Z',
      operation: { sync: { revision: 'abc' } },
      syncResult: {
        revision: '',
        resources: [{ group: '', version: 'v1', kind: 'ConfigMap', namespace: 'team', name: 'a' }],
        source: { repoURL: 'https://a', path: 'app' },
      },
    });
  });

  it('has a time in every field that must have one, also of a sync that never said when it began', () => {
    const { operationState } = mirrorStatus(
      stored({ operationState: { phase: 'Running', operation: {}, startedAt: '' } }),
      nameOf,
    );
    expect(operationState).toEqual({ phase: 'Running', operation: {}, startedAt: '0001-01-01T00:00:00Z' });
  });
});
