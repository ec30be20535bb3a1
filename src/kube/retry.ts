// When a failed attempt at a call may be made again, and after how long.
import { backoffMs } from '../lib/backoff.ts';
import type { Random } from '../lib/random.ts';
import { ApiError } from './status-error.ts';
import { ConnectionError } from './transport.ts';

const backoff = { minMs: 100, maxMs: 5_000, factor: 2 };
const RETRIABLE_CODES = new Set([500, 502, 503, 504]);

/** A certificate is not accepted, or what we have to show can't be sent: trying again changes nothing. */
const isDistrust = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && /CERT|SIGNATURE|^ERR_(TLS|SSL|OSSL|INVALID)/.test(String(cause.code));

/**
 * Milliseconds until the attempt after the `attempt`-th may be made, or undefined when the failure is final.
 *
 * A read or a delete may always be made again. Anything else only where the server certainly did nothing: it never saw
 * the request, it said 429 (its flow control), or 503 with `Retry-After` (it is not ready).
 */
export const retryDelayMs = (
  failure: unknown,
  call: { readonly method: string; readonly attempt: number },
  random: Random,
): number | undefined => {
  const repeatable = call.method === 'GET' || call.method === 'DELETE';
  const delayMs = backoffMs(backoff, call.attempt, random);
  if (failure instanceof ConnectionError) {
    return (repeatable || !failure.sent) && !isDistrust(failure.cause) ? delayMs : undefined;
  }
  if (!(failure instanceof ApiError)) return undefined;
  const toldToWait = failure.code === 429 || (failure.code === 503 && failure.retryAfterMs !== undefined);
  if (!toldToWait && !(repeatable && RETRIABLE_CODES.has(failure.code))) return undefined;
  return Math.max(failure.retryAfterMs ?? 0, delayMs);
};
