// The backend's work during one term: its loops, wired.
import type { GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';
import type { GitOpsDeploymentSyncRun } from '../api/v1alpha1/gitops-deployment-sync-run.ts';
import { createListener, type Listener, type ListenerOptions } from '../db/listen.ts';
import { readOperationEvent } from '../db/operation-event.ts';
import type { Database } from '../db/pool.ts';
import type { PlanSettings } from '../domain/deployment-plan.ts';
import { isEnded } from '../domain/operation.ts';
import type { CredentialSettings } from '../domain/credential-plan.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject, Namespace } from '../kube/object.ts';
import type { Clock } from '../lib/clock.ts';
import type { Keyring } from '../lib/envelope.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Random } from '../lib/random.ts';
import { createController, type Controller, type ControllerOptions, type Reconcile } from '../runtime/controller.ts';
import { createEventRecorder } from '../runtime/events.ts';
import type { Priority } from '../runtime/queue.ts';
import { repeat } from '../runtime/repeat.ts';
import type { StoreReader } from '../runtime/store.ts';
import type { Work } from '../runtime/term.ts';
import { createAbsences, type AbsenceSettings } from './absences.ts';
import { createAnnounce, type Announce } from './announce.ts';
import type { DeploymentContext } from './deployments/context.ts';
import { createGather } from './deployments/gather.ts';
import { createDeploymentReconciler } from './deployments/reconcile.ts';
import { createStatusReporter } from './deployments/status.ts';
import { createCurrentRows, type CurrentRows } from './current-rows.ts';
import { createLaneIndex, type LaneIndex } from './lane-index.ts';
import { laneKey, laneOf, type LaneKind } from './lane.ts';
import { followLanes } from './lanes.ts';
import { collectKey, createCollector } from './operations/collect.ts';
import { createDeliver, deliverKey } from './operations/deliver.ts';
import type { SyncRunContext } from './sync-runs/context.ts';
import { createGatherSyncRun } from './sync-runs/gather.ts';
import { createSyncRunReconciler } from './sync-runs/reconcile.ts';
import { createSyncStatusReporter } from './sync-runs/status.ts';
import { createSyncRunWaits, followTurns } from './sync-runs/waits.ts';
import { createCredentialLanes, createEnvironmentLanes, type Outside, type OutsideStores } from './outside-lanes.ts';
import { createWake, wakeKey, type Wake, type WakeOptions } from './wake.ts';

/** What an operator sets. Times in milliseconds. */
export interface BackendSettings extends PlanSettings, AbsenceSettings, CredentialSettings {
  readonly engineNamespace: string;
  readonly concurrency: number;
  /** Adds `Ready`, `Reconciling` and `Stalled`. */
  readonly standardConditions: boolean;
  readonly redeliverMs: number;
  readonly resyncMs: number;
  /** How often everything is looked at while notifications are not heard. */
  readonly pollMs: number;
  readonly foreignAgeMs: number;
}

/** The surroundings of the backend. */
export interface BackendContext extends OutsideStores {
  readonly client: KubeClient;
  readonly db: Database;
  /** How notifications are heard; what is heard is decided here. */
  readonly listen: Omit<ListenerOptions, 'channels' | 'onNotify' | 'onConnect'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly keyring: Keyring;
  readonly outside: Outside;
  /** With `deploymentIndexers`. */
  readonly deployments: StoreReader<GitOpsDeployment>;
  /** With `syncRunIndexers`. */
  readonly syncRuns: StoreReader<GitOpsDeploymentSyncRun>;
  readonly namespaces: StoreReader<Namespace>;
  readonly settings: BackendSettings;
}

/**
 * Passes at once for one tenant in a loop. Its transactions take turns at the tenant's row: a second pass would not be
 * faster, and would take a connection and processor time that other tenants wait for.
 */
const TENANT_CONCURRENCY = 1;
const oneAtATime = { concurrency: 1, tenantConcurrency: TENANT_CONCURRENCY };

/** Makes a loop of this term; one pass at once unless told otherwise. */
type Loop = (
  name: string,
  reconcile: Reconcile,
  options?: Pick<ControllerOptions, 'graceMs'> & { readonly concurrency?: number },
) => Controller;

/**
 * Starts the loops: one lane for each object of a team, and one each to deliver, to collect and to wake. When `lost`
 * aborts, what is under way ends without grace.
 */
export const startBackend = (context: BackendContext, lost: AbortSignal): Work => {
  const { settings } = context;
  const events = createEventRecorder({ ...context, component: 'managed-gitops' });
  const loop: Loop = (name, reconcile, options) =>
    createController({ ...context, ...oneAtATime, name, reconcile, lost, ...options });
  const laneIndex = createLaneIndex();
  const currentRows = createCurrentRows((lane) => lanes.deploymentChanged(lane));
  const term: Term = { ...context, lost, loop, laneIndex, currentRows, announce: createAnnounce(events) };
  const operations = createOperationLoops(term);
  const lanes = createLanes(term, operations.settled);
  const wake = createWake({
    ...context,
    lane: lanes.look,
    laneOfApplication: (id) => laneIndex.of(id),
    deliver: operations.deliver,
    cleanUp: lanes.cleanUp,
    lookUp: () => waker.enqueue(wakeKey),
  });
  const waker = loop('waker', wake.reconcile);
  const lookAtEverything = (): void => {
    wake.everything();
    operations.search();
    lanes.lookAtObjects();
    lanes.cleanUp(); // the end of the Operation that it waits for may have been missed
  };
  const listener = createHearing(context, { wake, operations, lookAtEverything });
  const ends = [
    ...lanes.follow(),
    repeat(context, settings.resyncMs, lookAtEverything),
    repeat(context, settings.pollMs, () => listener.connected || lookAtEverything()),
  ];

  const loops = [...lanes.loops, ...operations.loops, waker];
  for (const one of loops) one.start();
  listener.start(); // its first connection looks at everything
  return {
    async stop() {
      for (const end of ends) end();
      await listener.stop();
      await Promise.all(loops.map((one) => one.stop()));
      await events.stop();
    },
  };
};

/** The lanes of every kind, and how they are looked at. */
const createLanes = (term: Term, settled: Settled) => {
  const { namespaces, deployments, syncRuns, environments, credentials } = term;
  const deploymentLanes = createDeploymentLanes(term, settled);
  const syncRunLanes = createSyncRunLanes(term, settled);
  const environmentLanes = createEnvironmentLanes({ ...term, settled }, (environment) =>
    lookAt('deployment', deployments.byIndex('environment', environment), 'change'),
  );
  const credentialLanes = createCredentialLanes({ ...term, settled });
  const controllers = {
    deployment: deploymentLanes.controller,
    sync: syncRunLanes.controller,
    environment: environmentLanes.controller,
    credential: credentialLanes.controller,
  };
  const look = (kind: LaneKind, key: string, options: WakeOptions): void => controllers[kind].enqueue(key, options);
  const lookAt = (kind: LaneKind, objects: readonly KubeObject[], priority: Priority): void => {
    for (const { metadata } of objects) {
      const namespaceUid = namespaces.get(metadata.namespace ?? '')?.metadata.uid;
      if (namespaceUid) look(kind, laneKey(kind, { namespaceUid, name: metadata.name }), { priority });
    }
  };
  return {
    look,
    cleanUp: environmentLanes.cleanUp,
    deploymentChanged: syncRunLanes.deploymentChanged,
    lookAtObjects() {
      lookAt('deployment', deployments.list(), 'resync');
      lookAt('sync', syncRuns.list(), 'resync');
      lookAt('environment', environments.list(), 'resync');
      lookAt('credential', credentials.list(), 'resync');
    },
    /** Turns what the watches see into keys. Returns the functions that end this. */
    follow: () => [
      deploymentLanes.follow((key) => look('deployment', key, { priority: 'change' })),
      syncRunLanes.follow(),
      environmentLanes.follow(),
      credentialLanes.follow(),
    ],
    loops: [controllers.deployment, controllers.sync, ...environmentLanes.loops, ...credentialLanes.loops],
  };
};

/** What is told of what the database notifies. */
interface Hearers {
  readonly wake: Wake;
  readonly operations: ReturnType<typeof createOperationLoops>;
  readonly lookAtEverything: () => void;
}

const createHearing = ({ listen }: BackendContext, { wake, operations, lookAtEverything }: Hearers): Listener =>
  createListener({
    ...listen,
    channels: ['operation_event', 'application_state'],
    onNotify(channel, payloads) {
      if (channel === 'application_state') wake.applications(payloads);
      else {
        const happened = payloads.flatMap((payload) => readOperationEvent(payload) ?? []);
        operations.ended(happened.filter(({ state }) => isEnded(state)).map(({ id }) => id));
        wake.operations(happened);
      }
    },
    onConnect: lookAtEverything,
  });

/** What the loops of a term share. */
interface Term extends BackendContext {
  readonly lost: AbortSignal;
  readonly loop: Loop;
  readonly laneIndex: LaneIndex;
  readonly currentRows: CurrentRows;
  readonly announce: Announce;
}

type Settled = (operationIds: readonly string[]) => void;

/** Operation objects are for others; nobody here waits for them, so many are made and removed together. Milliseconds. */
const DELIVER_EVERY_MS = 250;
const COLLECT_EVERY_MS = 300;

/** The loops that make and remove the objects of Operations. */
const createOperationLoops = (term: Term) => {
  const { settings } = term;
  const collector = createCollector({ ...term, foreignAgeMs: settings.foreignAgeMs });
  const collecting = createPacedLoop(term, {
    name: 'operation-collector',
    key: collectKey,
    reconcile: collector.reconcile,
    everyMs: COLLECT_EVERY_MS,
  });
  const settled: Settled = (ids) => {
    if (ids.length === 0) return;
    collector.offer(ids);
    collecting.ask();
  };
  const delivering = createPacedLoop(term, {
    name: 'operation-deliverer',
    key: deliverKey,
    reconcile: createDeliver({
      ...term,
      redeliverMs: settings.redeliverMs,
      onDelivered: (ids, together) => collector.delivered(ids, together) && collecting.ask(),
    }),
    everyMs: DELIVER_EVERY_MS,
  });
  return {
    settled,
    search() {
      collector.search();
      collecting.ask();
    },
    ended(ids: readonly string[]) {
      if (collector.ended(ids)) collecting.ask();
    },
    deliver: delivering.ask,
    loops: [delivering.controller, collecting.controller],
  };
};

/** A loop of one key, whose passes begin `everyMs` apart at the least. A lone wish is fulfilled at once. */
const createPacedLoop = (
  { loop, clock }: Term,
  one: { readonly name: string; readonly key: string; readonly reconcile: Reconcile; readonly everyMs: number },
) => {
  let nextMs = -Infinity;
  const controller = loop(one.name, (key, pass) => {
    nextMs = clock.monotonicMs() + one.everyMs;
    return one.reconcile(key, pass);
  });
  return {
    controller,
    ask: () => controller.enqueue(one.key, { afterMs: Math.max(0, nextMs - clock.monotonicMs()) }),
  };
};

const createDeploymentLanes = (term: Term, settled: Settled) => {
  const { settings, namespaces, deployments } = term;
  const { engineNamespace, standardConditions } = settings;
  const absences = createAbsences(term, { ...settings, kind: 'GitOpsDeployment' });
  const shared: DeploymentContext = { ...term, absences, engineNamespace, plan: settings };
  const status = createStatusReporter({ ...shared, announce: term.announce, standardConditions });
  const steps = { gather: createGather(shared), status, settled };
  const reconcile = createDeploymentReconciler(shared, steps);
  return {
    controller: term.loop('deployment', reconcile, { concurrency: settings.concurrency }),
    follow: (enqueue: (key: string) => void) =>
      followLanes({ kind: 'deployment', store: deployments, namespaces, absences, status, enqueue }),
  };
};

const createSyncRunLanes = (term: Term, settled: Settled) => {
  const { settings, namespaces, syncRuns } = term;
  const { standardConditions } = settings;
  const absences = createAbsences(term, { ...settings, kind: 'GitOpsDeploymentSyncRun' });
  const shared: SyncRunContext = { ...term, absences, ordered: new Set() };
  const status = createSyncStatusReporter({ ...shared, announce: term.announce, standardConditions });
  const enqueue = (key: string): void => controller.enqueue(key);
  const waits = createSyncRunWaits(shared, enqueue);
  const steps = { gather: createGatherSyncRun(shared), status, waits, settled };
  const controller = term.loop('sync-run', createSyncRunReconciler(shared, steps), {
    concurrency: settings.concurrency,
  });
  return {
    controller,
    /** Looks again at the sync runs that wait for the deployment of this lane. */
    deploymentChanged(key: string) {
      const { namespaceUid, name } = laneOf(key);
      waits.wake(`${namespaces.byUid(namespaceUid)?.metadata.name ?? ''}/${name}`);
    },
    follow() {
      const ends = [
        followLanes({ kind: 'sync', store: syncRuns, namespaces, absences, status, enqueue }),
        followTurns(shared, waits),
      ];
      return () => ends.forEach((end) => end());
    },
  };
};
