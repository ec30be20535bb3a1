// Step 6: carries out the Operations of one resource, and says in the rows how it went.
import { userFault } from '../../api/reasons.ts';
import type { ClaimedRow } from '../../db/queries/agent.ts';
import { rowMessage } from '../../domain/operation.ts';
import { isInvalid } from '../../kube/status-error.ts';
import { isFault, messageOf } from '../../lib/fault.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { AgentContext } from '../context.ts';
import { operationLane, type Claims } from './claim.ts';

/** What a handler works on. */
export interface Ticket {
  readonly resourceId: string;
  /** The tenant's row, owner of the Operations. */
  readonly ownerId: string | null;
  readonly signal: AbortSignal;
}

/**
 * Makes Argo CD's objects equal to the rows of one resource. It compares before it writes, so running it again changes
 * nothing.
 * @throws Fault('user') when trying again can't help: the Operation fails with the message; Fault('waiting') when
 *   something else has to finish first: the message, if any, is shown to the user meanwhile.
 */
export type OperationHandler = (ticket: Ticket) => Promise<void>;

/** The handlers of the types that this agent carries out. */
export type OperationHandlers = Readonly<Record<string, OperationHandler>>;

/** The reconciler, and which resources it is at. */
export interface OperationReconciler {
  readonly reconcile: Reconcile;
  /** The key of a resource whose Operations are claimed and not ended: an event of its object wakes it. */
  openKey(resourceId: string): string | undefined;
}

/** Creates the reconciler of Operations: claim, sort out what is not this engine's, let the handler do it, end them. */
export const createOperationReconciler = (
  context: AgentContext,
  claims: Claims,
  handlers: OperationHandlers,
): OperationReconciler => {
  const open = new Map<string, string>();
  const reconcile: Reconcile = async (key, { signal }) => {
    const lane = operationLane(key);
    const { mine, foreign } = await sortByEngine(context, await claims.take(lane));
    await endAll(claims, foreign, endOf(engineMismatch(context)));
    if (mine.length === 0) return void open.delete(lane.resourceId);
    open.set(lane.resourceId, key);
    const ownerId = mine.findLast((row) => row.owner_id !== null)?.owner_id ?? null;
    try {
      await handlerFor(handlers, lane.type)({ resourceId: lane.resourceId, ownerId, signal });
    } catch (error) {
      await endAll(claims, mine, endOf(error));
      throw error;
    }
    await endAll(claims, mine, { state: 'Completed', message: '' });
    open.delete(lane.resourceId);
  };
  return { reconcile, openKey: (resourceId) => open.get(resourceId) };
};

const handlerFor = (handlers: OperationHandlers, type: string): OperationHandler => {
  const handler = handlers[type];
  if (handler) return handler;
  throw userFault('UnknownOperation', `this agent does not know Operations of type ${JSON.stringify(type)}`);
};

/**
 * The namespace of Argo CD may have been deleted and made again since a row was written: then the row means another one.
 * Before that is believed, the namespace is read anew.
 */
const sortByEngine = async ({ engine }: AgentContext, claimed: readonly ClaimedRow[]) => {
  const known = await engine.identity();
  if (claimed.some((row) => row.engine_namespace_uid !== known.namespaceUid)) engine.forget();
  const { namespaceUid } = await engine.identity();
  const isMine = (row: ClaimedRow): boolean => row.engine_namespace_uid === namespaceUid;
  return { mine: claimed.filter(isMine), foreign: claimed.filter((row) => !isMine(row)) };
};

const engineMismatch = ({ engine }: AgentContext) =>
  userFault(
    'EngineMismatch',
    `the namespace ${engine.namespace} of Argo CD is not the one that this Operation was meant for; it has been made again`,
  );

type End = { readonly state: 'Completed' | 'Failed' | 'In_Progress'; readonly message: string } | undefined;

/** How an error ends an Operation: undefined leaves it in progress, as it is. */
const endOf = (error: unknown): End => {
  if (isFault(error, 'user') || isInvalid(error)) return { state: 'Failed', message: messageOf(error) };
  if (isFault(error, 'waiting') && error.message !== '') return { state: 'In_Progress', message: error.message };
  return undefined;
};

const endAll = async (claims: Claims, claimed: readonly ClaimedRow[], end: End): Promise<void> => {
  if (!end) return;
  const message = rowMessage(end.message);
  const changed = claimed.filter((row) => end.state !== 'In_Progress' || (row.message ?? '') !== message);
  await Promise.all(changed.map((row) => claims.end({ operationId: row.operation_id, state: end.state, message })));
};
