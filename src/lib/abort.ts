// Small joints between AbortSignals and promises.
import type { Clock } from './clock.ts';

/** The reason of a deadline's abort. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

/**
 * Runs `run` with a signal that aborts when `signal` does, or after `deadlineMs` on the given clock; the reason of the
 * latter is a `DeadlineExceeded` naming `what`. Waits for `run`, which has to heed the signal.
 * @throws what `run` throws.
 */
export const withDeadline = async <T>(
  options: { readonly clock: Clock; readonly deadlineMs: number; readonly what: string; readonly signal?: AbortSignal },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const { clock, deadlineMs, what, signal } = options;
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) follow();
  signal?.addEventListener('abort', follow, { once: true });
  const timer = clock.after(deadlineMs, () =>
    controller.abort(new DeadlineExceeded(`${what} took longer than ${deadlineMs} ms`)),
  );
  try {
    return await run(controller.signal);
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', follow);
  }
};

/**
 * Waits for `run`, but no longer than `deadlineMs`: false when it went on. What it ends with later is nobody's.
 * @throws what `run` throws in time.
 */
export const endsWithin = async (
  options: { readonly clock: Clock; readonly deadlineMs: number },
  run: () => Promise<unknown> | void,
): Promise<boolean> => {
  const late = Promise.withResolvers<boolean>();
  const timer = options.clock.after(options.deadlineMs, () => late.resolve(false));
  const inTime = async (): Promise<boolean> => {
    await run();
    return true;
  };
  return Promise.race([inTime(), late.promise]).finally(() => timer.cancel());
};
