import { describe, expect, it } from 'vitest';
import type { Application } from '../api/argocd/application.ts';
import { endSyncPatch, retriesOldRevision } from './running-sync.ts';

const order = { sync: { revision: 'old' } };
const application = (
  phase?: string,
  more: { order?: boolean; retryCount?: number; present?: string } = {},
): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'app' },
  spec: { project: 'default', destination: {} },
  ...((more.order ?? true) && { operation: order }),
  status: {
    sync: { status: 'OutOfSync', ...(more.present && { revision: more.present }) },
    ...(phase && {
      operationState: {
        phase,
        startedAt: '2026-01-02T03:04:05Z',
        operation: order,
        ...(more.retryCount && { retryCount: more.retryCount }),
        syncResult: { revision: 'old', source: { repoURL: 'https://a', path: 'app' } },
      },
    }),
  },
});

describe('ending a sync', () => {
  it('terminates one that runs, and takes back one that has not begun', () => {
    expect(endSyncPatch(application('Running'))).toEqual({ status: { operationState: { phase: 'Terminating' } } });
    expect(endSyncPatch(application())).toEqual({ operation: null });
    expect(endSyncPatch(application('Succeeded')), 'the state is of the sync before').toEqual({ operation: null });
  });

  it('has nothing to do without one, or while one is being ended', () => {
    expect(endSyncPatch(application('Running', { order: false }))).toBeUndefined();
    expect(endSyncPatch(application('Terminating'))).toBeUndefined();
  });
});

describe('a sync that is tried again', () => {
  it('is at an old revision when the repository has moved on', () => {
    expect(retriesOldRevision(application('Running', { retryCount: 1, present: 'new' }))).toBe(true);
  });

  it.each([
    ['at the present revision', application('Running', { retryCount: 1, present: 'old' })],
    ['for the first time', application('Running', { present: 'new' })],
    ['while nothing is known of the repository', application('Running', { retryCount: 1 })],
    ['no more: it has ended', application('Failed', { retryCount: 1, present: 'new' })],
    ['no more: there is no order', application('Running', { order: false, retryCount: 1, present: 'new' })],
  ])('is left alone %s', (_what, one) => {
    expect(retriesOldRevision(one)).toBe(false);
  });
});
