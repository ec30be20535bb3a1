import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { withDatabaseProxy } from '../../test/kit/database-proxy.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { Fault } from '../lib/fault.ts';
import { openGate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { seededRandom } from '../lib/random.ts';
import { openSession } from './pool.ts';
import { statement } from './statement.ts';
import { onceReady, waitForDatabase } from './wait.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase({ migrated: false });
});
afterAll(() => test.drop());

const surroundings = (url: string) => {
  const clock = createVirtualClock();
  const { log, lines } = capturedLog();
  const options = {
    connection: { url },
    name: 'wait test',
    gate: openGate,
    clock,
    random: seededRandom(1),
    log,
    metrics: createMetrics(),
  };
  return { options, clock, lines };
};

const waiting = (url: string, signal?: AbortSignal) => {
  const { options, clock, lines } = surroundings(url);
  return { done: waitForDatabase({ ...options, ...(signal && { signal }) }), clock, lines };
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

describe('what needs a database that is ready', () => {
  it('is begun again when the database goes away in the middle, and says so once', async () => {
    await withDatabaseProxy(test.connection.url, async (proxy) => {
      const { options, clock, lines } = surroundings(proxy.url);
      let attempts = 0;
      const done = onceReady(options, async () => {
        const session = await openSession({ ...options, to: 'sql' });
        try {
          attempts += 1;
          if (attempts <= 2) proxy.cutAfter('half-way');
          return (await session.query(statement<{ word: string }>('', `select 'half-way' as word`))).rows;
        } finally {
          await session.close();
        }
      });
      for (const attempt of [1, 2]) {
        await eventually(`it pauses after attempt ${attempt}`, () => attempts === attempt && clock.pending === 1);
        await clock.advance(clock.nextInMs ?? 0);
      }
      expect(await done).toEqual([{ word: 'half-way' }]);
      expect(lines.map(({ msg }) => msg)).toEqual(['the database went away; it is tried again']);
    });
  });

  it('waits for what has to come first, saying each cause once, and passes on every other error', async () => {
    const { options, clock, lines } = surroundings(test.connection.url);
    const faults = ['one', 'one', 'two'].map((what) => new Fault('waiting', 'SchemaNotReady', `${what} is missing`));
    const done = onceReady(options, () => Promise.reject(faults.shift() ?? new Error('broken')));
    const failed = expect(done).rejects.toThrow('broken');
    for (const left of [2, 1, 0]) {
      await eventually('it pauses', () => faults.length === left && clock.pending === 1);
      await clock.advance(clock.nextInMs ?? 0);
    }
    await failed;
    expect(lines.map(({ msg }) => msg)).toEqual(['one is missing', 'two is missing']);
  });
});
