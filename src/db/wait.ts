// Waits until the database answers, or is what it has to be, for as long as it takes.
import { backoffMs, type Backoff } from '../lib/backoff.ts';
import { sleep } from '../lib/clock.ts';
import { isFault, messageOf } from '../lib/fault.ts';
import type { Random } from '../lib/random.ts';
import { openSession, type DatabaseOptions } from './pool.ts';
import { isAnswered } from './sql-error.ts';

/** How long between two attempts to connect, here and in the listener. */
export const connectBackoff: Backoff = { minMs: 200, maxMs: 30_000, factor: 2 };

/** How long between two looks at a database that is not what it has to be. */
const readyBackoff: Backoff = { minMs: 500, maxMs: 10_000, factor: 2 };

/** With what is waited. */
type WaitOptions = DatabaseOptions & { readonly random: Random; readonly signal?: AbortSignal };

/**
 * Returns once a session could be opened. Says so in the log when it has to wait, and when the wait is over; a refusal
 * (a wrong password, a database that does not exist) is waited for like an absence, because others may mend it.
 * @throws the signal's reason when it aborts.
 */
export const waitForDatabase = async (options: WaitOptions): Promise<void> => {
  const { clock, log, random, signal } = options;
  let told: string | undefined;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      const session = await openSession({ ...options, to: 'sql' });
      await session.close();
      if (told !== undefined) log.info('the database is there', { attempt });
      return;
    } catch (error) {
      const reason = messageOf(error);
      const cause = isAnswered(error) ? reason : 'no answer'; // which has many words: refused, reset, timed out
      if (cause !== told) log.warn('waiting for the database', { reason });
      told = cause;
    }
    await sleep(clock, backoffMs(connectBackoff, attempt, random), signal);
  }
};

/**
 * Runs `run` on a database that answers; again when the database goes away meanwhile, and when `run` says, by a
 * `waiting` fault, that it is not what it has to be. Each cause is logged once.
 * @throws the signal's reason when it aborts; whatever else `run` throws.
 */
export const onceReady = async <T>(options: WaitOptions, run: () => Promise<T>): Promise<T> => {
  const { clock, log, random, signal } = options;
  const told = new Set<string>();
  for (let attempt = 1; ; attempt += 1) {
    await waitForDatabase(options);
    try {
      return await run();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isAway(error) && !isFault(error, 'waiting')) throw error;
      const [cause, fields] = isAway(error)
        ? ['the database went away; it is tried again', { reason: messageOf(error) }]
        : [messageOf(error)];
      if (!told.has(cause)) log.warn(cause, fields);
      told.add(cause);
    }
    await sleep(clock, backoffMs(readyBackoff, attempt, random), signal);
  }
};

/** What was under way may have happened, and `run` finds out. */
const isAway = (error: unknown): boolean =>
  isFault(error) && (error.reason === 'DatabaseUnavailable' || error.reason === 'CommitUnknown');
