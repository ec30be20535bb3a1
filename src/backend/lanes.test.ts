// Which lanes the watches enqueue.
import { describe, expect, it } from 'vitest';
import type { GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';
import type { Namespace } from '../kube/object.ts';
import { createMetrics } from '../lib/metrics.ts';
import { createStore } from '../runtime/store.ts';
import { silentLog } from '../../test/kit/captured-log.ts';
import { aDeployment } from '../../test/kit/deployments.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { createAbsences } from './absences.ts';
import { followLanes, namespaceIndexer } from './lanes.ts';

const setUp = () => {
  const deployments = createStore<GitOpsDeployment>({
    log: silentLog,
    indexers: namespaceIndexer,
  });
  const namespaces = createStore<Namespace>({ log: silentLog });
  const clock = createVirtualClock();
  const absences = createAbsences(
    { clock, log: silentLog, metrics: createMetrics() },
    { secondLookMs: 10_000, maxUnseenDeletions: 10, kind: 'GitOpsDeployment' },
  );
  const enqueued: string[] = [];
  const forgotten: string[] = [];
  const echoes = new Set<string>();
  const status = {
    isEcho: ({ metadata }: GitOpsDeployment) => echoes.has(metadata.resourceVersion ?? ''),
    forget: (uid: string) => void forgotten.push(uid),
  };
  const end = followLanes({
    kind: 'deployment',
    store: deployments,
    namespaces,
    absences,
    status,
    enqueue: (key) => void enqueued.push(key),
  });
  return {
    clock,
    deployments,
    namespaces,
    absences,
    enqueued,
    forgotten,
    echoes,
    end,
  };
};

const namespace = (uid: string): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'team', uid },
});
const deployment = (uid: string, resourceVersion: string): GitOpsDeployment => {
  const { metadata, ...rest } = aDeployment({ namespace: 'team' });
  return { ...rest, metadata: { ...metadata, uid, resourceVersion } };
};

describe('the lanes that the watches enqueue', () => {
  it('are those of changed deployments, but not of our own status patches', () => {
    const { deployments, namespaces, enqueued, echoes } = setUp();
    namespaces.put(namespace('first'));
    deployments.put(deployment('one', '1'));
    echoes.add('2');
    deployments.put(deployment('one', '2'));
    expect(enqueued).toEqual(['first/deployment/app']);
    deployments.put(deployment('one', '3'));
    expect(enqueued).toEqual(['first/deployment/app', 'first/deployment/app']);
  });

  it('wait for a namespace that is not known yet, and are enqueued by its arrival', () => {
    const { deployments, namespaces, enqueued } = setUp();
    deployments.put(deployment('one', '1'));
    expect(enqueued).toEqual([]);
    namespaces.put(namespace('first'));
    expect(enqueued).toEqual(['first/deployment/app']);
  });

  it('are those of the new namespace once it is seen to have been made again, also after our own patch', () => {
    const { deployments, namespaces, enqueued, echoes } = setUp();
    namespaces.put(namespace('first'));
    echoes.add('1');
    deployments.put(deployment('one', '1'));
    namespaces.put(namespace('second'));
    expect(enqueued).toEqual(['first/deployment/app', 'second/deployment/app']);
  });

  it('are, for a deletion, those that the deployment was in, although its namespace is gone by then', () => {
    const { deployments, namespaces, absences, enqueued, forgotten } = setUp();
    namespaces.put(namespace('first'));
    deployments.put(deployment('one', '1'));
    namespaces.replace([]);
    deployments.replace([]);
    expect(enqueued).toEqual(['first/deployment/app', 'first/deployment/app']);
    expect(absences.isGone('one'), 'its deletion was seen').toBe(true);
    expect(forgotten).toEqual(['one']);
  });

  it('tell that a deployment that was missed once is there: it would have to be missed twice again', async () => {
    const { clock, deployments, namespaces, absences } = setUp();
    namespaces.put(namespace('first'));
    absences.isGone('one');
    deployments.put(deployment('one', '1'));
    await clock.advance(10_000);
    expect(absences.isGone('one')).toBe(false);
  });

  it('are no more after the end', () => {
    const { deployments, namespaces, enqueued, end } = setUp();
    namespaces.put(namespace('first'));
    end();
    deployments.put(deployment('one', '1'));
    expect(enqueued).toEqual([]);
  });
});
