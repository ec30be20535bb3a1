// Removes from other clusters what was made there for environments that are gone, as long as that can still be done.
import {
  dropCleanups,
  postponeCleanup,
  removeCleanup,
  selectDueCleanups,
  selectNextCleanup,
  sweepChecks,
  type DueCleanup,
} from '../../db/queries/environment-cleanup.ts';
import type { Database } from '../../db/pool.ts';
import { parseTime, utcText, type Clock } from '../../lib/clock.ts';
import type { Keyring } from '../../lib/envelope.ts';
import { messageOf } from '../../lib/fault.ts';
import type { Logger } from '../../lib/log.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import { isCallFailure } from '../remote-cause.ts';
import type { MadeServiceAccount, Removal } from '../remote-cluster.ts';

/** The only key of the clean-up. */
export const cleanupKey = 'backend/environment-cleanup/all';

/** What the clean-up takes. */
export interface CleanupContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly keyring: Keyring;
  readonly remove: (account: MadeServiceAccount, signal: AbortSignal) => Promise<Removal>;
  /** True while a check of the environment with this UID is under way, or has brought what is not in the rows yet. */
  readonly isBusy: (uid: string) => boolean;
}

const PAGE = 20;
const FIRST_AGAIN_MS = 10_000;
/** Within 22 minutes; then the cluster is taken to be gone. */
const MOST_TRIES = 8;
/** Within 20 s: a cluster that has just started may refuse a good token. */
const MOST_REFUSALS = 3;
/** Whoever notes something asks for a look, and so does a start; this only catches a clock that was put back. */
const LOOK_MS = 600_000;
/** For what waits for its Operation. That asks for a look when it ends. */
const WAITING_AGAIN_MS = 60_000;
const BUSY_AGAIN_MS = 5_000;
/** For a token that can't be read: the operator has to give the key. */
const UNREADABLE_AGAIN_MS = 600_000;
const SWEEP_MS = 3_600_000;
/** Longer than any result counts. */
const CHECK_AGE_MS = 86_400_000;

/** Creates the reconciler. */
export const createCleanup = (context: CleanupContext): Reconcile => {
  const { db, clock } = context;
  const tryOne = createTry(context);
  let nextSweepMs = -Infinity;
  return async (_key, { signal }) => {
    const due = await selectDueCleanups(db, utcText(clock.now()), PAGE);
    const idle = due.filter((one) => !context.isBusy(one.environment_uid));
    const tried = await Promise.allSettled(idle.map((one) => tryOne(one, signal)));
    const failed = tried.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
    if (due.length === PAGE && idle.length > 0) return { afterMs: 1 };
    if (clock.monotonicMs() >= nextSweepMs) {
      await sweepChecks(db, utcText(clock.now() - CHECK_AGE_MS));
      nextSweepMs = clock.monotonicMs() + SWEEP_MS;
    }
    if (idle.length < due.length) return { afterMs: BUSY_AGAIN_MS };
    return { afterMs: untilNext(parseTime(await selectNextCleanup(db)), clock.now()) };
  };
};

/** When to look again, in milliseconds. */
const untilNext = (dueAtMs: number | undefined, nowMs: number): number => {
  if (dueAtMs === undefined) return LOOK_MS;
  return dueAtMs > nowMs ? Math.min(dueAtMs - nowMs, LOOK_MS) : WAITING_AGAIN_MS;
};

const createTry = ({ db, clock, log, keyring, remove }: CleanupContext) => {
  /** How often a cluster has refused the token of a note. */
  const refusals = new Map<string, number>();

  const again = (id: string, attempts: number, afterMs: number): Promise<void> =>
    postponeCleanup(db, { id, attempts, dueAt: utcText(clock.now() + afterMs) });

  const giveUp = async (due: DueCleanup, became: string, reason: string) => {
    await removeCleanup(db, due.cleanup_id);
    log.warn(`ServiceAccount ${due.service_account} ${became} on ${due.host}`, { reason });
  };

  /** @throws Fault('internal') for a token that can't be read. Its note stays, and holds up no other one. */
  const read = async (due: DueCleanup): Promise<MadeServiceAccount> => {
    const { host, service_account: serviceAccount, environment_uid: uid, allow_insecure: insecure } = due;
    try {
      const token = keyring.open(due.bearer_token);
      const inUse = due.in_use === null ? undefined : keyring.open(due.in_use);
      return { host, token, insecure, serviceAccount, uid, inUse };
    } catch (error) {
      await again(due.cleanup_id, due.attempts, UNREADABLE_AGAIN_MS); // that was no try
      throw error;
    }
  };

  const carryOut = async (due: DueCleanup, signal: AbortSignal): Promise<Removal | { readonly failed: string }> => {
    const account = await read(due);
    try {
      return await remove(account, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isCallFailure(error)) return { failed: messageOf(error) };
      throw error; // nothing of the cluster's, so no reason to give up
    }
  };

  return async (due: DueCleanup, signal: AbortSignal): Promise<void> => {
    const { cleanup_id: id, host, environment_uid: environmentUid } = due;
    const attempts = due.attempts + 1;
    const until = utcText(clock.now());
    const removal = await carryOut(due, signal);
    const refused = removal === 'refused' ? (refusals.get(id) ?? 0) + 1 : 0;
    refusals.delete(id);
    if (removal === 'done') return dropCleanups(db, { environmentUid, host, until }); // all notes of the account
    if (removal !== 'refused') {
      if (attempts >= MOST_TRIES) return giveUp(due, 'was left', removal.failed);
      return again(id, attempts, FIRST_AGAIN_MS * 2 ** due.attempts);
    }
    if (refused >= MOST_REFUSALS || attempts >= MOST_TRIES) {
      return giveUp(due, 'is gone, or was left', 'the cluster does not take its token any more');
    }
    refusals.set(id, refused);
    return again(id, attempts, FIRST_AGAIN_MS);
  };
};
