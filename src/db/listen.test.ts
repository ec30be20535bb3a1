import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { withDatabaseProxy } from '../../test/kit/database-proxy.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createVirtualClock, type VirtualClock } from '../../test/kit/virtual-clock.ts';
import { openGate, type Gate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { seededRandom } from '../lib/random.ts';
import { createListener, type Listener, type ListenerSettings } from './listen.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

interface Heard {
  readonly listener: Listener;
  readonly clock: VirtualClock;
  readonly told: { channel: string; payloads: readonly string[] }[];
  readonly lines: Record<string, unknown>[];
  connects(): number;
}

const whileListening = async (
  options: { url?: string; gate?: Gate; settings?: Partial<ListenerSettings> },
  run: (heard: Heard) => Promise<void>,
): Promise<void> => {
  const clock = createVirtualClock();
  const { log, lines } = capturedLog();
  const told: Heard['told'] = [];
  let connects = 0;
  const listener = createListener({
    connection: { url: options.url ?? test.connection.url },
    name: 'listener test',
    channels: ['operation', 'refresh'],
    onNotify: (channel, payloads) => void told.push({ channel, payloads }),
    onConnect: () => void (connects += 1),
    gate: options.gate ?? openGate,
    clock,
    random: seededRandom(1),
    log,
    metrics: createMetrics(),
    settings: options.settings ?? {},
  });
  listener.start();
  try {
    await run({ listener, clock, told, lines, connects: () => connects });
  } finally {
    await listener.stop();
  }
  expect(clock.pending).toBe(0);
};

const connected = ({ listener }: Heard): Promise<boolean> => eventually('it listens', () => listener.connected);

/** A notification on its way in shows as the timer that gathers the others. */
const gathering = ({ clock }: Heard): Promise<boolean> =>
  eventually('a notification arrived', () => (clock.nextInMs ?? Infinity) <= 5);

const sessions = (): Promise<{ pid: number }[]> =>
  test.sql(`select pid from pg_stat_activity where application_name = 'listener test'`);

describe('a listener', () => {
  it('tells each row once, channel by channel, when a moment has passed', async () => {
    await whileListening({}, async (heard) => {
      await connected(heard);
      await test.script(`notify operation, 'a'; notify operation, 'b'; notify refresh, 'c'`);
      await test.script(`notify operation, 'a'; notify application_state, 'not asked for'`);
      await test.script(`notify operation, 'last'`);
      await gathering(heard);
      await eventually('all are told', async () => {
        await heard.clock.advance(5);
        return heard.told.some(({ payloads }) => payloads.includes('last'));
      });
      expect(new Set(heard.told.map(({ channel }) => channel))).toEqual(new Set(['operation', 'refresh']));
      const operations = heard.told
        .filter(({ channel }) => channel === 'operation')
        .flatMap(({ payloads }) => payloads);
      expect([...new Set(operations)]).toEqual(['a', 'b', 'last']);
      expect(heard.connects()).toBe(1);
    });
  });

  it('listens again after its session was ended, and says that notifications may have been missed', async () => {
    await whileListening({}, async (heard) => {
      await connected(heard);
      const [session] = await sessions();
      await test.sql(`select pg_terminate_backend(${session?.pid})`);
      await eventually('the loss is seen', () => !heard.listener.connected);
      await eventually('it waits to connect again', () => (heard.clock.nextInMs ?? 0) > 0);
      await heard.clock.advance(250);
      await connected(heard);
      expect(heard.connects()).toBe(2);
      await test.script(`notify operation, 'after'`);
      await gathering(heard);
      await heard.clock.advance(5);
      expect(heard.told).toEqual([{ channel: 'operation', payloads: ['after'] }]);
    });
  });

  it('goes on trying while the database is away, and says so once', async () => {
    await withDatabaseProxy(test.connection.url, async (proxy) => {
      proxy.refuse(true);
      await whileListening({ url: proxy.url }, async (heard) => {
        for (const pauseMs of [250, 500, 1000, 2000]) {
          await eventually('it pauses', () => heard.clock.pending > 0);
          await heard.clock.advance(pauseMs);
        }
        await eventually('it pauses', () => heard.clock.pending > 0);
        proxy.refuse(false);
        await heard.clock.advance(33_000);
        await connected(heard);
        expect(heard.lines.map(({ msg }) => msg)).toEqual([
          'not listening to the database: polling only',
          'listening to the database',
        ]);
      });
    });
  });

  it('finds out by asking whether a silent session is still there', async () => {
    await withDatabaseProxy(test.connection.url, async (proxy) => {
      await whileListening({ url: proxy.url, settings: { answerMs: 50 } }, async (heard) => {
        await connected(heard);
        await heard.clock.advance(15_000);
        await eventually('it was answered and waits again', () => heard.clock.nextInMs === 15_000);
        expect(heard.listener.connected).toBe(true);
        proxy.hold();
        await heard.clock.advance(15_000);
        await eventually('the loss is seen', () => !heard.listener.connected);
        await eventually('it waits to connect again', () => heard.clock.nextInMs);
        await heard.clock.advance(250);
        await connected(heard);
        expect(heard.connects()).toBe(2);
      });
    });
  });

  it('passes the gate with every connection, question and delivery', async () => {
    const calls: string[] = [];
    const gate: Gate = (call, run) => {
      calls.push(`${call.to} ${call.name}`);
      return run();
    };
    await whileListening({ gate }, async (heard) => {
      await connected(heard);
      await test.script(`notify operation, 'a'`);
      await gathering(heard);
      await heard.clock.advance(5);
      expect(calls).toEqual(['listen connect', 'listen listen', 'listen notify operation']);
    });
  });

  it('closes its session when stopped', async () => {
    await whileListening({}, async (heard) => {
      await connected(heard);
      expect(await sessions()).toHaveLength(1);
      await heard.listener.stop();
      expect(heard.listener.connected).toBe(false);
    });
    expect(await sessions()).toEqual([]);
  });
});
