// The agent's work during one term: its loops, wired.
import type { Application } from '../api/argocd/application.ts';
import { databaseIdLabel } from '../api/labels.ts';
import type { Operation } from '../api/v1alpha1/operation.ts';
import { createListener, type ListenerOptions } from '../db/listen.ts';
import { readOperationEvent } from '../db/operation-event.ts';
import { objectKey } from '../kube/object.ts';
import { createController, type Controller, type Reconcile } from '../runtime/controller.ts';
import { repeat } from '../runtime/repeat.ts';
import type { StoreChange, StoreReader } from '../runtime/store.ts';
import type { Work } from '../runtime/term.ts';
import { createRefreshReconciler, refreshKey } from './applications/refresh.ts';
import { createReporter, reportKey } from './applications/report.ts';
import { createSharedWork, type AgentContext, type SharedWork } from './context.ts';
import { createLook, createSearch, followDrift, lookForDrift } from './drift/application.ts';
import { createDriftReconciler, driftKey, type Remedies } from './drift/reconcile.ts';
import { createSweep, followSecretDrift, lookForSecretDrift } from './drift/secret.ts';
import { createApplicationWork } from './operations/application.ts';
import { createClaims } from './operations/claim.ts';
import { createCredentialWork } from './operations/credential.ts';
import { createDispatch, dispatchKey } from './operations/dispatch.ts';
import { createEngineInstanceHandler } from './operations/engine-instance.ts';
import { createEnvironmentWork } from './operations/environment.ts';
import { createSyncHandler } from './operations/sync.ts';
import { createOperationReconciler } from './operations/reconcile.ts';
import { createProjectWork } from './operations/tenant-project.ts';
import { createResults } from './results.ts';

/** The surroundings and rhythm of an agent. Times in milliseconds. */
export interface AgentWorkContext extends AgentContext {
  /** How notifications are heard; what is heard is decided here. */
  readonly listen: Omit<ListenerOptions, 'channels' | 'onNotify' | 'onConnect'>;
  readonly operations: StoreReader<Operation>;
  readonly concurrency: number;
  readonly tenantConcurrency: number;
  readonly resyncMs: number;
  /** How often everything is looked at while notifications are not heard. */
  readonly pollMs: number;
}

/** Starts the loops: one lane per resource of Operations, one per Application's report, and one each to dispatch and refresh. */
export const startAgent = (context: AgentWorkContext, lost: AbortSignal): Work => {
  const { applications, operations, concurrency } = context;
  const loop = (name: string, reconcile: Reconcile, atOnce = 1): Controller =>
    createController({ ...context, name, reconcile, concurrency: atOnce, lost });
  const shared = createSharedWork(context);
  const work = createWork(context, shared);
  const handlers = createHandlers(context, shared, work);
  const results = createResults(context);
  const reconciler = createOperationReconciler(context, {
    claims: createClaims(context, results),
    handlers,
    enqueue: (key) => tickets.enqueue(key),
  });
  const reporter = createReporter({ ...context, ...shared }, results);
  const tickets = loop('operation', reconciler.reconcile, concurrency);
  const reports = loop('application-report', reporter.reconcile, concurrency);
  const refreshes = loop('refresh', createRefreshReconciler(context));
  const drift = createDrift(context, work, (reconcile) => loop('drift', reconcile, concurrency));
  const dispatch = createDispatch(context, {
    handled: new Set(Object.keys(handlers)),
    enqueue: (key, priority) => tickets.enqueue(key, { priority }),
  });
  const dispatcher = loop('dispatcher', dispatch.reconcile);

  const heard = (ids: readonly string[]): void => {
    if (ids.length === 0) return;
    dispatch.operations(ids);
    dispatcher.enqueue(dispatchKey);
  };
  /** What it could not be told of right away. */
  const unknownOf = (payload: string): readonly string[] => {
    const event = readOperationEvent(payload);
    return event && !dispatch.happened(event) ? [event.id] : [];
  };
  const applicationChanged = ({ object }: Pick<StoreChange<Application>, 'object'>): void => {
    const id = object.metadata.labels?.[databaseIdLabel];
    if (!id) return;
    reports.enqueue(reportKey(id, objectKey(object.metadata)));
    reconciler.applicationChanged(id);
  };
  const poll = (): void => {
    context.engine.forget();
    dispatch.forget();
    reporter.forget();
    dispatch.everything();
    dispatcher.enqueue(dispatchKey);
    refreshes.enqueue(refreshKey);
    drift.search();
    for (const object of applications.list()) applicationChanged({ object });
  };
  const resync = (): void => {
    poll();
    drift.lookAtAll();
  };
  const listener = createListener({
    ...context.listen,
    channels: ['operation_event', 'refresh'],
    onNotify: (channel, payloads) =>
      channel === 'operation_event' ? heard(payloads.flatMap(unknownOf)) : refreshes.enqueue(refreshKey),
    onConnect: resync,
  });
  const ends = [
    applications.subscribe(applicationChanged),
    drift.follow(),
    operations.subscribe((change) => heard(toldBy(change, listener.connected))),
    repeat(context, context.resyncMs, resync),
    repeat(context, context.pollMs, () => listener.connected || poll()),
  ];

  const loops = [tickets, reports, refreshes, dispatcher, drift.loop];
  for (const one of loops) one.start();
  listener.start(); // its first connection is a resync
  return {
    async stop() {
      for (const end of ends) end();
      await listener.stop();
      await Promise.all(loops.map((one) => one.stop()));
    },
  };
};

/** The Operation that an object tells of: a new one follows a row that was notified; a touched one means that somebody waits. */
const toldBy = ({ type, object }: StoreChange<Operation>, isNotified: boolean): readonly string[] => {
  const id = object.spec?.operationID;
  return id && (type === 'modified' || (type === 'added' && !isNotified)) ? [id] : [];
};

/** What is done about each kind of row, because an Operation asks for it or because something has drifted. */
const createWork = (context: AgentContext, shared: SharedWork) => {
  const project = createProjectWork(context, shared);
  return {
    project,
    application: createApplicationWork(context, shared),
    environment: createEnvironmentWork(context, shared, project),
    credential: createCredentialWork(context, shared, project),
  };
};

type AgentWork = ReturnType<typeof createWork>;

/** What is done about Operations of each type. */
const createHandlers = (context: AgentContext, shared: SharedWork, work: AgentWork) => ({
  Application: work.application.carryOut,
  ManagedEnvironment: work.environment.carryOut,
  RepositoryCredentials: work.credential.carryOut,
  SyncOperation: createSyncHandler(context, shared),
  GitOpsEngineInstance: createEngineInstanceHandler(context),
});

/** Drift: its loop, and what wakes it. */
const createDrift = (context: AgentContext, work: AgentWork, createLoop: (reconcile: Reconcile) => Controller) => {
  const atResync = (key: string): void => loop.enqueue(key, { priority: 'resync' });
  const atOnce = (key: string): void => loop.enqueue(key);
  const loop = createLoop(createDriftReconciler(createRemedies(context, work, atResync)));
  return {
    loop,
    search: () => atResync(driftKey('missing')),
    lookAtAll() {
      lookForDrift(context, atResync);
      lookForSecretDrift(context, atResync);
      atResync(driftKey('rowless'));
    },
    follow() {
      const ends = [followDrift(context, atOnce), followSecretDrift(context, atOnce)];
      return () => ends.forEach((end) => end());
    },
  };
};

/** What is done about drift of each kind. */
const createRemedies = (context: AgentContext, work: AgentWork, enqueue: (key: string) => void): Remedies => ({
  application: work.application.repair,
  look: createLook(work.application.isRight, enqueue),
  missing: createSearch(context, enqueue),
  project: work.project.repair,
  environment: work.environment.repair,
  credential: work.credential.repair,
  rowless: createSweep(context, {
    environment: work.environment.removeRowless,
    credential: work.credential.removeRowless,
  }),
});
