// Every call to the database: through the gate, measured, its failure told without values.
import type { Fault } from '../lib/fault.ts';
import type { Clock } from '../lib/clock.ts';
import type { Gate, OutsideCall } from '../lib/gate.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import { SqlFault, sqlFault } from './sql-error.ts';

/** The door that all calls of a pool or a session take. */
export interface CallDatabase {
  /** Runs a named call. @throws Fault, whatever `run` throws. */
  run<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** False when the last call got no answer. */
  answered(): boolean;
}

const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Creates the door. Logs once when the database goes away and once when it is back, if it is given a log. */
export const createCallDatabase = (options: {
  readonly to: OutsideCall['to'];
  readonly gate: Gate;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log?: Logger;
}): CallDatabase => {
  const { to, gate, clock, metrics, log } = options;
  let answered = true;
  const duration = metrics.histogram({
    name: 'sql_statement_duration_seconds',
    help: 'Time from asking for a statement to its answer, waiting for a free session included.',
    labels: ['statement'],
    buckets: BUCKETS_S,
  });
  const errors = metrics.counter({
    name: 'sql_errors_total',
    help: 'Statements that failed, by SQLSTATE; "none" when the server did not answer.',
    labels: ['statement', 'sqlstate'],
  });
  const note = (now: boolean, reason: string): void => {
    if (now && !answered) log?.info('the database answers again');
    if (!now && answered) log?.warn('the database does not answer', { reason });
    answered = now;
  };
  return {
    answered: () => answered,
    async run(name, run) {
      const startMs = clock.monotonicMs();
      try {
        const result = await gate({ to, name }, run);
        note(true, '');
        return result;
      } catch (error) {
        const fault = sqlFault(name, error);
        errors.add({ statement: name, sqlstate: stateOf(fault) });
        note(fault.reason !== 'DatabaseUnavailable', fault.message);
        throw fault;
      } finally {
        duration.observe((clock.monotonicMs() - startMs) / 1000, { statement: name });
      }
    },
  };
};

const stateOf = (fault: Fault): string => (fault instanceof SqlFault ? (fault.sqlState ?? 'none') : 'none');
