// The gate of the crash test: which call it dies at, and which calls it counts.
import { describe, expect, it } from 'vitest';
import type { OutsideCall } from '../../src/lib/gate.ts';
import { createCrashGate, type KillPoint } from './crash-gate.ts';

class Died extends Error {}

const commit: OutsideCall = { to: 'sql', name: 'commit' };
const renewal: OutsideCall = { to: 'api', name: 'PUT leases' };

const setUp = (first?: KillPoint) => {
  const done: string[] = [];
  const crash = createCrashGate(first, () => {
    throw new Died();
  });
  const call = (which: OutsideCall) => crash.gate(which, async () => void done.push(which.name));
  return { crash, call, done };
};

describe('the gate', () => {
  it('dies before the call: nothing is sent', async () => {
    const { call, done } = setUp({
      call: 'sql commit',
      ordinal: 2,
      edge: 'before',
    });
    await call(commit);
    await expect(call(commit)).rejects.toThrow(Died);
    expect(done).toEqual(['commit']);
  });

  it('dies after the call: it was carried out, and nobody sees the answer', async () => {
    const { call, done } = setUp({
      call: 'sql commit',
      ordinal: 2,
      edge: 'after',
    });
    await call(commit);
    await expect(call(commit)).rejects.toThrow(Died);
    expect(done).toEqual(['commit', 'commit']);
  });

  it('dies after a call that failed as well', async () => {
    const { crash } = setUp({ call: 'sql commit', ordinal: 1, edge: 'after' });
    await expect(crash.gate(commit, () => Promise.reject(new Error('refused')))).rejects.toThrow(Died);
  });

  it('counts anew when it is armed, and lives when it is armed with nothing', async () => {
    const { crash, call } = setUp({
      call: 'sql commit',
      ordinal: 2,
      edge: 'before',
    });
    await call(commit);
    crash.arm(undefined);
    await call(commit);
    await call(commit);
    expect(crash.counts()).toEqual({ 'sql commit': 2 });
  });

  it('counts what comes by the clock once in a start, and never afterwards', async () => {
    const { crash, call } = setUp();
    await call(renewal);
    await call(renewal);
    expect(crash.counts()).toEqual({ 'api PUT leases': 1 });
    crash.arm({ call: 'api PUT leases', ordinal: 1, edge: 'before' });
    await call(renewal);
    expect(crash.counts()).toEqual({});
  });

  it('is not idle while a call is under way', async () => {
    const { crash } = setUp();
    const answer = Promise.withResolvers<void>();
    const asked = crash.gate(commit, () => answer.promise);
    expect(crash.idleMs()).toBe(0);
    answer.resolve();
    await asked;
    expect(crash.idleMs()).toBeGreaterThanOrEqual(0);
  });
});
