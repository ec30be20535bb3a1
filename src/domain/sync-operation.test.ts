import { describe, expect, it } from 'vitest';
import type { Application } from '../api/argocd/application.ts';
import { nextSyncStep, nextTerminateStep } from './sync-operation.ts';

const nowMs = Date.parse('2026-01-01T00:00:06Z');
const wish = { id: 'sync-1', revision: '', late: false, nowMs };
const mine = { info: [{ name: 'syncoperation', value: wish.id }], sync: {} };
const others = { initiatedBy: { username: 'admin' }, sync: {} };

const application = (
  more: { annotations?: Record<string, string>; operation?: object; state?: object; status?: object } = {},
): Application =>
  ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'app', annotations: more.annotations ?? {} },
    spec: { project: 'default', destination: {} },
    ...(more.operation && { operation: more.operation }),
    ...(more.state && { status: { ...more.status, operationState: more.state } }),
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
      const present = application({ annotations: { [refresh]: 'normal', [refreshedFor]: id } });
      const late = 'waiting for Argo CD to refresh Application app';
      expect(nextSyncStep(present, wish)).toEqual({ next: 'wait', message: '' });
      expect(nextSyncStep(present, { ...wish, late: true })).toEqual({ next: 'wait', message: late });
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
      'Application app was synced by somebody else, or this sync was taken back, before its end was seen; create another sync run';
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

describe('objects that were not pruned', () => {
  const resources = [{ status: 'PruneSkipped' }, { status: 'Synced' }, { status: 'PruneSkipped' }];
  const finishedAt = '2026-01-01T00:00:05Z';
  const state = { phase: 'Succeeded', operation: mine, finishedAt, syncResult: { resources } };
  const ended = (reconciledAt: string, sync: string): Application =>
    application({ state, status: { reconciledAt, sync: { status: sync } } });
  const failed = { next: 'failed', message: '2 resources require pruning' };

  it('are a failure where the comparison after the end misses them', () => {
    for (const sync of ['OutOfSync', 'Unknown']) {
      expect(nextSyncStep(ended('2026-01-01T00:00:06Z', sync), wish)).toEqual(failed);
    }
  });

  it('are none where Argo CD is told to disregard them, and so finds the Application synced', () => {
    expect(nextSyncStep(ended(finishedAt, 'Synced'), wish)).toEqual({ next: 'done' });
  });

  it('say nothing before that comparison, which is waited for, but not for ever', () => {
    const earlier = [ended('2026-01-01T00:00:04Z', 'Synced'), ended(finishedAt, 'OutOfSync')];
    for (const present of earlier) {
      expect(nextSyncStep(present, { ...wish, late: true })).toEqual({ next: 'wait', message: '' });
      expect(nextSyncStep(present, { ...wish, nowMs: Date.parse(finishedAt) + 10_000 })).toEqual(failed);
    }
  });
});

describe('the next step of a sync that should end', () => {
  const running = { phase: 'Running', operation: mine };
  const id = wish.id;

  it('is to terminate it where it runs, and to take it back where it has not begun', () => {
    expect(nextTerminateStep(application({ operation: mine, state: running }), { id, late: false })).toEqual({
      next: 'patch',
      patch: { status: { operationState: { phase: 'Terminating' } } },
    });
    const patch = { operation: null };
    expect(nextTerminateStep(application({ operation: mine }), { id, late: false })).toEqual({ next: 'patch', patch });
  });

  it('is nothing where another one runs', () => {
    const state = { phase: 'Running', operation: others };
    expect(nextTerminateStep(application({ operation: others, state }), { id, late: true })).toEqual({ next: 'done' });
  });

  it('is to wait for Argo CD, and to say so once it is late', () => {
    const present = application({ operation: mine, state: { ...running, phase: 'Terminating' } });
    const message = 'application operation never terminated: app';
    expect(nextTerminateStep(present, { id, late: false })).toEqual({ next: 'wait', message: '' });
    expect(nextTerminateStep(present, { id, late: true })).toEqual({ next: 'wait', message });
  });
});
