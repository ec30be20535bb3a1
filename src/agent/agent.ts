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
import { createSharedWork, type AgentContext } from './context.ts';
import { createDriftReconciler, followDrift, lookForDrift, missingKey } from './drift/application.ts';
import { createApplicationWork } from './operations/application.ts';
import { createClaims } from './operations/claim.ts';
import { createDispatch, dispatchKey } from './operations/dispatch.ts';
import { createResults } from './results.ts';
import { createSyncHandler } from './operations/sync.ts';
import { createOperationReconciler, type OperationHandlers } from './operations/reconcile.ts';

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
  const { handlers, application, shared } = createHandlers(context);
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
  const drifted = (key: string): void => drift.enqueue(key, { priority: 'resync' });
  const drift = loop('drift', createDriftReconciler(context, application, drifted), concurrency);
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
    drifted(missingKey);
    for (const object of applications.list()) applicationChanged({ object });
  };
  const resync = (): void => {
    poll();
    lookForDrift(context, drifted);
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
    followDrift(context, (key) => drift.enqueue(key)),
    operations.subscribe((change) => heard(toldBy(change, listener.connected))),
    repeat(context, context.resyncMs, resync),
    repeat(context, context.pollMs, () => listener.connected || poll()),
  ];

  const loops = [tickets, reports, refreshes, dispatcher, drift];
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

/** What is done about Operations of each type, and about an application that drifted. */
const createHandlers = (context: AgentContext) => {
  const shared = createSharedWork(context);
  const application = createApplicationWork(context, shared);
  const handlers: OperationHandlers = {
    Application: application.carryOut,
    SyncOperation: createSyncHandler(context, shared),
  };
  return { handlers, application, shared };
};
