import { describe, expect, it } from 'vitest';
import type { Application } from '../api/argocd/application.ts';
import { nextSyncStep } from './sync-operation.ts';

const wish = { id: 'sync-1', revision: '' };
const mine = { info: [{ name: 'syncoperation', value: wish.id }], sync: {} };
const others = { initiatedBy: { username: 'admin' }, sync: {} };

const application = (
  more: { annotations?: Record<string, string>; operation?: object; state?: object } = {},
): Application =>
  ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'app', annotations: more.annotations ?? {} },
    spec: { project: 'default', destination: {} },
    ...(more.operation && { operation: more.operation }),
    ...(more.state && { status: { operationState: more.state } }),
  }) as Application; // states have no more than a step reads

const refreshedFor = 'managed-gitops.redhat.com/refreshed-for';
const orderedFor = 'managed-gitops.redhat.com/ordered-for';
const refresh = 'argocd.argoproj.io/refresh';

describe('the next step of a sync', () => {
  it('is a refresh, then the order, which is remembered', () => {
    expect(nextSyncStep(application(), wish)).toMatchObject({
      next: 'patch',
      patch: { metadata: { annotations: { [refresh]: 'normal', [refreshedFor]: wish.id } } },
    });
    expect(nextSyncStep(application({ annotations: { [refreshedFor]: wish.id } }), wish)).toMatchObject({
      next: 'patch',
      patch: { metadata: { annotations: { [orderedFor]: wish.id } }, operation: { info: mine.info } },
    });
  });

  it('is to wait for a refresh that is under way, whoever asked for it: two syncs would else take it from each other', () => {
    for (const id of [wish.id, 'sync-2']) {
      const step = nextSyncStep(application({ annotations: { [refresh]: 'normal', [refreshedFor]: id } }), wish);
      expect(step).toMatchObject({ next: 'wait', message: 'waiting for Argo CD to refresh Application app' });
    }
  });

  it('is to wait without a word while it runs itself', () => {
    const annotations = { [refreshedFor]: wish.id, [orderedFor]: wish.id };
    const waits = { next: 'wait', message: '' };
    expect(nextSyncStep(application({ annotations, operation: mine }), wish)).toEqual(waits);
    expect(nextSyncStep(application({ annotations, state: { phase: 'Running', operation: mine } }), wish)).toEqual(
      waits,
    );
  });

  it('is never a second order: a sync whose result others have overwritten, or that was taken back, has failed', () => {
    const annotations = { [refreshedFor]: wish.id, [orderedFor]: wish.id };
    const message =
      'Application app was synced by somebody else before the end of this sync was seen; create another sync run';
    for (const state of [
      undefined,
      { phase: 'Running', operation: others },
      { phase: 'Succeeded', operation: others },
    ]) {
      const present = application({ annotations, ...(state && { state }) });
      expect(nextSyncStep(present, wish)).toEqual({ next: 'failed', message });
    }
  });
});
