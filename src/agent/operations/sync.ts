// Operations of type `SyncOperation`: has Argo CD sync an Application once, or ends that sync.
import type { Application } from '../../api/argocd/application.ts';
import { syncMessages, syncRunMessages } from '../../api/messages.ts';
import { userFault, waitingFault } from '../../api/reasons.ts';
import { selectSyncTargets, type SyncTargetRow } from '../../db/queries/sync-operation.ts';
import { statementBatch } from '../../db/statement-batch.ts';
import { compareApplication } from '../../domain/application-object.ts';
import { nextSyncStep, nextTerminateStep, type SyncStep } from '../../domain/sync-operation.ts';
import { createBatch } from '../../lib/batch.ts';
import { parseTime } from '../../lib/clock.ts';
import type { AgentContext, HandlerContext, SharedWork } from '../context.ts';
import { patchApplication } from '../patch-application.ts';
import { writePresent } from '../written.ts';
import { readRow } from './read-row.ts';
import type { OperationHandler, Ticket } from './reconcile.ts';

/** The Application's events wake the lane; this only catches what they miss. */
const LOOK_AGAIN_MS = 10_000;

/** After this time of its own a sync that waits for something usual says so. */
const LATE_MS = LOOK_AGAIN_MS;

/** How long Argo CD may take to end a sync before the user is told. */
const TERMINATION_MS = 5 * 60_000;

/** Creates the handler of `SyncOperation` Operations. It never holds a worker while Argo CD syncs. */
export const createSyncHandler = (agent: AgentContext, shared: SharedWork): OperationHandler => {
  const load = createBatch<string, SyncTargetRow>({
    ...statementBatch,
    run: (ids) => selectSyncTargets(agent.db, ids),
  });
  return async (ticket) => {
    const row = await load(ticket.resourceId);
    if (!row.present) throw userFault('OperationFailed', syncMessages.noRow);
    const pass: HandlerContext = { ...agent, ...shared, signal: ticket.signal };
    if (row.desired_state === 'Running') return sync(pass, ticket, row);
    if (row.desired_state === 'Terminated') return terminate(pass, ticket, row);
    agent.log.warn('a sync has a desired state that nobody knows', { resource: ticket.resourceId });
  };
};

const sync = async (pass: HandlerContext, ticket: Ticket, row: SyncTargetRow): Promise<void> => {
  if (row.application_id === null || row.spec_field === null) {
    throw userFault('OperationFailed', syncRunMessages.deploymentNotFound(row.deployment_name ?? ''));
  }
  ticket.dependsOn(row.application_id);
  const desired = readRow(row.spec_field);
  const application = await pass.present.applications.get(desired, { signal: ticket.signal });
  if (!application || application.metadata.deletionTimestamp) {
    throw waitingFault('WaitingForArgoCD', `waiting for Application ${desired.name} to be made`, LOOK_AGAIN_MS);
  }
  const { application_id: id, deployment_name: name, revision } = row;
  const late = isOlder(pass, ticket, LATE_MS);
  const wish = { id: ticket.resourceId, revision: revision ?? '', late, nowMs: pass.clock.now() };
  await carryOut(pass, application, (present) => {
    const step = nextSyncStep(present, wish);
    // Only what is about to be written waits for a change: what runs already, or has ended, is not held up by one.
    if (step.next !== 'patch' || !compareApplication(present, id, desired).spec) return step;
    return { next: 'wait', message: syncRunMessages.changePending(name ?? '') };
  });
};

const terminate = async (pass: HandlerContext, ticket: Ticket, row: SyncTargetRow): Promise<void> => {
  if (row.application_id === null || row.spec_field === null) return; // what is deleted doesn't sync
  ticket.dependsOn(row.application_id);
  const application = await pass.present.applications.get(readRow(row.spec_field), { signal: ticket.signal });
  if (!application) return;
  const late = isOlder(pass, ticket, TERMINATION_MS);
  await carryOut(pass, application, (present) => nextTerminateStep(present, { id: ticket.resourceId, late }));
};

const isOlder = ({ clock }: AgentContext, { orderedAt }: Ticket, ms: number): boolean =>
  clock.now() - (parseTime(orderedAt) ?? clock.now()) >= ms;

/**
 * Takes steps until it is Argo CD's turn, or the end.
 * @throws Fault('waiting') when it is Argo CD's turn, Fault('user') when the sync failed.
 */
const carryOut = async (
  pass: HandlerContext,
  application: Application,
  nextStep: (present: Application) => SyncStep,
): Promise<void> => {
  const step = nextStep(application);
  if (step.next === 'done') return;
  if (step.next === 'failed') throw userFault('SyncFailed', step.message);
  if (step.next === 'wait') throw waitingFault('WaitingForArgoCD', step.message, LOOK_AGAIN_MS);
  const patched = await writePresent(() => patchApplication(pass, application, step.patch));
  await carryOut(pass, patched, nextStep);
};
