// Step 6: carries out the Operations of one resource, and says in the rows how it went.
import { userFault } from '../../api/reasons.ts';
import type { ApplicationTargetRow, ClaimedRow } from '../../db/queries/agent.ts';
import { rowMessage } from '../../domain/operation.ts';
import { isInvalid } from '../../kube/status-error.ts';
import { isFault, messageOf } from '../../lib/fault.ts';
import { createGroups } from '../../lib/groups.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { AgentContext } from '../context.ts';
import { operationLane, type Claims } from './claim.ts';

/** Whoever holds a row that was skipped, holds it for a statement or a short transaction. */
const SKIPPED_AGAIN_MS = 50;

/** What a handler works on. */
export interface Ticket {
  readonly resourceId: string;
  /** The tenant's row, owner of the Operations. */
  readonly ownerId: string | null;
  /** When the newest of its Operations was made, RFC 3339. */
  readonly orderedAt: string;
  /** Of a ticket about an application: its rows, as they were when it was claimed. */
  readonly target?: ApplicationTargetRow | undefined;
  readonly signal: AbortSignal;
  /** Says that an event of this application's object is to wake the resource, until its Operations have ended. */
  readonly dependsOn: (applicationId: string) => void;
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
  /**
   * An application's object has changed: looks again at the resources whose Operations are claimed and not ended, and
   * depend on it. One that is being worked on is looked at again only if it does not end with that.
   */
  applicationChanged(applicationId: string): void;
}

/** What the reconciler works with. */
export interface OperationSteps {
  readonly claims: Claims;
  readonly handlers: OperationHandlers;
  readonly enqueue: (key: string) => void;
}

/** Creates the reconciler of Operations: claim, sort out what is not this engine's, let the handler do it, end them. */
export const createOperationReconciler = (
  context: AgentContext,
  { claims, handlers, enqueue }: OperationSteps,
): OperationReconciler => {
  const open = createDependents(enqueue);
  const carryOut = async (key: string, rows: readonly ClaimedRow[], signal: AbortSignal): Promise<void> => {
    const { type, resourceId } = operationLane(key);
    const { mine, foreign } = await sortByEngine(context, rows);
    await endAll(claims, foreign, endOf(engineMismatch(context)));
    const newest = mine.at(-1);
    if (!newest) return open.end(key);
    const settle = async (end: End): Promise<void> => {
      if (end && end.state !== 'In_Progress') open.end(key);
      await endAll(claims, mine, end);
    };
    const ownerId = mine.findLast((row) => row.owner_id !== null)?.owner_id ?? null;
    const { target, created_on: orderedAt } = newest;
    const dependsOn = (applicationId: string): void => open.add(applicationId, key);
    const ticket = { resourceId, ownerId, orderedAt, target: target ?? undefined, signal, dependsOn };
    try {
      await handlerFor(handlers, type)(ticket);
    } catch (error) {
      // What the API server finds invalid stays so: sending it again can't help.
      const fault = isInvalid(error) ? userFault('OperationFailed', messageOf(error)) : error;
      await settle(endOf(fault));
      throw fault;
    }
    await settle({ state: 'Completed', message: '' });
  };
  const reconcile: Reconcile = async (key, { signal }) => {
    const { rows, skipped } = await claims.take(operationLane(key));
    open.begin(key);
    try {
      await carryOut(key, rows, signal);
    } catch (error) {
      // A fault whose key would wait for a change must not make what was skipped wait too.
      if (!skipped || !isFault(error) || error.kind === 'internal') throw error;
    } finally {
      open.pause(key);
    }
    return skipped ? { afterMs: SKIPPED_AGAIN_MS } : undefined;
  };
  return { reconcile, applicationChanged: open.changed };
};

/** Which keys depend on which application, and which of them are being worked on. */
const createDependents = (enqueue: (key: string) => void) => {
  const waiting = createGroups();
  /** The keys that are worked on, with whether their application has changed since. */
  const working = new Map<string, boolean>();
  return {
    begin: (key: string): void => void working.set(key, false),
    /** The pass is over. What it has not ended and has changed since is looked at again. */
    pause(key: string): void {
      const changed = working.get(key);
      working.delete(key);
      if (changed && waiting.has(key)) enqueue(key);
    },
    add: (applicationId: string, key: string): void => waiting.put(key, applicationId),
    end: waiting.drop,
    changed(applicationId: string): void {
      for (const key of waiting.of(applicationId)) {
        if (working.has(key)) working.set(key, true);
        else enqueue(key);
      }
    },
  };
};

const handlerFor = (handlers: OperationHandlers, type: string): OperationHandler => {
  const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
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
  if (isFault(error, 'user')) return { state: 'Failed', message: messageOf(error) };
  if (isFault(error, 'waiting')) return { state: 'In_Progress', message: error.message };
  return undefined;
};

const endAll = async (claims: Claims, claimed: readonly ClaimedRow[], end: End): Promise<void> => {
  if (!end) return;
  const message = rowMessage(end.message);
  const changed = claimed.filter((row) => end.state !== 'In_Progress' || (row.message ?? '') !== message);
  await Promise.all(changed.map((row) => claims.end({ operationId: row.operation_id, state: end.state, message })));
};
