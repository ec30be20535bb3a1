// The one place that turns the end of a pass into: when again, how loud, and counted as what.
import { isAlreadyExists, isConflict } from '../kube/status-error.ts';
import { Fault, type FaultKind } from '../lib/fault.ts';

/** What a pass may return: when to look again. Nothing means: when something changes, and at the resync. */
export type ReconcileResult = { readonly afterMs: number } | undefined | void;

/** When a key runs again by itself. */
export type Again =
  { readonly when: 'changed' } | { readonly when: 'after'; readonly afterMs: number } | { readonly when: 'backoff' };

/** What follows from the end of a pass. `result` is the label in `controller_runtime_reconcile_total`. */
export interface Outcome {
  readonly again: Again;
  readonly result: 'success' | 'requeue_after' | 'error';
  /** How the end is logged; undefined for a success. */
  readonly log?: 'debug' | 'info' | 'error';
}

const ofKind: Record<FaultKind, (fault: Fault) => Outcome> = {
  user: () => ({ again: { when: 'changed' }, result: 'success', log: 'info' }),
  waiting: (fault) => ({
    again: fault.retryAfterMs === undefined ? { when: 'changed' } : { when: 'after', afterMs: fault.retryAfterMs },
    result: 'requeue_after',
    log: 'debug',
  }),
  internal: () => ({ again: { when: 'backoff' }, result: 'error', log: 'error' }),
};

/**
 * The outcome of a pass that returned. A user's fault is a success of ours: the pass said what is wrong, and only a
 * change can mend it.
 */
export const outcomeOfResult = (result: ReconcileResult): Outcome =>
  result
    ? { again: { when: 'after', afterMs: result.afterMs }, result: 'requeue_after' }
    : { again: { when: 'changed' }, result: 'success' };

/**
 * The outcome of a pass that threw. What is no Fault is internal; a conflict only says that somebody was faster or the
 * cache older, which the next pass sees.
 */
export const outcomeOfError = (error: unknown): Outcome => {
  if (error instanceof Fault) return ofKind[error.kind](error);
  if (isConflict(error) || isAlreadyExists(error))
    return { again: { when: 'backoff' }, result: 'requeue_after', log: 'debug' };
  return { again: { when: 'backoff' }, result: 'error', log: 'error' };
};
