// Work that goes on only while a Lease is held, and begins anew with each term.
import { endsWithin } from '../lib/abort.ts';
import { backoffMs, type Backoff } from '../lib/backoff.ts';
import { sleep, type Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { LeaseCandidate } from './lease.ts';
import type { Part } from './process.ts';

/** What runs during one term. */
export interface Work {
  stop(): Promise<void>;
}

/** What terms are made of. */
export interface TermsOptions {
  readonly name: string;
  readonly lease: LeaseCandidate;
  /** `lost` aborts when the term ends by itself; what it interrupts should end then without grace. */
  readonly begin: (lost: AbortSignal) => Promise<Work> | Work;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Longer than any call under way may take. */
const STOP_MS = 30_000;
/** Between two attempts to begin. */
const BEGIN_BACKOFF: Backoff = { minMs: 500, maxMs: 30_000, factor: 2 };

/**
 * The part of a process that works under a Lease: whenever it is held, `begin` starts the work, tried again until it
 * does or the term ends; when the Lease is lost, the work is stopped before anything else, and begins again with the
 * next term. Work that does not stop within half a minute, which is a defect, is left behind and named in the log: a
 * holder that works twice does less harm than one that never works again.
 */
export const createTerms = (options: TermsOptions): Part => {
  const { lease } = options;
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const serve = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const lost = await lease.whenHeld(stopping.signal).catch(() => undefined); // told to stop
      if (lost) await serveTerm(options, lost, AbortSignal.any([lost, stopping.signal]));
    }
  };

  return {
    name: options.name,
    start() {
      lease.start();
      running = serve();
    },
    async stop() {
      stopping.abort();
      await running;
      await lease.stop();
    },
  };
};

/** One term, from the work's begin to its end. Never fails: there has to be a next one. */
const serveTerm = async (options: TermsOptions, lost: AbortSignal, ended: AbortSignal): Promise<void> => {
  const { clock, log, name } = options;
  const work = await beginWork(options, lost, ended);
  await aborted(ended);
  try {
    if (await endsWithin({ clock, deadlineMs: STOP_MS }, () => work?.stop())) return;
    log.error(`${name} does not stop; it is left behind`, { afterMs: STOP_MS });
  } catch (error) {
    log.error(`${name} did not stop cleanly: ${messageOf(error)}`, { err: error });
  }
};

const beginWork = async (
  { begin, clock, random, log, name }: TermsOptions,
  lost: AbortSignal,
  ended: AbortSignal,
): Promise<Work | undefined> => {
  for (let attempt = 1; !ended.aborted; attempt += 1) {
    try {
      return await begin(lost);
    } catch (error) {
      if (ended.aborted) return undefined;
      const afterMs = backoffMs(BEGIN_BACKOFF, attempt, random);
      log.error(`${name} could not begin and is tried again: ${messageOf(error)}`, { attempt, afterMs, err: error });
      await sleep(clock, afterMs, ended).catch(() => undefined); // the term has ended
    }
  }
  return undefined;
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
