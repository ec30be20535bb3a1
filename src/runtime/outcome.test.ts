import { describe, expect, test } from 'vitest';
import { ApiError } from '../kube/status-error.ts';
import { Fault } from '../lib/fault.ts';
import { outcomeOfError, outcomeOfResult } from './outcome.ts';

const refusal = (code: number, reason: string): ApiError => new ApiError(code, { reason });
const waiting = (retryAfterMs?: number): Fault =>
  new Fault('waiting', 'Busy', 'waiting', retryAfterMs === undefined ? {} : { retryAfterMs });

describe('what follows from the end of a pass', () => {
  test.each([
    ['nothing to say', undefined, 'changed', 'success'],
    ['a time to look again', { afterMs: 5 }, 'after', 'requeue_after'],
    ['to look again at once', { afterMs: 0 }, 'after', 'requeue_after'],
  ])('with %s: again when %s', (_, result, when, counted) => {
    expect(outcomeOfResult(result)).toMatchObject({ again: { when }, result: counted });
  });

  test.each([
    ["a user's fault", new Fault('user', 'X', 'x'), 'changed', 'success', 'info'],
    ['waiting for a wake-up', waiting(), 'changed', 'success', 'debug'],
    ['waiting for a while', waiting(7), 'after', 'requeue_after', 'debug'],
    ['an internal fault', new Fault('internal', 'X', 'x'), 'backoff', 'error', 'error'],
    ['an error that is no fault', new TypeError('x'), 'backoff', 'error', 'error'],
    ['anything else', 'x', 'backoff', 'error', 'error'],
    ['a conflict', refusal(409, 'Conflict'), 'backoff', 'requeue', 'debug'],
    ['a name that is taken', refusal(409, 'AlreadyExists'), 'backoff', 'requeue', 'debug'],
    ['a refusal', refusal(403, 'Forbidden'), 'backoff', 'error', 'error'],
  ])('by %s', (_, error, when, result, log) => {
    expect(outcomeOfError(error)).toMatchObject({ again: { when }, result, log });
  });
});
