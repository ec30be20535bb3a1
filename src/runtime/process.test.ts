import { describe, expect, it } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { sleep } from '../lib/clock.ts';
import { createProcess, type Part } from './process.ts';

const setUp = () => {
  const clock = createVirtualClock();
  const { log, lines } = capturedLog();
  const seen: string[] = [];
  const part = (name: string, more: Partial<Part> = {}): Part => ({
    name,
    async start(signal) {
      seen.push(`${name} starts`);
      await more.start?.(signal);
    },
    async stop() {
      seen.push(`${name} stops`);
      await more.stop?.();
    },
  });
  const process = (...parts: Part[]) => createProcess({ parts, clock, log, stopMs: 1_000 });
  return { clock, lines, seen, part, process };
};
const broken = (): never => {
  throw new Error('broken');
};

describe('a process', () => {
  it('starts its parts one after the other and stops them in reverse', async () => {
    const { seen, part, process, clock } = setUp();
    const slow = part('slow', { start: () => sleep(clock, 100) });
    const running = process(slow, part('next'));
    const started = running.start();
    await clock.advance(99);
    expect(seen).toEqual(['slow starts']);
    await clock.advance(1);
    await started;
    await Promise.all([running.stop(), running.stop()]);
    expect(seen).toEqual(['slow starts', 'next starts', 'next stops', 'slow stops']);
    expect(clock.pending).toBe(0);
  });

  it('stops what had started when a part fails, the failed part included, and tells that failure', async () => {
    const { seen, part, process } = setUp();
    const running = process(part('first'), part('bad', { start: broken }), part('never'));
    await expect(running.start()).rejects.toThrow('broken');
    expect(seen).toEqual(['first starts', 'bad starts', 'bad stops', 'first stops']);
  });

  it('can be stopped in the middle of a start, whose part is stopped after its start has ended', async () => {
    const { seen, part, process, clock } = setUp();
    const heeding = part('heeding', {
      start: (signal) => sleep(clock, 60_000, signal).finally(() => seen.push('its start ends')),
    });
    const running = process(part('first'), heeding, part('never'));
    const started = running.start();
    await clock.advance(10);
    await running.stop();
    await started;
    expect(seen.slice(2)).toEqual(['its start ends', 'heeding stops', 'first stops']);
    expect(clock.pending).toBe(0);
  });

  it('does not wait for ever for a start that does not heed its signal', async () => {
    const { seen, part, process, clock, lines } = setUp();
    const deaf = part('deaf', { start: () => sleep(clock, 5_000) });
    const running = process(deaf, part('never'));
    const started = running.start();
    const stopped = running.stop();
    await clock.advance(1_000);
    await stopped;
    expect(lines).toMatchObject([{ level: 'warn', msg: 'the start of deaf does not end in time; it is left behind' }]);
    await clock.advance(5_000);
    await started;
    expect(seen).toEqual(['deaf starts', 'deaf stops']);
  });

  it('leaves a part behind that does not stop, or fails to, names it, and stops the others', async () => {
    const { seen, part, process, clock, lines } = setUp();
    const running = process(
      part('first'),
      part('bad', { stop: broken }),
      part('stuck', { stop: () => sleep(clock, 5_000) }),
    );
    await running.start();
    const stopped = running.stop();
    await clock.advance(1_000);
    await stopped;
    expect(seen.slice(3)).toEqual(['stuck stops', 'bad stops', 'first stops']);
    expect(lines.map((line) => line['msg'])).toEqual([
      'the stop of stuck does not end in time; it is left behind',
      'bad did not stop cleanly: broken',
    ]);
    await clock.advance(5_000);
  });

  it('starts nothing once it was stopped', async () => {
    const { seen, part, process } = setUp();
    const running = process(part('first'));
    await running.stop();
    await running.start();
    expect(seen).toEqual([]);
  });
});
