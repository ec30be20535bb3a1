// What goes wrong in a schedule, and when: drawn from the seed, call by call.
import type { Clock } from '../../src/lib/clock.ts';
import type { Random } from '../../src/lib/random.ts';

/** How a request to the API server ends. */
export type ApiFault =
  | 'none'
  | '429'
  | '500'
  | '503'
  | '503-later'
  | 'refused'
  | 'cut'
  | 'unanswered'
  | 'done-500'
  | 'done-503'
  | 'done-cut'
  | 'done-unanswered';

/** What happens to the next line of a watch. `drop` loses lines, and the server says later that our place is too old. */
export type WatchFault = 'none' | 'all' | 'double' | 'again' | 'swap' | 'drop' | 'cut' | 'end' | 'gone';

/** How a statement ends: an SQLSTATE that the server answers, or a connection that is lost before or after. */
export type SqlFault = 'none' | 'lost' | 'done-lost' | '40001' | '40P01' | '57014' | '55P03' | '53300' | '57P01';

/** How a question to another cluster or a Git server ends: unanswered, be it carried out or not. */
export type OutsideFault = 'none' | 'refused' | 'done-lost';

/** The faults of one schedule. */
export interface Faults {
  api(request: { readonly writes: boolean }): ApiFault;
  watch(): WatchFault;
  /** How long a watch lags before its next line. Milliseconds; most often 0. */
  lagMs(): number;
  sql(): SqlFault;
  outside(): OutsideFault;
  /** True when the notification is lost. */
  losesNotification(): boolean;
  /** Any number of milliseconds up to this. */
  withinMs(mostMs: number): number;
  /** Nothing goes wrong from now on. */
  stop(): void;
  readonly stopped: boolean;
  /** How often each has been injected. */
  readonly counts: Readonly<Record<string, number>>;
}

const onReads: readonly ApiFault[] = ['429', '500', '503', '503-later', 'refused', 'cut', 'unanswered'];
const onWrites: readonly ApiFault[] = [
  ...onReads,
  'done-500',
  'done-503',
  'done-cut',
  'done-unanswered',
  'done-500',
  'done-cut',
];
const onWatches: readonly WatchFault[] = ['double', 'again', 'swap', 'drop', 'cut', 'end', 'gone'];
const onStatements: readonly SqlFault[] = [
  'lost',
  'done-lost',
  'done-lost',
  '40001',
  '40001',
  '40P01',
  '57014',
  '55P03',
  '53300',
  '57P01',
];

/** A time during which one side answers nothing. */
interface Outage {
  readonly side: 'api' | 'sql';
  readonly fromMs: number;
  readonly untilMs: number;
}

const LONGEST_OUTAGE_MS = 40_000;
const LONGEST_LAG_MS = 8_000;

/** Creates the faults of a schedule: how often each side fails is itself drawn, so that some schedules are calm. */
export const createFaults = (random: Random, clock: Clock, lastsMs: number): Faults => {
  const oneOf = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)] as T; // never empty
  const upTo = (most: number): number => most * random.next() ** 2;
  const often = {
    api: upTo(0.25),
    watch: upTo(0.3),
    lag: upTo(0.15),
    sql: upTo(0.2),
    deaf: upTo(0.3),
    outside: upTo(0.4),
  };
  const outages = Array.from({ length: Math.floor(random.next() * 3) }, (): Outage => {
    const fromMs = random.next() * lastsMs;
    return { side: oneOf(['api', 'sql'] as const), fromMs, untilMs: fromMs + random.next() * LONGEST_OUTAGE_MS };
  });
  const counts: Record<string, number> = {};
  let stopped = false;

  const count = <T extends string>(side: string, fault: T): T => {
    counts[`${side} ${fault}`] = (counts[`${side} ${fault}`] ?? 0) + 1;
    return fault;
  };
  const isAway = (side: Outage['side']): boolean => {
    const nowMs = clock.monotonicMs();
    return outages.some((one) => one.side === side && one.fromMs <= nowMs && nowMs < one.untilMs);
  };
  const happens = (chance: number): boolean => !stopped && random.next() < chance;
  return {
    api({ writes }) {
      if (!stopped && isAway('api')) return count('api', 'refused');
      return happens(often.api) ? count('api', oneOf(writes ? onWrites : onReads)) : 'none';
    },
    watch() {
      if (happens(often.watch)) return count('watch', oneOf(onWatches));
      return random.next() < 0.3 ? 'all' : 'none';
    },
    lagMs: () => (happens(often.lag) ? (count('watch', 'lag'), random.next() * LONGEST_LAG_MS) : 0),
    sql() {
      if (!stopped && isAway('sql')) return count('sql', 'lost');
      return happens(often.sql) ? count('sql', oneOf(onStatements)) : 'none';
    },
    outside: () => (happens(often.outside) ? count('outside', oneOf(['refused', 'done-lost'] as const)) : 'none'),
    losesNotification() {
      if (!happens(often.deaf)) return false;
      count('sql', 'notification lost');
      return true;
    },
    withinMs: (mostMs) => random.next() * mostMs,
    stop: () => void (stopped = true),
    get stopped() {
      return stopped;
    },
    counts,
  };
};
