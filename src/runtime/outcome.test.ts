import { describe, expect, test } from 'vitest';
import { ApiError } from '../kube/status-error.ts';
import { Fault } from '../lib/fault.ts';
import { outcomeOfError, outcomeOfResult } from './outcome.ts';

const refusal = (code: number, reason: string): ApiError => new ApiError(code, { reason });
const waiting = (retryAfterMs?: number): Fault =>
  new Fault('waiting', 'Busy', 'waiting', retryAfterMs === undefined ? {} : { retryAfterMs });

describe('what follows from the end of a pass', () => {
  test.each([
    ['nothing to say', undefined, { again: { when: 'changed' }, result: 'success' }],
    ['a time to look again', { afterMs: 5 }, { again: { when: 'after', afterMs: 5 }, result: 'requeue_after' }],
    ['to look again at once', { afterMs: 0 }, { again: { when: 'after', afterMs: 0 }, result: 'requeue_after' }],
  ])('with %s', (_, result, outcome) => {
    expect(outcomeOfResult(result)).toEqual(outcome);
  });

  test.each([
    ["a user's fault", new Fault('user', 'X', 'x'), { when: 'changed', result: 'success', log: 'info' }],
    ['waiting for a wake-up', waiting(), { when: 'changed', result: 'success', log: 'debug' }],
    ['waiting for a while', waiting(7), { when: 'after', result: 'requeue_after', log: 'debug' }],
    ['an internal fault', new Fault('internal', 'X', 'x'), { when: 'backoff', result: 'error', log: 'error' }],
    ['an error that is no fault', new TypeError('x'), { when: 'backoff', result: 'error', log: 'error' }],
    ['anything else', 'x', { when: 'backoff', result: 'error', log: 'error' }],
    ['a conflict', refusal(409, 'Conflict'), { when: 'backoff', result: 'requeue', log: 'debug' }],
    ['a name that is taken', refusal(409, 'AlreadyExists'), { when: 'backoff', result: 'requeue', log: 'debug' }],
    ['a refusal', refusal(403, 'Forbidden'), { when: 'backoff', result: 'error', log: 'error' }],
  ])('by %s', (_, error, { when, ...rest }) => {
    expect(outcomeOfError(error)).toMatchObject({ again: { when }, ...rest });
  });
});
