// Waits until the database answers, for as long as it takes.
import { backoffMs, type Backoff } from '../lib/backoff.ts';
import { sleep } from '../lib/clock.ts';
import { messageOf } from '../lib/fault.ts';
import type { Random } from '../lib/random.ts';
import { openSession, type DatabaseOptions } from './pool.ts';

/** How long between two attempts to connect, here and in the listener. */
export const connectBackoff: Backoff = { minMs: 200, maxMs: 30_000, factor: 2 };

/**
 * Returns once a session could be opened. Says so in the log when it has to wait, and when the wait is over; a refusal
 * (a wrong password, a database that does not exist) is waited for like an absence, because others may mend it.
 * @throws the signal's reason when it aborts.
 */
export const waitForDatabase = async (
  options: DatabaseOptions & { readonly random: Random; readonly signal?: AbortSignal },
): Promise<void> => {
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
      if (reason !== told) log.warn('waiting for the database', { reason });
      told = reason;
    }
    await sleep(clock, backoffMs(connectBackoff, attempt, random), signal);
  }
};
