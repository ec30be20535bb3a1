import { expect, test } from 'vitest';
import { openGate } from './gate.ts';

test('the gate of production lets every call through and passes on how it ends', async () => {
  const call = { to: 'api', name: 'GET things' } as const;
  expect(await openGate(call, async () => 'answer')).toBe('answer');
  await expect(openGate(call, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
});
