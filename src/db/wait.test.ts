import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { withDatabaseProxy } from '../../test/kit/database-proxy.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { openGate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { seededRandom } from '../lib/random.ts';
import { waitForDatabase } from './wait.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase({ migrated: false });
});
afterAll(() => test.drop());

const waiting = (url: string, signal?: AbortSignal) => {
  const clock = createVirtualClock();
  const { log, lines } = capturedLog();
  const done = waitForDatabase({
    connection: { url },
    name: 'wait test',
    gate: openGate,
    clock,
    random: seededRandom(1),
    log,
    metrics: createMetrics(),
    ...(signal && { signal }),
  });
  return { done, clock, lines };
};

describe('waiting for the database', () => {
  it('ends at once and without a word when it is there', async () => {
    const { done, lines } = waiting(test.connection.url);
    await done;
    expect(lines).toEqual([]);
  });

  it('goes on for ever, ever more rarely but at least every 33 s, and says so once', async () => {
    await withDatabaseProxy(test.connection.url, async (proxy) => {
      proxy.refuse(true);
      const { done, clock, lines } = waiting(proxy.url);
      const pausesMs: number[] = [];
      while (pausesMs.length < 12) {
        const pauseMs = await eventually('it pauses', () => clock.nextInMs);
        pausesMs.push(pauseMs);
        await clock.advance(pauseMs);
      }
      expect(pausesMs[0]).toBeGreaterThanOrEqual(200);
      expect(pausesMs[0]).toBeLessThan(221);
      expect(pausesMs.at(-1)).toBeGreaterThanOrEqual(30_000);
      expect(Math.max(...pausesMs)).toBeLessThanOrEqual(33_000);
      proxy.refuse(false);
      await eventually('it is through', async () => {
        await clock.advance(clock.nextInMs ?? 0);
        return lines.length === 2;
      });
      await done;
      expect(lines.map(({ msg }) => msg)).toEqual(['waiting for the database', 'the database is there']);
    });
  });

  it('names the server’s refusal without the password', async () => {
    const url = new URL(test.connection.url);
    url.pathname = '/not_there';
    const stopping = new AbortController();
    const { done, lines } = waiting(url.href, stopping.signal);
    await eventually('it says why it waits', () => lines.length > 0);
    expect(lines[0]?.['reason']).toMatch(/3D000.*"not_there" does not exist/);
    expect(JSON.stringify(lines)).not.toContain(decodeURIComponent(url.password));
    stopping.abort(new Error('enough'));
    await expect(done).rejects.toThrow('enough');
  });
});
