// Finds the Operations that are open and puts their resources into the queue.
import { selectOpenOperations } from '../../db/queries/agent.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { Priority } from '../../runtime/queue.ts';
import type { AgentContext } from '../context.ts';
import { operationKey } from './claim.ts';

/** The only key of the dispatcher. */
export const dispatchKey = 'agent/dispatch/all';

/** Types that an agent of this service or of the original may be asked for. */
const knownTypes: ReadonlySet<string> = new Set([
  'Application',
  'ManagedEnvironment',
  'RepositoryCredentials',
  'SyncOperation',
  'GitOpsEngineInstance',
]);

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
      if (knownTypes.has(row.resource_type) && !options.handled.has(row.resource_type)) continue;
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
      if (everything) {
        await look(null);
        everything = false;
      }
      const ids = [...heard];
      if (ids.length === 0) return;
      await look(ids);
      for (const id of ids) heard.delete(id);
    },
  };
};
