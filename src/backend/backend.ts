// The backend's work during one term: its loops, wired.
import type { GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';
import { createListener, type ListenerOptions } from '../db/listen.ts';
import type { Database } from '../db/pool.ts';
import type { PlanSettings } from '../domain/deployment-plan.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Namespace } from '../kube/object.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Random } from '../lib/random.ts';
import { createController, type Controller, type Reconcile } from '../runtime/controller.ts';
import { createEventRecorder } from '../runtime/events.ts';
import { repeat } from '../runtime/repeat.ts';
import type { StoreReader } from '../runtime/store.ts';
import type { Work } from '../runtime/term.ts';
import { createAnnounce } from './deployments/announce.ts';
import { createAbsences, type AbsenceSettings } from './deployments/absences.ts';
import type { DeploymentContext } from './deployments/context.ts';
import { createGather } from './deployments/gather.ts';
import { laneKey } from './deployments/lane.ts';
import { followDeployments } from './deployments/lanes.ts';
import { createDeploymentReconciler } from './deployments/reconcile.ts';
import { createStatusReporter } from './deployments/status.ts';
import { collectKey, createCollector } from './operations/collect.ts';
import { createDeliver, deliverKey } from './operations/deliver.ts';
import { createWake, wakeKey } from './wake.ts';

/** What an operator sets. Times in milliseconds. */
export interface BackendSettings extends PlanSettings, AbsenceSettings {
  readonly engineNamespace: string;
  readonly concurrency: number;
  readonly tenantConcurrency: number;
  /** Adds `Ready`, `Reconciling` and `Stalled`. */
  readonly standardConditions: boolean;
  readonly redeliverMs: number;
  readonly resyncMs: number;
  /** How often everything is looked at while notifications are not heard. */
  readonly pollMs: number;
  readonly foreignAgeMs: number;
}

/** The surroundings of the backend. */
export interface BackendContext {
  readonly client: KubeClient;
  readonly db: Database;
  /** How notifications are heard; what is heard is decided here. */
  readonly listen: Omit<ListenerOptions, 'channels' | 'onNotify' | 'onConnect'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** With `deploymentIndexers`. */
  readonly deployments: StoreReader<GitOpsDeployment>;
  readonly namespaces: StoreReader<Namespace>;
  readonly settings: BackendSettings;
}

/**
 * Starts the loops: one lane per deployment, and one each to deliver, to collect and to wake. When `lost` aborts, what is
 * under way ends without grace.
 */
export const startBackend = (context: BackendContext, lost: AbortSignal): Work => {
  const { settings, namespaces, deployments } = context;
  const absences = createAbsences(context, settings);
  const { engineNamespace } = settings;
  const shared: DeploymentContext = { ...context, absences, engineNamespace, plan: settings, lost };
  const events = createEventRecorder({ ...context, component: 'managed-gitops' });
  const { standardConditions } = settings;
  const status = createStatusReporter({ ...shared, standardConditions, announce: createAnnounce(events) });
  const collector = createCollector({ ...context, foreignAgeMs: settings.foreignAgeMs, sweepMs: settings.resyncMs });
  const loop = (name: string, reconcile: Reconcile, concurrency = 1): Controller =>
    createController({ ...context, ...settings, name, reconcile, concurrency, lost });

  const collect = loop('operation-collector', collector.reconcile);
  const settled = (ids: readonly string[]): void => {
    if (ids.length === 0) return;
    collector.offer(ids);
    collect.enqueue(collectKey);
  };
  const onDelivered = (ids: readonly string[]): void => {
    collector.delivered(ids);
    collect.enqueue(collectKey);
  };
  const deliver = loop(
    'operation-deliverer',
    createDeliver({ ...context, redeliverMs: settings.redeliverMs, onDelivered }),
  );
  const steps = { gather: createGather(shared), status, settled };
  const lanes = loop('deployment', createDeploymentReconciler(shared, steps), settings.concurrency);
  const wake = createWake({
    ...context,
    lane: (key, priority) => lanes.enqueue(key, { priority }),
    deliver: () => deliver.enqueue(deliverKey),
  });
  const waker = loop('waker', wake.reconcile);
  const lookAtEverything = (): void => {
    wake.everything();
    waker.enqueue(wakeKey);
    collect.enqueue(collectKey);
    for (const { metadata } of deployments.list()) {
      const namespaceUid = namespaces.get(metadata.namespace ?? '')?.metadata.uid;
      if (namespaceUid) lanes.enqueue(laneKey({ namespaceUid, name: metadata.name }), { priority: 'resync' });
    }
  };
  const listener = createListener({
    ...context.listen,
    channels: ['operation', 'application_state'],
    onNotify(channel, ids) {
      if (channel === 'operation') wake.operations(ids);
      else wake.applications(ids);
      waker.enqueue(wakeKey);
    },
    onConnect: lookAtEverything,
  });
  const follow = followDeployments({ ...context, absences, status, enqueue: (key) => lanes.enqueue(key) });
  const resync = repeat(context, settings.resyncMs, lookAtEverything);
  const poll = repeat(context, settings.pollMs, () => listener.connected || lookAtEverything());

  const loops = [lanes, deliver, collect, waker];
  for (const one of loops) one.start();
  listener.start(); // its first connection looks at everything
  return {
    async stop() {
      follow();
      resync();
      poll();
      await listener.stop();
      await Promise.all(loops.map((one) => one.stop()));
      await events.stop();
    },
  };
};
