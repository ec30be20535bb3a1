// A gate that holds every outside call until the test lets it through: concurrent work, stepped call by call.
import type { Gate, OutsideCall } from '../../src/lib/gate.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { TestDatabase } from './database.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A call that waits to be released. */
export interface ParkedCall extends OutsideCall {
  /** Whose call it is. */
  readonly by: string;
}

/**
 * The gate and what a test does with it.
 *
 * *Guarantee*: with a seed, and one call of each actor at a time, what is released in which order depends on the seed
 * alone, if the test waits for `idle` before each release.
 */
export interface StepGate {
  /** The gate of one actor: a process, a replica, a pass. */
  of(actor: string): Gate;
  /** The parked calls: by the actor's name, then in the order they came. */
  waiting(): readonly ParkedCall[];
  /** Lets one call go on: by its place in `waiting()`, or the first that fits. @throws when there is none. */
  release(which: number | ((call: ParkedCall) => boolean)): void;
  /** Lets one call go on that the seed chooses. @throws when there is none. */
  releaseSeeded(): void;
  /** What was released until now, `<actor>: <to> <name>`. */
  readonly released: readonly string[];
  /** Returns when each call has ended, is parked, or waits for a lock of the database, which counts as parked. */
  idle(): Promise<void>;
  /** Moves virtual time once no call is under way. Calls that timers make are parked like all others. */
  advance(clock: VirtualClock, ms: number): Promise<void>;
  /** Lets everything through from now on, what is parked included: for the end of a test. */
  open(): void;
}

/** Creates a closed gate. `blocked` tells how many calls wait for a lock in the database (`lockWaits`). */
export const createStepGate = (
  options: { readonly seed?: number; readonly blocked?: () => Promise<number> } = {},
): StepGate => {
  const { seed = 1, blocked = async () => 0 } = options;
  const random = seededRandom(seed);
  const parked: { readonly call: ParkedCall; readonly go: () => void }[] = [];
  const released: string[] = [];
  const underWay = createUnderWay();
  let isOpen = false;

  const inOrder = () => parked.toSorted((one, other) => (one.call.by < other.call.by ? -1 : 1));
  const letGo = (entry: (typeof parked)[number] | undefined): void => {
    if (!entry) throw new Error(`no such call waits; these do: ${parked.map(({ call }) => describe(call)).join(', ')}`);
    parked.splice(parked.indexOf(entry), 1);
    released.push(describe(entry.call));
    entry.go();
  };
  const of =
    (by: string): Gate =>
    async (call, run) => {
      if (isOpen) return run();
      const told = Promise.withResolvers<void>();
      const parkedCall = { ...call, by };
      parked.push({
        call: parkedCall,
        go: () => {
          underWay.began(parkedCall);
          told.resolve();
        },
      });
      await told.promise;
      return run().finally(() => underWay.ended(parkedCall));
    };
  const idle = async (): Promise<void> => {
    for (const startMs = performance.now(); ;) {
      await settle();
      if (underWay.calls.size === 0) return;
      if (await underWay.oneEnds(BRIEFLY_MS)) continue;
      const { calls, ends } = underWay;
      if ((await blocked()) === calls.size && ends === underWay.ends) return;
      if (performance.now() - startMs > PATIENCE_MS) {
        throw new Error(`these neither end nor wait for a lock: ${[...calls].map(describe).join(', ')}`);
      }
    }
  };
  return {
    of,
    waiting: () => inOrder().map(({ call }) => call),
    release: (which) => letGo(typeof which === 'number' ? inOrder()[which] : inOrder().find(({ call }) => which(call))),
    releaseSeeded: () => letGo(inOrder()[Math.floor(random.next() * parked.length)]),
    released,
    idle,
    async advance(clock, ms) {
      await idle();
      await clock.advance(ms);
      await idle();
    },
    open() {
      isOpen = true;
      for (const { go } of parked.splice(0)) go();
    },
  };
};

/** Counts the sessions of a test's database that wait for a lock; for `blocked`. */
export const lockWaits = (database: TestDatabase) => async (): Promise<number> => {
  const [row] = await database.sql<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and cardinality(pg_blocking_pids(pid)) > 0`,
  );
  return row?.count ?? 0;
};

/** Long enough for a call on loopback, so that the database is rarely asked about locks. */
const BRIEFLY_MS = 10;
const PATIENCE_MS = 10_000;

const describe = ({ by, to, name }: ParkedCall): string => `${by}: ${to} ${name}`;

/** Turns of the event loop after which whatever follows from the end of a call has asked for its next one. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** The calls that have been released and have not ended. */
const createUnderWay = () => {
  const calls = new Set<ParkedCall>();
  const waiters = new Set<() => void>();
  let ends = 0;
  return {
    calls,
    /** How many have ended so far. */
    get ends() {
      return ends;
    },
    began: (call: ParkedCall) => void calls.add(call),
    ended(call: ParkedCall): void {
      calls.delete(call);
      ends += 1;
      for (const waiter of waiters) waiter();
    },
    /** True as soon as one ends, false after `withinMs` of real time. */
    oneEnds: (withinMs: number) =>
      new Promise<boolean>((resolve) => {
        const end = (didEnd: boolean): void => {
          clearTimeout(timer);
          waiters.delete(waiter);
          resolve(didEnd);
        };
        const waiter = (): void => end(true);
        const timer = setTimeout(() => end(false), withinMs);
        waiters.add(waiter);
      }),
  };
};
