// Finds the Operations that are open and puts their resources into the queue.
import { selectOpenOperations } from '../../db/queries/agent.ts';
import type { OperationEvent } from '../../db/operation-event.ts';
import { operationTypes } from '../../domain/operation.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { Priority } from '../../runtime/queue.ts';
import type { AgentContext } from '../context.ts';
import { operationKey, type OperationLane } from './claim.ts';

/** The only key of the dispatcher. */
export const dispatchKey = 'agent/dispatch/all';

/** What was heard of and not yet looked up. */
export interface Dispatch {
  readonly reconcile: Reconcile;
  operations(ids: readonly string[]): void;
  /** Takes what the database says has happened. False where the engine's row is not known yet: it has to be looked up. */
  happened(event: OperationEvent): boolean;
  everything(): void;
  /** Looks up again which rows mean this engine: its namespace may have been made again. */
  forget(): void;
}

/**
 * Creates the dispatcher. Types in `handled` are carried out; a known type that is not stays as it is, for an agent that
 * does it; an unknown one is taken, and fails.
 */
export const createDispatch = (
  context: AgentContext,
  options: {
    readonly handled: ReadonlySet<string>;
    readonly enqueue: (key: string, priority: Priority) => void;
  },
): Dispatch => {
  const heard = new Set<string>();
  const mine = new Set<string>(); // ids of this engine's rows
  let everything = false;

  const enqueue = (lane: OperationLane, priority: Priority): void => {
    if (operationTypes.has(lane.type) && !options.handled.has(lane.type)) return;
    options.enqueue(operationKey(lane), priority);
  };
  const look = async (ids: readonly string[] | null): Promise<void> => {
    const open = await selectOpenOperations(context.db, await context.engine.identity(), ids);
    for (const { resource_type: type, resource_id: resourceId, owner_id, instance_id } of open) {
      mine.add(instance_id);
      enqueue({ tenant: owner_id ?? '', type, resourceId }, ids === null ? 'resync' : 'change');
    }
  };

  return {
    operations: (ids) => ids.forEach((id) => heard.add(id)),
    happened({ type, resourceId, ownerId, instanceId, state }) {
      if (!mine.has(instanceId)) return false;
      // What is in progress or has ended is this agent's own doing.
      if (state === 'Waiting') enqueue({ tenant: ownerId ?? '', type, resourceId }, 'change');
      return true;
    },
    everything() {
      everything = true;
    },
    forget: () => mine.clear(),
    async reconcile() {
      // Taken before they are looked up: what is heard meanwhile is looked up by the next pass.
      const all = everything;
      const ids = [...heard];
      everything = false;
      heard.clear();
      try {
        if (all) await look(null);
        if (ids.length > 0) await look(ids);
      } catch (error) {
        everything ||= all;
        for (const id of ids) heard.add(id);
        throw error;
      }
    },
  };
};
