// Says once that something is away and once that it is back, however often it was tried in between.
import type { Clock } from '../lib/clock.ts';
import type { LogFields, Logger } from '../lib/log.ts';

/** What is known of the outage of one thing. */
export interface Outage {
  /** Failures since it last worked. */
  readonly failures: number;
  /** Counts a failure; the first one of each nature (`reason`) is logged as a warning. */
  failed(message: string, fields: LogFields & { readonly reason: string }): void;
  /** Counts a failure that belongs to normal life and is not worth a line. */
  missed(): void;
  /** It works: ends the outage, saying so if one was logged. */
  recovered(message: string): void;
}

/** Creates the state of something that works so far. */
export const createOutage = (log: Logger, clock: Clock): Outage => {
  let failures = 0;
  let logged: { readonly sinceMs: number; readonly reasons: Set<string> } | undefined;
  return {
    get failures() {
      return failures;
    },
    failed(message, fields) {
      failures += 1;
      logged ??= { sinceMs: clock.monotonicMs(), reasons: new Set() };
      if (logged.reasons.has(fields.reason)) return;
      logged.reasons.add(fields.reason);
      log.warn(message, fields);
    },
    missed() {
      failures += 1;
    },
    recovered(message) {
      if (logged) log.info(message, { durationMs: Math.round(clock.monotonicMs() - logged.sinceMs), count: failures });
      failures = 0;
      logged = undefined;
    },
  };
};
