import { describe, expect, it } from 'vitest';
import type { LeaseCandidate } from './lease.ts';
import { createLeasePair } from './lease-pair.ts';

/** A Lease that is held and lost by order. */
const scripted = () => {
  const said: string[] = [];
  let term = new AbortController();
  let take = Promise.withResolvers<AbortSignal>();
  let held = false;
  const candidate: LeaseCandidate = {
    start: () => void said.push('start'),
    whenHeld: (signal) =>
      Promise.race([
        take.promise,
        new Promise<never>((_resolve, reject) => {
          const abort = (): void => reject(new Error('aborted'));
          if (signal?.aborted) abort();
          signal?.addEventListener('abort', abort, { once: true });
        }),
      ]),
    get held() {
      return held;
    },
    stop: async () => void said.push('stop'),
  };
  return {
    candidate,
    said,
    take() {
      held = true;
      take.resolve(term.signal);
    },
    lose() {
      held = false;
      take = Promise.withResolvers();
      term.abort();
      term = new AbortController();
    },
  };
};

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('two Leases', () => {
  const setUp = () => {
    const first = scripted();
    const seconds: ReturnType<typeof scripted>[] = [];
    const pair = createLeasePair(first.candidate, () => {
      const second = scripted();
      seconds.push(second);
      return second.candidate;
    });
    pair.start();
    return { first, seconds, pair };
  };

  it('are held once both are, and the second is not asked for before', async () => {
    const { first, seconds, pair } = setUp();
    let got: AbortSignal | undefined;
    void pair.whenHeld().then((signal) => (got = signal));
    await settled();
    expect(seconds).toHaveLength(0);
    first.take();
    await settled();
    expect([seconds[0]?.said, got, pair.held]).toEqual([['start'], undefined, false]);
    seconds[0]?.take();
    await settled();
    expect([got?.aborted, pair.held]).toEqual([false, true]);
  });

  it.each(['first', 'second'] as const)('are lost when the %s is', async (which) => {
    const { first, seconds, pair } = setUp();
    first.take();
    const held = pair.whenHeld();
    await settled();
    seconds[0]?.take();
    const signal = await held;
    (which === 'first' ? first : seconds[0])?.lose();
    expect([signal.aborted, pair.held]).toEqual([true, false]);
  });

  it('are taken anew, by a second candidate of its own, when the first was lost while the second was waited for', async () => {
    const { first, seconds, pair } = setUp();
    first.take();
    const held = pair.whenHeld();
    await settled();
    first.lose();
    await settled();
    first.take();
    await settled();
    expect(seconds.map(({ said }) => said)).toEqual([['start', 'stop'], ['start']]);
    seconds[1]?.take();
    expect((await held).aborted).toBe(false);
  });

  it('are waited for no longer than is wanted, and both given back at the end', async () => {
    const { first, seconds, pair } = setUp();
    const stopping = new AbortController();
    first.take();
    const held = pair.whenHeld(stopping.signal);
    await settled();
    stopping.abort();
    await expect(held).rejects.toThrow('aborted');
    await pair.stop();
    expect([seconds[0]?.said, first.said]).toEqual([
      ['start', 'stop'],
      ['start', 'stop'],
    ]);
  });
});
