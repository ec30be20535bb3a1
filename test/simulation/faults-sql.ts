// Faults on the way to the database: statements that are refused or lost, commits whose answer is, notifications too.
import type { Gate } from '../../src/lib/gate.ts';
import type { Faults, SqlFault } from './faults-plan.ts';

/** A gate that lets the database's calls through `gate`, and has them fail as the plan says. */
export const faultySql =
  (gate: Gate, faults: Faults): Gate =>
  (call, run) =>
    gate(call, async () => {
      if (call.name.startsWith('notify ')) return (faults.losesNotification() ? unheard : run)();
      const fault = faults.sql();
      if (fault === 'none') return run();
      // Who loses a session that was just opened has to close it, which takes time that no clock of the simulation tells.
      if (fault === 'done-lost' && call.name !== 'connect') await run();
      throw errorOf(fault);
    });

/** What the listener does when it is told is all there is to a notification: it returns nothing. */
const unheard = async (): Promise<never> => undefined as never; // nobody reads it

/** The driver's error: one of the server has a severity, a lost connection has none. */
const errorOf = (fault: SqlFault): Error => {
  if (fault === 'lost' || fault === 'done-lost') return new Error('Connection terminated unexpectedly');
  return Object.assign(new Error('injected'), { severity: 'ERROR', code: fault });
};
