// What users read: the state of Argo CD in their own object, and conditions that say what to do.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Application, ApplicationStatus } from '../../src/api/argocd/application.ts';
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import {
  aDeployment,
  conditionOf,
  deploymentsOf,
  healthyStatus,
  someRepository,
  type Deployments,
} from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let backend: RunningHalf;
let agent: RunningHalf;
let deployment: GitOpsDeployment;
let application: Application;
let ref: { namespace: string; name: string };
let count = 0;

const report = (status: Partial<ApplicationStatus>) => deployments.patchApplication(deployment, { status });
const shows = (what: string, look: (shown: GitOpsDeployment) => unknown): Promise<GitOpsDeployment> =>
  eventually(what, async () => {
    const shown = await deployments.get(ref);
    if (shown && look(shown)) return shown;
    throw new Error(JSON.stringify(shown?.status));
  });
/** Puts bytes into the row as another agent would, in hexadecimal as the statement takes them. */
const store = (bytes: Buffer) =>
  world.database.sql(
    `update applicationstate set argocd_application_status = '\\x${bytes.toString('hex')}'
    where applicationstate_application_id = '${application.metadata.labels?.['databaseID']}'`,
  );

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  backend = await world.start('backend');
  agent = await world.start('agent');
});
beforeEach(async () => {
  ref = { namespace: `team-${(count += 1)}`, name: 'app' };
  await world.createNamespace(ref.namespace);
  deployment = await world.apply(aDeployment({ ...ref, targetRevision: 'main' }));
  application = await deployments.deployed(deployment);
  await report(healthyStatus(application));
  await deployments.withReason(ref, 'Ready', 'Ready');
});
afterAll(() => world.stop());

describe('the state of Argo CD', () => {
  it('is mirrored: health, sync, resources, the running operation, and what has taken effect', async () => {
    const resource = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: ref.namespace, name: 'web' };
    await report({
      health: { status: 'Degraded', message: 'one is down' },
      resources: [
        { ...resource, status: 'Synced', health: { status: 'Degraded', message: 'crash loop' } },
        { version: 'v1', kind: 'ConfigMap', namespace: ref.namespace, name: 'settings', status: 'Synced' },
      ],
      operationState: {
        phase: 'Succeeded',
        message: 'successfully synced',
        startedAt: '2026-01-02T03:04:05Z',
        finishedAt: '2026-01-02T03:04:06Z',
        operation: { sync: { revision: 'b'.repeat(40), prune: true }, initiatedBy: { automated: true } },
        syncResult: { revision: 'b'.repeat(40), source: { repoURL: someRepository, path: 'app' } },
      },
    });
    const { status } = await shows('Degraded', (shown) => shown.status?.health?.status === 'Degraded');
    expect(status).toMatchObject({
      health: { status: 'Degraded', message: 'one is down' },
      sync: { status: 'Synced', revision: 'a'.repeat(40) },
      resources: [
        { ...resource, status: 'Synced', health: { status: 'Degraded', message: 'crash loop' } },
        { version: 'v1', kind: 'ConfigMap', namespace: ref.namespace, name: 'settings', status: 'Synced' },
      ],
      operationState: {
        phase: 'Succeeded',
        startedAt: '2026-01-02T03:04:05Z',
        finishedAt: '2026-01-02T03:04:06Z',
        operation: { sync: { revision: 'b'.repeat(40), prune: true }, initiatedBy: { automated: true } },
        syncResult: { revision: 'b'.repeat(40), source: { repoURL: someRepository, path: 'app' } },
      },
      reconciledState: {
        source: { repoURL: someRepository, path: 'app', branch: 'main' },
        destination: { name: '', namespace: ref.namespace },
      },
    });
    const ready = conditionOf({ ...deployment, ...(status && { status }) }, 'Ready');
    expect(ready).toMatchObject({ status: 'False', reason: 'Degraded' });
    expect(ready?.message).toBe('synced, but degraded: Deployment web (crash loop)');
    const body = { status: { operationState: null } };
    await deployments.patchApplication(deployment, body);
    await shows('no operation any more', (shown) => shown.status?.operationState === undefined);
  });

  it('shows its conditions while they last, and as resolved afterwards', async () => {
    const condition = { type: 'ComparisonError', message: 'no such revision' };
    await report({ conditions: [{ ...condition, lastTransitionTime: '2026-01-02T03:04:05Z' }] });
    const wrong = await deployments.withReason(ref, 'ComparisonError', 'ComparisonError');
    expect(conditionOf(wrong, 'ComparisonError')).toMatchObject({ status: 'True', message: 'no such revision' });
    expect(conditionOf(wrong, 'Stalled')).toMatchObject({ status: 'True', reason: 'ComparisonError' });
    expect(conditionOf(wrong, 'Ready')?.status).toBe('False');
    await report({ conditions: [] });
    const mended = await deployments.withReason(ref, 'ComparisonError', 'ComparisonErrorResolved');
    expect(conditionOf(mended, 'ComparisonError')?.status).toBe('False');
    expect(conditionOf(mended, 'ComparisonError')?.message).toBeUndefined();
    expect(conditionOf(mended, 'Ready')?.status).toBe('True');
  });

  it('does not resolve a fault of the spec, and a mended spec does not resolve a condition of Argo CD', async () => {
    await world.apply(aDeployment({ ...ref, path: '/' }));
    await deployments.withReason(ref, 'ErrorOccurred', 'ErrorOccurred');
    await report({ conditions: [{ type: 'SyncError', message: 'no' }] });
    const both = await deployments.withReason(ref, 'SyncError', 'SyncError');
    expect(conditionOf(both, 'ErrorOccurred')?.status).toBe('True');
    await world.apply(aDeployment({ ...ref, path: 'app', targetRevision: 'main' }));
    const one = await deployments.withReason(ref, 'ErrorOccurred', 'ErrorOccurredResolved');
    expect(conditionOf(one, 'SyncError')?.status).toBe('True');
  });

  it('is read from what the original agent stored: maps for times, empty lists, nulls', async () => {
    await agent.process.stop();
    await store(gzipSync(originalBlob));
    const { status } = await shows('the stored state', (shown) => shown.status?.sync?.revision === '012');
    expect(status).toMatchObject({
      health: { status: 'Healthy' },
      resources: [],
      operationState: { phase: 'Succeeded', startedAt: '2026-01-02T03:04:05Z', finishedAt: '2026-01-02T03:04:06Z' },
      reconciledState: { source: { path: 'yes', repoURL: someRepository, branch: '' } },
    });
    agent = await world.start('agent');
    await shows('the present state', (shown) => shown.status?.sync?.revision === 'a'.repeat(40));
  });

  it('that is damaged in the row counts as none, and the lane goes on', async () => {
    await agent.process.stop();
    await store(Buffer.from('no gzip'));
    await shows('nothing is known', (shown) => shown.status?.sync?.status === '');
    await world.apply(aDeployment({ ...ref, path: '/' }));
    await deployments.withReason(ref, 'ErrorOccurred', 'ErrorOccurred');
    agent = await world.start('agent');
    await shows('the next report mends it', (shown) => shown.status?.sync?.status === 'Synced');
  });
});

describe('the standard conditions', () => {
  it('name the generation they were made from, and only one of the three is True', async () => {
    await world.apply(aDeployment({ ...ref, path: 'other' }));
    const shown = await shows('the new generation', (one) => conditionOf(one, 'Ready')?.observedGeneration === 2);
    const three = ['Ready', 'Reconciling', 'Stalled'].map((type) => conditionOf(shown, type));
    expect(three.map((condition) => condition?.observedGeneration)).toEqual([2, 2, 2]);
    expect(three.filter((condition) => condition?.status === 'True')).toHaveLength(1);
  });

  it('wait for Argo CD to compare with the new settings before they say Ready again', async () => {
    const changed = await world.apply(aDeployment({ ...ref, path: 'other' }));
    await eventually('the change has arrived', async () => {
      application = await deployments.deployed(changed);
      return application.spec.source?.path === 'other';
    });
    const waits = await deployments.withReason(ref, 'Reconciling', 'WaitingForArgoCD');
    expect(conditionOf(waits, 'Ready')?.status).toBe('False');
    await report(healthyStatus(application));
    await deployments.withReason(ref, 'Ready', 'Ready');
  });

  it('are taken away when they are switched off, and nothing else is', async () => {
    await report({ conditions: [{ type: 'OrphanedResourceWarning', message: 'one too many' }] });
    await deployments.withReason(ref, 'OrphanedResourceWarning', 'OrphanedResourceWarning');
    await backend.process.stop();
    backend = await world.start('backend', { flags: { 'standard-conditions': 'false' } });
    const shown = await shows('they are gone', (one) => !conditionOf(one, 'Ready'));
    expect(shown.status?.conditions?.map(({ type }) => type)).toEqual(['OrphanedResourceWarning']);
    await backend.process.stop();
    backend = await world.start('backend');
    await deployments.withReason(ref, 'Ready', 'Ready');
  });
});

// As a writer of Go structs without tags makes it: lower-cased names, plain scalars, nothing left out.
const originalBlob = `resources: []
sync:
  status: Synced
  comparedto:
    source:
      repourl: ${someRepository}
      path: yes
      targetrevision: ""
      helm: null
    destination:
      server: ""
      namespace: team
      name: in-cluster
      isserverinferred: false
  revision: 012
  revisions: []
health:
  status: Healthy
  message: ""
history: []
conditions: []
reconciledat:
  time: 2026-01-02T03:04:05Z
operationstate:
  operation:
    sync: null
    initiatedby:
      username: ""
      automated: false
    info: []
    retry:
      limit: 0
      backoff: null
  phase: Succeeded
  message: ""
  syncresult: null
  startedat:
    time: 2026-01-02T03:04:05Z
  finishedat:
    time: 2026-01-02T03:04:06Z
  retrycount: 0
observedat: null
sourcetype: Directory
summary:
  externalurls: []
  images: []
`;
