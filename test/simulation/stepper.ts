// Lets the world go on one step at a time: a call that waits is released, or virtual time moves on. The seed chooses.
import type { Gate, OutsideCall } from '../../src/lib/gate.ts';
import type { Random } from '../../src/lib/random.ts';
import type { VirtualClock } from '../kit/virtual-clock.ts';
import { socketsClosed } from './closing-sockets.ts';

/**
 * Steps of a world.
 *
 * *Guarantee*: at most one call is released at a time, and time moves only when none is under way, so what happens in
 * which order follows from the seed. *Caveats*: a statement that waits for a lock stays under way while others go on,
 * and when its lock is freed it ends beside the call that freed it; closing a session passes no gate, but the next step
 * waits for it.
 */
export interface Stepper {
  /** The gate of one actor: each of its calls waits for its step. */
  gateOf(actor: string): Gate;
  /**
   * From now on no call of this actor is made, and none of those under way is ever answered: it is dead. Returns how
   * many calls to the database that leaves without an answer.
   */
  drop(actor: string): number;
  /** Releases a call, or moves time when none waits. */
  step(): Promise<void>;
  /** Returns when no call is under way but those that wait for a lock. */
  idle(): Promise<void>;
  /** How many calls were released. */
  readonly steps: number;
  /** The last calls that were released, `<virtual seconds> <actor> <call>`. */
  readonly trace: readonly string[];
}

/** What a stepper is made of. */
export interface StepperOptions {
  readonly random: Random;
  readonly clock: VirtualClock;
  /** How many sessions of the database wait for a lock. */
  readonly lockWaits: () => Promise<number>;
  /** Returns when everything that was notified until now has been heard. */
  readonly heard: () => Promise<void>;
}

interface Parked {
  readonly call: OutsideCall & { readonly by: string };
  readonly go: () => void;
}

/** How often time moves although calls wait: a call may take longer than others take for many. */
const HASTE = 0.03;
/** The longest that time moves on at once, so that a schedule is never late for its own actions. */
const LONGEST_MOVE_MS = 250;
const TRACE = 4_000;
/**
 * The statement that a transaction begins with, and has once: it makes the row of the tenant, or locks it. Of several that wait
 * for the one that makes it, PostgreSQL wakes any first; so one waits, and the others stay.
 */
const FIRST_LOCK = 'tenant-lock';
/** Statements that certainly notify nobody. */
const READS =
  /^(begin|rollback|notify .*|.*-(facts|undelivered|stuck|lanes.*|targets|open-.*|names|due|subjects|ended|leftover|there))$/;

/** Creates a stepper with nothing to release. */
export const createStepper = (options: StepperOptions): Stepper => {
  const { random, clock } = options;
  const parked: Parked[] = [];
  const underWay = createUnderWay(options);
  const dead = new Set<string>();
  const trace: string[] = [];
  let steps = 0;
  let mayHaveNotified = true;

  const ready = (): readonly Parked[] =>
    parked.filter(({ call }) => call.name !== FIRST_LOCK || !underWay.waitsFor(FIRST_LOCK));

  const release = (entries: readonly Parked[]): void => {
    const inOrder = entries.toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
    const entry = inOrder[Math.floor(random.next() * inOrder.length)];
    if (!entry) return;
    parked.splice(parked.indexOf(entry), 1);
    steps += 1;
    mayHaveNotified ||= entry.call.to !== 'api' && !READS.test(entry.call.name);
    trace.push(`${(clock.monotonicMs() / 1000).toFixed(3)} ${describe(entry)}`);
    if (trace.length > TRACE) trace.splice(0, TRACE / 2);
    entry.go();
  };
  return {
    gateOf: (by) => async (call, run) => {
      if (dead.has(by)) return forever();
      await new Promise<void>((go) => parked.push({ call: { ...call, by }, go }));
      const ended = underWay.began(call, by);
      try {
        return await run();
      } catch (error) {
        underWay.failed();
        throw error;
      } finally {
        ended();
        if (dead.has(by)) await forever();
      }
    },
    drop(actor) {
      dead.add(actor);
      const dropped = parked.filter(({ call }) => call.by === actor);
      parked.splice(0, parked.length, ...parked.filter(({ call }) => call.by !== actor));
      return underWay.drop(actor) + dropped.filter(({ call }) => call.to === 'sql').length;
    },
    async step() {
      await underWay.idle();
      const entries = ready();
      if (entries.length > 0 && random.next() >= HASTE) return release(entries);
      if (mayHaveNotified) await options.heard();
      mayHaveNotified = false;
      await outsideQuiet();
      await clock.advance(Math.min(clock.nextInMs ?? LONGEST_MOVE_MS, LONGEST_MOVE_MS));
    },
    idle: underWay.idle,
    get steps() {
      return steps;
    },
    trace,
  };
};

const describe = ({ call: { by, to, name } }: Parked): string => `${by} ${to} ${name}`;

/** Not by arrival: what two calls that end together lead to arrives in any order. */
const orderOf = describe;

const forever = (): Promise<never> => new Promise(() => undefined);

/** Longer than a statement takes. */
const BRIEFLY_MS = 5;
/** A statement that takes longer may go on beside the next steps, whatever it waits for. */
const PATIENCE = 600;

/** The calls that were released and have not ended. */
const createUnderWay = ({ lockWaits }: StepperOptions) => {
  const calls = new Map<object, { readonly by: string; readonly name: string }>();
  const blocked = new Set<object>();
  /** Transactions that may hold locks: never fewer than there are. */
  let transactions = 0;
  let onEnd = (): void => undefined;

  const oneEnds = (): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), BRIEFLY_MS);
      onEnd = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  return {
    began(call: OutsideCall, by: string): () => void {
      const entry = {};
      calls.set(entry, { by, name: call.name });
      return () => {
        calls.delete(entry);
        if (call.name === 'begin') transactions += 1;
        if (call.name === 'commit' || call.name === 'rollback') {
          transactions -= 1;
          blocked.clear();
        }
        onEnd();
      };
    },
    /** A session that is closed for it frees its locks. */
    failed: () => blocked.clear(),
    /** True when a statement of this name waits for a lock. */
    waitsFor: (name: string): boolean => [...blocked].some((entry) => calls.get(entry)?.name === name),
    drop(actor: string): number {
      const those = [...calls].filter(([, { by }]) => by === actor);
      for (const [entry] of those) calls.delete(entry);
      blocked.clear();
      return those.length;
    },
    async idle(): Promise<void> {
      for (let waits = 0; ;) {
        await settle();
        if (await socketsClosed()) continue;
        const open = [...calls.keys()].filter((call) => !blocked.has(call));
        if (open.length === 0) return;
        if (await oneEnds()) continue;
        waits += 1;
        if (waits < PATIENCE && (transactions < 1 || (await lockWaits()) < calls.size)) continue;
        for (const call of calls.keys()) blocked.add(call);
      }
    },
  };
};

const OUTSIDE = /^(FSReq|TCPConnect|ConnectWrap|Shutdown|GetAddrInfo)/;
/** So many milliseconds of it belong to somebody else. */
const MOST_WAITS = 30;

/** Files that are read, and sockets that are opened or closed, pass no gate: time waits for them too. */
const outsideQuiet = async (): Promise<void> => {
  for (let wait = 0; wait < MOST_WAITS; wait += 1) {
    if (!process.getActiveResourcesInfo().some((name) => OUTSIDE.test(name))) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
    await settle();
  }
};

/** Turns of the event loop after which whatever follows from the end of a call has asked for its next one. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};
