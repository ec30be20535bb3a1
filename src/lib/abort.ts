// Small joints between AbortSignals and promises.
import type { Clock } from './clock.ts';

/** The reason of a deadline's abort. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

/** True when a call ended because it was told to, not because it failed. */
export const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/**
 * Runs `run` with a signal that aborts when `signal` does, or after `deadlineMs` on the given clock.
 * @throws DeadlineExceeded naming `what` once the deadline has passed.
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
