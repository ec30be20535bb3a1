// The gate of a process that is to die: counts the calls that leave it, and kills it before or after the chosen one.
import type { Gate, OutsideCall } from '../../src/lib/gate.ts';

/** One call, and on which side of it the process dies. Calls of a name are counted from 1. */
export interface KillPoint {
  /** `api PATCH gitopsdeployments/status`, `sql commit`. */
  readonly call: string;
  readonly ordinal: number;
  /**
   * `before`: nothing was sent. `after`: it was carried out and answered, and nobody has looked at the answer, which
   * is what a process that died while it waited for the answer leaves behind as well.
   */
  readonly edge: 'before' | 'after';
}

/** The gate, and what its calls were. */
export interface CrashGate {
  readonly gate: Gate;
  /** Counts anew, and dies at the point if one is given. What comes by the clock is not counted any more. */
  arm(point: KillPoint | undefined): void;
  /** How often each call was made since then, or since the start. */
  counts(): Readonly<Record<string, number>>;
  /** For how long no call was under way, in milliseconds; 0 while one is. Those that a clock makes don't count. */
  idleMs(): number;
}

/** Calls that come by the clock, whatever the work is. Of a start they are part, and there the first stands for all. */
const byTheClock: ReadonlySet<string> = new Set([
  'api GET leases',
  'api PUT leases',
  'sql ping',
  'listen listener-still-there',
]);

/** Creates it, armed with the first point; `die` must not return. */
export const createCrashGate = (first: KillPoint | undefined, die: () => void): CrashGate => {
  const counts = new Map<string, number>();
  let target = first;
  let starts = true;
  let underWay = 0;
  let lastMs = performance.now();

  const dieAt = (call: string, ordinal: number, edge: KillPoint['edge']): void => {
    if (target?.call === call && target.ordinal === ordinal && target.edge === edge) die();
  };
  const pass = async <T>(call: string, run: () => Promise<T>): Promise<T> => {
    const ordinal = (counts.get(call) ?? 0) + 1;
    counts.set(call, ordinal);
    dieAt(call, ordinal, 'before');
    try {
      return await run();
    } finally {
      dieAt(call, ordinal, 'after');
    }
  };
  return {
    gate: async ({ to, name }: OutsideCall, run) => {
      const call = `${to} ${name}`;
      if (byTheClock.has(call)) return starts && !counts.has(call) ? pass(call, run) : run();
      underWay += 1;
      try {
        return await pass(call, run);
      } finally {
        underWay -= 1;
        lastMs = performance.now();
      }
    },
    arm(point) {
      target = point;
      starts = false;
      counts.clear();
    },
    counts: () => Object.fromEntries(counts),
    idleMs: () => (underWay > 0 ? 0 : performance.now() - lastMs),
  };
};
