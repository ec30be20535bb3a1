// The one place that turns the end of a pass into: when again, how loud, and counted as what.
import { isAlreadyExists, isConflict } from '../kube/status-error.ts';
import { Fault, type FaultKind } from '../lib/fault.ts';

/** What a pass may return: when to look again. Nothing means: when something changes, and at the resync. */
export type ReconcileResult = { readonly afterMs: number } | undefined | void;

/** When a key runs again by itself. */
export type Again =
  { readonly when: 'changed' } | { readonly when: 'after'; readonly afterMs: number } | { readonly when: 'backoff' };

/** What follows from the end of a pass. `result` is the label that controller-runtime has in `…_reconcile_total`. */
export interface Outcome {
  readonly again: Again;
  readonly result: 'success' | 'requeue' | 'requeue_after' | 'error';
  /** How the end is logged; undefined for a success. */
  readonly log?: 'debug' | 'info' | 'error';
}

const lookAgain = (afterMs: number | undefined): Outcome =>
  afterMs === undefined
    ? { again: { when: 'changed' }, result: 'success' }
    : { again: { when: 'after', afterMs }, result: 'requeue_after' };

const ofKind: Record<FaultKind, (fault: Fault) => Outcome> = {
  user: (fault) => ({ ...lookAgain(fault.retryAfterMs), log: 'info' }),
  waiting: (fault) => ({ ...lookAgain(fault.retryAfterMs), log: 'debug' }),
  internal: () => ({ again: { when: 'backoff' }, result: 'error', log: 'error' }),
};

/** The outcome of a pass that returned. */
export const outcomeOfResult = (result: ReconcileResult): Outcome => lookAgain(result?.afterMs);

/**
 * The outcome of a pass that threw. A user's fault is a success of ours: the pass said what is wrong, and only a change
 * can mend it. What is no Fault is internal; a conflict only says that somebody was faster or the cache older, which
 * the next pass sees.
 */
export const outcomeOfError = (error: unknown): Outcome => {
  if (error instanceof Fault) return ofKind[error.kind](error);
  if (isConflict(error) || isAlreadyExists(error))
    return { again: { when: 'backoff' }, result: 'requeue', log: 'debug' };
  return { again: { when: 'backoff' }, result: 'error', log: 'error' };
};
