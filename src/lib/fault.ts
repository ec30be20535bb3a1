// The one error type of the service: it says whose fault it is, what the user may read, and when to try again.

/**
 * Who can mend a fault.
 * - `user`: only a change of the object, or of what it refers to; not retried on a timer.
 * - `waiting`: something else has to finish first; looked at again after `retryAfterMs`.
 * - `internal`: us, or what we stand on; retried with exponential backoff.
 */
export type FaultKind = 'user' | 'waiting' | 'internal';

/** What a fault carries besides its reason and message. */
export interface FaultOptions {
  /**
   * Milliseconds until a `waiting` fault is looked at again; of a `user` fault, when something else about the key has to
   * be looked at. Without it the key waits for a wake-up and the resync.
   */
  readonly retryAfterMs?: number;
  /** The error underneath. It goes to the log only, never to a user. */
  readonly cause?: unknown;
}

/**
 * An error that knows its handling. Thrown deep, logged once, at the top (`runtime/outcome`).
 *
 * `message` of a `user` or `waiting` fault may be shown to the tenant, so it never holds a secret. The message of an
 * `internal` fault is for operators; the tenant sees a generic sentence instead.
 *
 * `R` is the union of reasons: the platform's in `lib/reasons.ts`, the product's in `api/reasons.ts`.
 */
export class Fault<R extends string = string> extends Error {
  override readonly name = 'Fault';
  readonly kind: FaultKind;
  readonly reason: R;
  readonly retryAfterMs: number | undefined;

  constructor(kind: FaultKind, reason: R, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** True when `error` is a fault, of the given kind if one is named. */
export const isFault = (error: unknown, kind?: FaultKind): error is Fault =>
  error instanceof Fault && (kind === undefined || error.kind === kind);

/** Anything thrown, as an error. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** The text of anything thrown, without its stack. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
