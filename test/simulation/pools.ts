// Pools of sessions that schedules share: opening and warming a session costs more than a whole schedule otherwise.
import { createDatabase, type DatabasePool } from '../../src/db/pool.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Gate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { silentLog } from '../kit/captured-log.ts';

/** A pool that a process has for its life. */
export interface LentPool {
  readonly pool: DatabasePool;
  /** What its sessions are called. */
  readonly name: string;
  /** The process has ended. A pool whose sessions may be in the middle of something is of no use to others. */
  end(isClean: boolean): void;
}

/** The pools of a database. */
export interface Pools {
  lend(gate: Gate): LentPool;
  /** Closes those that nobody has. */
  stop(): Promise<void>;
}

/** Creates pools of the database that the URL names. */
export const createPools = (url: string): Pools => {
  const free: { readonly pool: DatabasePool; readonly name: string; lendTo(gate: Gate): void }[] = [];
  let made = 0;
  const make = (): (typeof free)[number] => {
    made += 1;
    const name = `managed-gitops pool-${made}`;
    let present: Gate = (_call, run) => run();
    const gate: Gate = (call, run) => present(call, run);
    const surroundings = { gate, clock: systemClock, log: silentLog, metrics: createMetrics() };
    const pool = createDatabase({ ...surroundings, name, connection: { url } });
    return { pool, name, lendTo: (next) => void (present = next) };
  };
  return {
    lend(gate) {
      const lent = free.pop() ?? make();
      lent.lendTo(gate);
      return { ...lent, end: (isClean) => void (isClean && free.push(lent)) };
    },
    stop: async () =>
      void (await Promise.all(
        free.splice(0).map(({ pool, lendTo }) => {
          lendTo((_call, run) => run());
          return pool.stop();
        }),
      )),
  };
};
