// Ends what has been silent for too long: the liveness check of a stream.
import type { Clock } from '../lib/clock.ts';

/** Watches over one stream. */
export interface SilenceGuard {
  /** Aborts when the parent does, or with the reason of the silence. */
  readonly signal: AbortSignal;
  /** Something came. */
  heard(): void;
  /** From now on this long a silence is allowed. */
  allow(limitMs: number): void;
  /** Ends the guard; its signal doesn't abort any more. */
  end(): void;
}

/** Starts a guard that aborts with `reasonOf(limitMs)` once nothing was heard for `limitMs`. */
export const guardSilence = (options: {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly reasonOf: (limitMs: number) => Error;
}): SilenceGuard => {
  const { clock, signal, reasonOf } = options;
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal.reason);
  if (signal.aborted) follow();
  signal.addEventListener('abort', follow, { once: true });
  let limitMs = options.limitMs;
  let heardMs = clock.monotonicMs();
  // One timer that looks back, instead of one that is set anew with each of thousands of events.
  const look = (): void => {
    const leftMs = heardMs + limitMs - clock.monotonicMs();
    if (leftMs <= 0) controller.abort(reasonOf(limitMs));
    else timer = clock.after(leftMs, look);
  };
  let timer = clock.after(limitMs, look);
  return {
    signal: controller.signal,
    heard() {
      heardMs = clock.monotonicMs();
    },
    allow(nextLimitMs) {
      if (nextLimitMs === limitMs) return;
      limitMs = nextLimitMs;
      timer.cancel();
      timer = clock.after(limitMs, look);
    },
    end() {
      timer.cancel();
      signal.removeEventListener('abort', follow);
    },
  };
};
