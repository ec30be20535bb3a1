import { expect, test } from 'vitest';
import type { KubeObject } from '../../kube/object.ts';
import { hasHealthRule, healthOf, worse } from './health.ts';
import { nextWorkloadStep } from './workload-status.ts';

const withStatus = (object: KubeObject, status: unknown): KubeObject => Object.assign({ ...object }, { status });
const deployment = (more: Record<string, unknown> = {}): KubeObject =>
  Object.assign(
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', generation: 2 } },
    { spec: { replicas: 3 } },
    more,
  );
const statusOf = (object: KubeObject): string | undefined => healthOf(object)?.status;

test('a Deployment is healthy when all its replicas are updated and available', () => {
  const status = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };
  expect(statusOf(deployment())).toBe('Progressing');
  expect(statusOf(deployment({ status: { ...status, observedGeneration: 1 } }))).toBe('Progressing');
  expect(statusOf(deployment({ status: { ...status, availableReplicas: 2 } }))).toBe('Progressing');
  expect(statusOf(deployment({ status }))).toBe('Healthy');
  expect(statusOf(deployment({ status, spec: { paused: true } }))).toBe('Suspended');
  const late = [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }];
  expect(statusOf(deployment({ status: { ...status, conditions: late } }))).toBe('Degraded');
});

test.each([
  ['v1', 'Pod', { phase: 'Failed' }, 'Degraded'],
  ['v1', 'Pod', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }, 'Healthy'],
  ['v1', 'PersistentVolumeClaim', { phase: 'Pending' }, 'Progressing'],
  ['batch/v1', 'Job', { conditions: [{ type: 'Failed', status: 'True', message: 'x' }] }, 'Degraded'],
  ['networking.k8s.io/v1', 'Ingress', { loadBalancer: {} }, 'Progressing'],
  ['v1', 'Service', {}, 'Healthy'],
  ['v1', 'ConfigMap', {}, undefined],
])('%s %s with status %j is %s', (...row) => {
  const [apiVersion, kind, status, expected] = row;
  expect(statusOf(withStatus({ apiVersion, kind, metadata: { name: 'x' } }, status))).toBe(expected);
});

test('an annotation forces a health, for trying things out', () => {
  const annotations = { 'sandbox.managed-gitops/health': 'Degraded' };
  expect(statusOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', annotations } })).toBe('Degraded');
});

test('the worse health wins, and a kind without a rule has none', () => {
  expect(worse('Progressing', 'Healthy')).toBe('Progressing');
  expect(worse('Progressing', 'Degraded')).toBe('Degraded');
  expect(hasHealthRule({ group: '', kind: 'ConfigMap' })).toBe(false);
});

test.each(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Pod', 'Job', 'PersistentVolumeClaim', 'Ingress'])(
  'a played %s is progressing first, healthy a moment later, and then left alone',
  (kind) => {
    const apiVersion = { Pod: 'v1', PersistentVolumeClaim: 'v1', Job: 'batch/v1', Ingress: 'networking.k8s.io/v1' }[
      kind
    ];
    const fresh: KubeObject = { ...deployment(), apiVersion: apiVersion ?? 'apps/v1', kind };
    const now = { ms: Date.UTC(2026, 0, 1), readyAfterMs: 1000 };
    const first = nextWorkloadStep(fresh, now);
    const rolling = withStatus(fresh, first.status);
    expect([statusOf(rolling), first.afterMs]).toEqual(['Progressing', 1000]);
    expect(nextWorkloadStep(rolling, { ...now, ms: now.ms + 400 })).toEqual({ afterMs: 600 });
    const ready = withStatus(fresh, nextWorkloadStep(rolling, { ...now, ms: now.ms + 1000 }).status);
    expect(statusOf(ready)).toBe('Healthy');
    expect(nextWorkloadStep(ready, { ...now, ms: now.ms + 5000 })).toEqual({});
    const changed = { ...ready, metadata: { ...ready.metadata, generation: 3 } };
    expect(nextWorkloadStep(changed, now).afterMs).toBe(1000);
  },
);

test.each([
  ['completes-after', 'Job', 'Healthy'],
  ['fails-after', 'Job', 'Degraded'],
  ['completes-after', 'Pod', 'Healthy'],
  ['fails-after', 'Pod', 'Degraded'],
  ['fails-after', 'Deployment', 'Degraded'],
])('an annotation %s on a %s says when it ends, %s, whatever the setting is', (annotation, kind, expected) => {
  const apiVersion = { Pod: 'v1', Job: 'batch/v1' }[kind] ?? 'apps/v1';
  const metadata = { name: 'x', generation: 1, annotations: { [`sandbox.managed-gitops/${annotation}`]: '5s' } };
  const fresh: KubeObject = Object.assign(
    { apiVersion, kind, metadata },
    { spec: { restartPolicy: 'Never', replicas: 1 } },
  );
  const now = { ms: Date.UTC(2026, 0, 1), readyAfterMs: 0 };
  const first = nextWorkloadStep(fresh, now);
  const begun = withStatus(fresh, first.status);
  expect([statusOf(begun), first.afterMs]).toEqual(['Progressing', 5000]);
  const last = nextWorkloadStep(begun, { ...now, ms: now.ms + 5000 });
  const ended = withStatus(begun, last.status);
  expect([statusOf(ended), nextWorkloadStep(ended, { ...now, ms: now.ms + 9000 })]).toEqual([expected, {}]);
});
