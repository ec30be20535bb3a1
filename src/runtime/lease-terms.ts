// The times during which a candidate holds its Lease.
import type { Clock, Timer } from '../lib/clock.ts';
import { Fault } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import { untilAborted } from './until-aborted.ts';

interface Term {
  readonly controller: AbortController;
  untilMs: number;
  timer?: Timer;
}

/** The terms of one candidate, one after the other. */
export interface Terms {
  readonly held: boolean;
  /** What is left of the present term. */
  leftMs(): number | undefined;
  /** Ends the present term, if there is one. */
  lose(why: string): void;
  /** The present term, or a new one, lasts until then. A renewal that is answered too late extends nothing. */
  extend(untilMs: number): void;
  /** The signal of the present term, or of the next one. */
  next(signal?: AbortSignal): Promise<AbortSignal>;
  /** Ends the present term; there is no next one. */
  close(): void;
}

/** Creates them, the first yet to come. */
export const createLeaseTerms = (options: {
  readonly name: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}): Terms => {
  const { name, clock, log } = options;
  const status = options.metrics.gauge({
    name: 'leader_election_master_status',
    help: '1 while this process holds the Lease.',
    labels: ['name'],
  });
  status.set(0, { name });
  let term: Term | undefined;
  let begun = createBegun();
  const isHeld = (): boolean => term !== undefined && clock.monotonicMs() < term.untilMs;
  const end = (error: Fault): boolean => {
    if (!term) return false;
    term.timer?.cancel();
    status.set(0, { name });
    const { controller } = term;
    term = undefined;
    begun = createBegun();
    controller.abort(error);
    return true;
  };
  const lose = (why: string): void => {
    const error = new Fault('internal', 'LostLease', `the Lease ${name} is lost: ${why}`);
    if (end(error)) log.warn('the Lease is lost; what works under it stops', { reason: why });
  };
  return {
    get held() {
      return isHeld();
    },
    leftMs: () => (term && isHeld() ? term.untilMs - clock.monotonicMs() : undefined),
    lose,
    extend(untilMs) {
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs <= 0) return lose('its renewal came too late');
      if (term && !isHeld()) lose('its renewal came too late'); // the timer is late; what comes is another term
      const isNew = term === undefined;
      term ??= { controller: new AbortController(), untilMs };
      term.timer?.cancel();
      term.untilMs = untilMs;
      term.timer = clock.after(leftMs, () => lose('it could not be renewed in time'));
      if (!isNew) return;
      status.set(1, { name });
      log.info('the Lease is held');
      begun.resolve(term.controller.signal);
    },
    next: (signal) => untilAborted(begun.promise, signal),
    close() {
      const error = new Fault('internal', 'Stopping', `the candidate for the Lease ${name} was stopped`);
      end(error);
      begun.reject(error);
    },
  };
};

const createBegun = (): PromiseWithResolvers<AbortSignal> => {
  const begun = Promise.withResolvers<AbortSignal>();
  begun.promise.catch(() => undefined); // nobody may be waiting when the candidate is stopped
  return begun;
};
