// What an agent has to say in the rows: ends of Operations and statuses of Applications, in one transaction.
import { endOperations, type OperationEnd } from '../db/queries/agent.ts';
import { reportApplications, type ApplicationReport } from '../db/queries/application-state.ts';
import type { Database } from '../db/pool.ts';
import { statementBatch } from '../db/statement-batch.ts';
import { createBatch } from '../lib/batch.ts';
import { utcText, type Clock } from '../lib/clock.ts';

/** Writes results; what has to be said at the same time is said together. */
export interface Results {
  end(end: OperationEnd): Promise<void>;
  report(report: ApplicationReport): Promise<void>;
}

type Result = { readonly end: OperationEnd } | { readonly report: ApplicationReport };

/** A stored status may have a quarter of a megabyte. */
const MOST_AT_ONCE = 50;

/**
 * A status waits for a result, and the next sync run of the same deployment; but each commit wakes every session that
 * listens. So they are gathered this long, in milliseconds, or until so many wait; a lone one is written at once.
 */
const EVERY_MS = 200;
const OR_ITEMS = 10;

/** Creates the writer of results. */
export const createResults = ({ db, clock }: { readonly db: Database; readonly clock: Clock }): Results => {
  const write = createBatch<Result, undefined>({
    ...statementBatch,
    maxSize: MOST_AT_ONCE,
    pace: { clock, everyMs: EVERY_MS, orItems: OR_ITEMS },
    run: async (results) => {
      const ends = results.flatMap((result) => ('end' in result ? [result.end] : []));
      const reports = results.flatMap((result) => ('report' in result ? [result.report] : []));
      const now = utcText(clock.now());
      if (reports.length === 0) await endOperations(db, ends, now);
      else if (ends.length === 0) await reportApplications(db, reports);
      else {
        await db.transaction('agent-results', async (tx) => {
          await endOperations(tx, ends, now);
          await reportApplications(tx, reports);
        });
      }
      return results.map(() => undefined);
    },
  });
  return { end: (end) => write({ end }), report: (report) => write({ report }) };
};
