import { expect, test } from 'vitest';
import { Fault, isFault, messageOf } from './fault.ts';

test('a fault is known by its kind, and carries its cause apart from its message', () => {
  const cause = new Error('underneath');
  const fault = new Fault('waiting', 'Busy', 'waiting for it', { retryAfterMs: 5, cause });
  expect(fault).toMatchObject({ name: 'Fault', reason: 'Busy', message: 'waiting for it', retryAfterMs: 5, cause });
  expect([isFault(fault), isFault(fault, 'waiting'), isFault(fault, 'user'), isFault(cause)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(new Fault('user', 'X', 'x')).not.toHaveProperty('cause');
});

test('anything that was thrown has a text', () => {
  expect([new Error('an error'), 'a text', undefined, 7].map(messageOf)).toEqual([
    'an error',
    'a text',
    'undefined',
    '7',
  ]);
});
