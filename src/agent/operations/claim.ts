// An agent's tickets: taken together for one resource, and ended together.
import { claimOperations, type ClaimedRow, type OperationEnd, type ResourceRow } from '../../db/queries/agent.ts';
import { statementBatch } from '../../db/statement-batch.ts';
import { createBatch } from '../../lib/batch.ts';
import { utcText } from '../../lib/clock.ts';
import type { AgentContext } from '../context.ts';
import type { Results } from '../results.ts';

/** The resource that an Operation is about. */
export interface OperationLane {
  /** The id of the tenant's row; '-' for an Operation without an owner. */
  readonly tenant: string;
  readonly type: string;
  readonly resourceId: string;
}

/** The key of a lane, `<tenant>/<type>/<resource id>`. Whatever a row says of type and id: no part has a slash in it. */
export const operationKey = ({ tenant, type, resourceId }: OperationLane): string =>
  [tenant || '-', type, resourceId].map(encodeURIComponent).join('/');

/** The lane of a key. */
export const operationLane = (key: string): OperationLane => {
  const [tenant = '', type = '', resourceId = ''] = key.split('/').map(decodeURIComponent);
  return { tenant, type, resourceId };
};

/** The Operations of a resource that were taken. */
interface Claim {
  readonly rows: readonly ClaimedRow[];
  /** Somebody held the row of another one, be it only to note its delivery: it is to be taken shortly. */
  readonly skipped: boolean;
}

/** Takes and ends Operations; what happens at the same time shares a statement. */
export interface Claims {
  /**
   * Takes every open Operation of a resource that nobody holds. They are `In_Progress` when this returns: whatever is
   * written later makes a new Operation.
   */
  take(lane: OperationLane): Promise<Claim>;
  end(end: OperationEnd): Promise<void>;
}

/** Creates the claims of an agent. */
export const createClaims = (context: AgentContext, results: Pick<Results, 'end'>): Claims => {
  const { db, clock, engine } = context;
  const take = createBatch<OperationLane, Claim>({
    ...statementBatch,
    run: async (lanes) => {
      const keys = lanes.map((lane) => ({ type: lane.type, id: lane.resourceId }));
      const found = await claimOperations(db, keys, { engine: await engine.identity(), now: utcText(clock.now()) });
      return lanes.map((lane) => {
        const isOf = (row: ResourceRow): boolean =>
          row.resource_type === lane.type && row.resource_id === lane.resourceId;
        return { rows: found.claimed.filter(isOf), skipped: found.skipped.some(isOf) };
      });
    },
  });
  return { take, end: (end) => results.end(end) };
};
