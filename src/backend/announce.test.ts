import { describe, expect, it } from 'vitest';
import type { GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';
import type { Happening } from '../runtime/events.ts';
import { createAnnounce } from './announce.ts';

const reconciledState = { destination: { name: '', namespace: '' }, source: { branch: '', path: '', repoURL: '' } };

/** A deployment whose Ready has this reason; `holds` is the standard condition that is True. */
const deployment = (
  reason: string,
  message: string,
  holds?: 'Ready' | 'Reconciling' | 'Stalled',
): GitOpsDeployment => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeployment',
  metadata: { name: 'app', namespace: 'team' },
  spec: { source: { repoURL: 'https://example.com/repo', path: 'app' }, type: 'automated' },
  status: {
    reconciledState,
    conditions: ['Ready', 'Reconciling', 'Stalled'].map((type) => ({
      type,
      status: type === holds ? 'True' : 'False',
      reason,
      ...((type === 'Ready' || type === holds) && { message }),
    })),
  },
});

/** What is recorded when a deployment goes from each state to the next: type and reason. */
const recorded = (...states: readonly GitOpsDeployment[]): string[] => {
  const told: Happening[] = [];
  const announce = createAnnounce({ record: (happening) => told.push(happening) });
  states.reduce((before, now) => {
    announce(before, now);
    return now;
  });
  return told.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
};

const { status: _, ...fresh } = deployment('', '');
const ready = deployment('Ready', 'synced to 1 and healthy', 'Ready');

describe('what is told of a deployment in Events', () => {
  it('tells that it became ready, and nothing of the way there', () => {
    const pending = deployment('OperationPending', 'waiting for the agent', 'Reconciling');
    const progressing = deployment('Progressing', 'sync Synced, health Progressing', 'Reconciling');
    expect(recorded(fresh, pending, progressing, ready)).toEqual(['Normal Ready: synced to 1 and healthy']);
  });

  it('tells a new revision, and an unchanged one only once', () => {
    const next = deployment('Ready', 'synced to 2 and healthy', 'Ready');
    expect(recorded(ready, ready, next, next)).toEqual(['Normal Ready: synced to 2 and healthy']);
  });

  it("warns of what only the team can mend, with Argo CD's own reasons too", () => {
    const stalled = deployment('PathIsRoot', "spec.source.path cannot be '/'", 'Stalled');
    const foreign = deployment('SomethingNewError', 'who knows', 'Stalled');
    expect(recorded(fresh, stalled, stalled, foreign)).toEqual([
      "Warning PathIsRoot: spec.source.path cannot be '/'",
      'Warning SomethingNewError: who knows',
    ]);
  });

  it('warns once of a sync that is retried, however often it says how many times', () => {
    const first = deployment('SyncRetrying', 'tried again (1 time so far)', 'Reconciling');
    const second = deployment('SyncRetrying', 'tried again (2 times so far)', 'Reconciling');
    expect(recorded(ready, first, second)).toEqual(['Warning SyncRetrying: tried again (1 time so far)']);
  });

  it('says without a warning what is meant to wait for the team', () => {
    expect(recorded(fresh, deployment('WaitingForSyncRun', 'create a SyncRun'))).toEqual([
      'Normal WaitingForSyncRun: create a SyncRun',
    ]);
    expect(recorded(ready, deployment('Degraded', 'synced, but degraded'))).toEqual([
      'Warning Degraded: synced, but degraded',
    ]);
  });

  it('has nothing to say where the standard conditions are off', () => {
    expect(recorded(fresh, { ...fresh, status: { reconciledState, conditions: [] } })).toEqual([]);
  });
});
