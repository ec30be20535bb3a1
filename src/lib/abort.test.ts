import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { DeadlineExceeded, endsWithin, withDeadline } from './abort.ts';
import { sleep } from './clock.ts';

describe('a deadline', () => {
  const heeding = (signal: AbortSignal): Promise<string> =>
    new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason));
    });

  it('ends what takes longer, naming it', async () => {
    const clock = createVirtualClock();
    const ended = withDeadline({ clock, deadlineMs: 500, what: 'the call' }, heeding).catch((error: unknown) => error);
    await clock.advance(500);
    expect(await ended).toEqual(new DeadlineExceeded('the call took longer than 500 ms'));
  });

  it('leaves alone what ends in time, and leaves nothing behind', async () => {
    const clock = createVirtualClock();
    const { signal } = new AbortController();
    expect(await withDeadline({ clock, deadlineMs: 500, what: 'x', signal }, async () => 'done')).toBe('done');
    expect(clock.pending).toBe(0);
  });

  it("passes on the caller's abort and its reason, also one from before", async () => {
    const clock = createVirtualClock();
    const caller = new AbortController();
    const options = { clock, deadlineMs: 500, what: 'x', signal: caller.signal };
    const during = withDeadline(options, heeding);
    caller.abort(new Error('not wanted any more'));
    await expect(during).rejects.toThrow('not wanted any more');
    await expect(withDeadline(options, heeding)).rejects.toThrow('not wanted any more');
    expect(clock.pending).toBe(0);
  });
});

describe('waiting for an end, but not for ever', () => {
  it('tells whether it came in time', async () => {
    const clock = createVirtualClock();
    const options = { clock, deadlineMs: 500 };
    const soon = endsWithin(options, () => sleep(clock, 499));
    const late = endsWithin(options, () => sleep(clock, 501));
    await clock.advance(1_000);
    expect([await soon, await late, await endsWithin(options, () => undefined)]).toEqual([true, false, true]);
    expect(clock.pending).toBe(0);
  });

  it('passes on a failure in time, and lets a late one be', async () => {
    const clock = createVirtualClock();
    const failing = async (afterMs: number): Promise<void> => {
      await sleep(clock, afterMs);
      throw new Error('broken');
    };
    const late = endsWithin({ clock, deadlineMs: 500 }, () => failing(501));
    await clock.advance(1_000);
    expect(await late).toBe(false);
    const inTime = endsWithin({ clock, deadlineMs: 500 }, () => failing(1)).catch((error: unknown) => error);
    await clock.advance(1);
    expect(await inTime).toEqual(new Error('broken'));
  });
});
