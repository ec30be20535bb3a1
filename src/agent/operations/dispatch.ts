// Finds the Operations that are open and puts their resources into the queue.
import { selectOpenOperations } from '../../db/queries/agent.ts';
import { operationTypes } from '../../domain/operation.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { Priority } from '../../runtime/queue.ts';
import type { AgentContext } from '../context.ts';
import { operationKey } from './claim.ts';

/** The only key of the dispatcher. */
export const dispatchKey = 'agent/dispatch/all';

/** What was heard of and not yet looked up. */
export interface Dispatch {
  readonly reconcile: Reconcile;
  operations(ids: readonly string[]): void;
  everything(): void;
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
  let everything = false;

  const look = async (ids: readonly string[] | null): Promise<void> => {
    const open = await selectOpenOperations(context.db, await context.engine.identity(), ids);
    for (const row of open) {
      if (operationTypes.has(row.resource_type) && !options.handled.has(row.resource_type)) continue;
      const key = operationKey({ tenant: row.tenant, type: row.resource_type, resourceId: row.resource_id });
      options.enqueue(key, ids === null ? 'resync' : 'change');
    }
  };

  return {
    operations: (ids) => ids.forEach((id) => heard.add(id)),
    everything() {
      everything = true;
    },
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
