// Leader election: of all candidates for one Lease, at most one works at a time.
import { sleep, type Clock } from '../lib/clock.ts';
import { Fault, messageOf } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Random } from '../lib/random.ts';
import type { CallOptions, KubeClient } from '../kube/client.ts';
import { leases } from '../kube/object.ts';
import { ApiError, isAlreadyExists, isConflict, isNotFound } from '../kube/status-error.ts';
import { claim, createObservation, released } from './lease-record.ts';
import { createLeaseTerms, type Terms } from './lease-terms.ts';
import { createOutage } from './outage.ts';

/** The rhythm of an election. The defaults are those of Kubernetes' own components. */
export interface LeaseSettings {
  /** How long others wait after the last renewal that they saw. */
  readonly durationMs: number;
  /** How long the holder works on without a renewal; shorter, so that it has stopped before another may begin. */
  readonly renewDeadlineMs: number;
  /** Between two attempts to renew or to take it. */
  readonly retryMs: number;
}

/** What a candidate is made of. */
export interface LeaseOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Of this process alone; a second candidate under the same identity would hold the Lease at the same time. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly settings?: LeaseSettings;
}

/**
 * A candidate for one `coordination.k8s.io/v1` Lease.
 *
 * *Guarantees*: the signal of a term aborts before another candidate may take the Lease, also when the API server is
 * away. Clocks need not agree: a candidate takes the Lease only after it has watched it stay unrenewed for its whole
 * duration on its own clock.
 * *Caveats*: a process that is frozen for longer than the deadline, and whose timers are late, may work on for a moment;
 * a Lease deleted by hand is free at once. So what a holder writes must bear a second writer.
 */
export interface LeaseCandidate {
  start(): void;
  /**
   * Resolves once the Lease is held, with the signal of that term, which aborts when it is lost or given up.
   * @throws the signal's reason, or Fault('internal', 'Stopping').
   */
  whenHeld(signal?: AbortSignal): Promise<AbortSignal>;
  readonly held: boolean;
  /** Ends the term and gives the Lease back, so that another needs not wait. What works under it should have stopped. */
  stop(): Promise<void>;
}

const DEFAULTS: LeaseSettings = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
const RELEASE_DEADLINE_MS = 5_000;

/** Creates a candidate that takes part once it is started. */
export const createLease = (options: LeaseOptions): LeaseCandidate => {
  const settings = checked(options.settings ?? DEFAULTS);
  const { clock, random, namespace, name } = options;
  const log = options.log.with({ component: 'lease', lease: name, namespace });
  const outage = createOutage(log, clock);
  const terms = createLeaseTerms({ ...options, log });
  const { attempt, release } = createElection({ ...options, log, settings, terms });
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        await attempt(signal);
        outage.recovered('the Lease can be reached again');
      } catch (err) {
        if (signal.aborted) return;
        outage.failed(...describe(err));
      }
      const jitter = terms.held ? 0 : 0.2 * random.next();
      await sleep(clock, settings.retryMs * (1 + jitter), signal).catch(() => undefined); // stopped
    }
  };
  return {
    start() {
      if (!stopping.signal.aborted) running ??= run(stopping.signal);
    },
    whenHeld: (signal) => terms.next(signal),
    get held() {
      return terms.held;
    },
    async stop() {
      stopping.abort();
      await running;
      const wasHeld = terms.held;
      terms.close();
      if (wasHeld) await release();
    },
  };
};

/** What a candidate does with the Lease. */
interface Election {
  /** One attempt to renew the Lease or to take it. */
  attempt(signal: AbortSignal): Promise<void>;
  /** Gives it back, if it can. */
  release(): Promise<void>;
}

const createElection = (
  options: LeaseOptions & { readonly settings: LeaseSettings; readonly terms: Terms },
): Election => {
  const { client, clock, namespace, name, identity, settings, terms } = options;
  const observed = createObservation(clock, settings.durationMs);
  const read = async (call: CallOptions): Promise<void> => {
    try {
      observed.see(await client.get(leases, { namespace, name }, call));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      observed.see(undefined);
    }
  };
  const write = async (call: CallOptions): Promise<void> => {
    const wanted = claim(observed.lease, { ...options, durationMs: settings.durationMs });
    observed.see(
      observed.lease ? await client.update(leases, wanted, call) : await client.create(leases, wanted, call),
    );
  };
  let waitsFor = '';
  /** Another has it. A candidate says once for whom it waits, so that a process that does nothing says why. */
  const giveWay = (): void => {
    terms.lose(`${observed.holder} has it`);
    if (observed.holder !== waitsFor) options.log.info(`waiting for the Lease, which ${observed.holder} holds`);
    waitsFor = observed.holder;
  };
  const isFree = (): boolean => observed.holder === identity || observed.holder === '' || observed.isExpired();
  return {
    async attempt(signal) {
      const startMs = clock.monotonicMs();
      const call = { signal, retry: false, deadlineMs: terms.leftMs() ?? settings.renewDeadlineMs };
      // A holder knows the Lease from its last renewal, unless that failed.
      if (!terms.held || !observed.isFresh) await read(call);
      if (!isFree()) return giveWay();
      try {
        await write(call);
      } catch (error) {
        observed.doubt();
        const isDeleted = isNotFound(error) && observed.lease !== undefined;
        if (!isConflict(error) && !isAlreadyExists(error) && !isDeleted) throw error;
        await read(call); // somebody was faster, or a renewal of ours came through whose answer we never got
        if (observed.holder !== identity) terms.lose(`${observed.holder || 'nobody'} has it`);
        return;
      }
      waitsFor = '';
      terms.extend(startMs + settings.renewDeadlineMs);
    },
    async release() {
      const call = { deadlineMs: RELEASE_DEADLINE_MS, retry: false };
      try {
        await read(call);
        if (!observed.lease || observed.holder !== identity) return;
        await client.update(leases, released(observed.lease, clock), call);
      } catch (err) {
        options.log.debug('the Lease was not given back; it ends by itself', { err });
      }
    },
  };
};

const checked = (settings: LeaseSettings): LeaseSettings => {
  const { durationMs, renewDeadlineMs, retryMs } = settings;
  if (retryMs < renewDeadlineMs && renewDeadlineMs < durationMs && durationMs >= 1_000) return settings;
  throw new Fault('user', 'InvalidSetting', 'a Lease needs retry < renew deadline < duration, and a second or more');
};

const describe = (err: unknown) => {
  const reason = err instanceof ApiError ? `${err.code} ${err.reason}` : messageOf(err);
  const message = isNotFound(err)
    ? 'the namespace of the Lease is not there yet; it is asked again'
    : 'the Lease cannot be reached; it is tried again until it works';
  return [message, { reason, err }] as const;
};
