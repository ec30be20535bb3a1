// Argo CD as far as a crash test needs it: compares at once, syncs when ordered, cleans up what is deleted.
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { refreshAnnotation } from '../../src/api/labels.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { isConflict, isNotFound } from '../../src/kube/status-error.ts';
import { isEqualJson } from '../../src/kube/patch.ts';
import { rfc3339 } from '../../src/lib/clock.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { createWatcher } from '../../src/runtime/watcher.ts';
import type { Surroundings } from './crash-lane.ts';

/** A revision whose sync goes on until somebody ends it. */
export const endlessRevision = 'endless';

/** Argo CD, until it is stopped. */
export interface ArgoCd {
  /** The notes (`info`) of each sync that it has begun. */
  readonly begun: readonly string[];
  stop(): Promise<void>;
}

/** Plays Argo CD in a namespace. */
export const playArgoCd = (
  surroundings: Surroundings,
  options: { readonly client: KubeClient; readonly namespace: string },
): ArgoCd => {
  const { client, namespace } = options;
  const watcher = createWatcher({
    ...surroundings,
    ...options,
    resource: applications,
    metrics: createMetrics(),
  });
  const answers = new Set<Promise<void>>();
  const begun: string[] = [];
  const answer = async (application: Application): Promise<void> => {
    const reply = replyTo(application, surroundings.clock.now());
    if (!reply) return;
    const { name, resourceVersion } = application.metadata;
    const { begins, metadata, ...rest } = reply;
    const conditional = { ...rest, metadata: { ...metadata, resourceVersion } };
    try {
      await client.patch(applications, { namespace, name }, { type: 'merge', body: conditional });
      if (begins) begun.push(...(application.operation?.info ?? []).map(({ value }) => value ?? ''));
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error; // changed or gone: the watch tells, and it is answered anew
    }
  };
  watcher.store.subscribe(({ type, object }) => {
    if (type === 'deleted') return;
    const answering = answer(object).finally(() => answers.delete(answering));
    answers.add(answering);
  });
  watcher.start();
  return {
    begun,
    async stop() {
      await watcher.stop();
      await Promise.all(answers);
    },
  };
};

interface Reply {
  readonly metadata?: Record<string, unknown>;
  readonly status?: unknown;
  readonly operation?: null;
  readonly begins?: true;
}

/** The merge patch that Argo CD answers an Application's present state with, if any. */
const replyTo = (application: Application, nowMs: number): Reply | undefined => {
  const { metadata, operation } = application;
  if (operation) return syncing(application, nowMs);
  if (metadata.deletionTimestamp) return { metadata: { finalizers: null } };
  return comparing(application);
};

const comparing = ({ metadata, spec, status }: Application): Reply | undefined => {
  const asked = metadata.annotations?.[refreshAnnotation] !== undefined;
  const comparedTo = {
    ...(spec.source && { source: spec.source }),
    destination: spec.destination,
  };
  if (!asked && isEqualJson(status?.sync?.comparedTo, comparedTo)) return undefined;
  const automated = spec.syncPolicy?.automated !== undefined;
  const revision = revisionOf(spec.source?.targetRevision ?? '');
  return {
    ...(asked && { metadata: { annotations: { [refreshAnnotation]: null } } }),
    status: {
      health: { status: 'Healthy' },
      sync: {
        status: automated ? 'Synced' : 'OutOfSync',
        revision,
        comparedTo,
      },
    },
  };
};

const syncing = ({ operation, status, spec }: Application, nowMs: number): Reply | undefined => {
  const revision = operation?.sync?.revision ?? spec.source?.targetRevision ?? '';
  const startedAt = status?.operationState?.startedAt ?? rfc3339(nowMs);
  const state = {
    operation,
    startedAt,
    syncResult: { revision: revisionOf(revision), source: spec.source },
  };
  const isTold = isEqualJson(status?.operationState?.operation, operation);
  const phase = isTold ? status?.operationState?.phase : undefined;
  if (phase === undefined)
    return {
      begins: true,
      status: {
        operationState: { ...state, phase: 'Running', finishedAt: null },
      },
    };
  if (phase === 'Running' && revision === endlessRevision) return undefined;
  const ended = {
    ...state,
    finishedAt: rfc3339(nowMs),
    phase: phase === 'Running' ? 'Succeeded' : 'Failed',
  };
  return {
    operation: null,
    status: {
      operationState: ended,
      ...(phase === 'Running' && { sync: synced(spec, revision) }),
    },
  };
};

const synced = (spec: Application['spec'], revision: string) => ({
  status: 'Synced',
  revision: revisionOf(revision),
  comparedTo: {
    ...(spec.source && { source: spec.source }),
    destination: spec.destination,
  },
});

/** A commit for each name, so that it looks like one. */
const revisionOf = (name: string): string =>
  Buffer.from(name || 'HEAD')
    .toString('hex')
    .padEnd(40, '0')
    .slice(0, 40);
