import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { withDatabaseProxy } from '../../test/kit/database-proxy.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { systemClock } from '../lib/clock.ts';
import { openGate, type Gate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { createDatabase, type DatabasePool, type DatabaseSettings } from './pool.ts';
import { isForeignKeyViolation, isUniqueViolation } from './sql-error.ts';
import { statement } from './statement.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
  await test.sql('create table word (id int primary key, text varchar(20), parent int references word)');
});
afterAll(() => test.drop());

const add = statement('add', 'insert into word (id, text) values ($1, $2)');
const read = statement<{ text: string }>('read', 'select text from word where id = $1');
const slow = statement('slow', 'select pg_sleep(60)');
const backend = statement<{ pid: number }>('backend', 'select pg_backend_pid() as pid');

interface Opened {
  readonly database: DatabasePool;
  readonly lines: Record<string, unknown>[];
  readonly metric: (name: string) => Promise<string[]>;
}

/** Runs with a pool of its own, by way of another URL or gate if one is given. */
const withPool = async (
  options: { url?: string; gate?: Gate; settings?: Partial<DatabaseSettings> },
  run: (opened: Opened) => Promise<void>,
): Promise<void> => {
  const { log, lines } = capturedLog();
  const metrics = createMetrics();
  const database = createDatabase({
    connection: { url: options.url ?? test.connection.url },
    name: 'pool test',
    gate: options.gate ?? openGate,
    clock: systemClock,
    log,
    metrics,
    settings: options.settings ?? {},
  });
  const metric = async (name: string): Promise<string[]> =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith(name));
  try {
    await run({ database, lines, metric });
  } finally {
    await database.stop();
  }
};

const kill = (pid: number | undefined): Promise<unknown[]> => test.sql(`select pg_terminate_backend(${pid})`);

describe('a session', () => {
  it('keeps UTC, whatever the role prescribes', async () => {
    await test.sql(`create role tokyo login superuser password 'tokyo'`);
    await test.sql(`alter role tokyo set timezone to 'Asia/Tokyo'`);
    const url = new URL(test.connection.url);
    url.username = 'tokyo';
    url.password = 'tokyo';
    await withPool({ url: url.href }, async ({ database }) => {
      const { rows } = await database.query(
        statement<{ now: string; zone: string }>(
          'zone',
          `select current_timestamp::timestamp as now, current_setting('TimeZone') as zone`,
        ),
      );
      expect(rows[0]?.zone).toBe('UTC');
      const skewMs = Math.abs(Date.parse(rows[0]?.now ?? '') - systemClock.now());
      expect(skewMs).toBeLessThan(60 * 60_000);
    });
    await test.sql('drop role tokyo');
  });

  it('ends a statement that outlives its deadline, and serves the next one', async () => {
    await withPool({ settings: { statementMs: 50, maxSessions: 1 } }, async ({ database }) => {
      await expect(database.query(slow)).rejects.toMatchObject({
        kind: 'internal',
        reason: 'DatabaseRefused',
        sqlState: '57014',
      });
      expect((await database.query(backend)).count).toBe(1);
    });
  });

  it('plans a statement once, also one for many keys', async () => {
    const many = statement('many', 'select w.id from unnest($1::int[]) k(id) join word w on w.id = k.id');
    const plans = statement<{ general: number; particular: number }>(
      'plans',
      `select generic_plans as general, custom_plans as particular from pg_prepared_statements where name = 'many'`,
    );
    await withPool({ settings: { maxSessions: 1 } }, async ({ database }) => {
      for (let time = 0; time < 8; time += 1) await database.query(many, [[time]]);
      expect((await database.query(plans)).rows).toEqual([{ general: 8, particular: 0 }]);
    });
  });

  it('gives up waiting for a row that another transaction holds', async () => {
    await test.database.query(add, [1, 'held']);
    const touch = statement('touch', `update word set text = 'touched' where id = $1`);
    await test.database.transaction('hold', async (tx) => {
      await tx.query(touch, [1]);
      await withPool({ settings: { lockMs: 50 } }, async ({ database }) => {
        await expect(database.query(touch, [1])).rejects.toMatchObject({ sqlState: '55P03' });
      });
    });
  });
});

describe('values', () => {
  it('come back as UTC text with microseconds, so that the order of texts is the order of time', async () => {
    const { rows } = await test.database.query(
      statement<{ whole: string; half: string; zoned: string; none: string | null }>(
        'times',
        `select timestamp '2026-01-31 12:00:00' as whole, $1::timestamp as half,
          timestamptz '2026-01-31 13:00:00.25+01' as zoned, null::timestamp as none`,
      ),
      ['2026-01-31T12:00:00.500Z'],
    );
    expect(rows).toEqual([
      {
        whole: '2026-01-31T12:00:00.000000Z',
        half: '2026-01-31T12:00:00.500000Z',
        zoned: '2026-01-31T12:00:00.250000Z',
        none: null,
      },
    ]);
  });

  it('survive the round trip: text, bytes, lists, big numbers', async () => {
    const { rows } = await test.database.query(
      statement(
        'values',
        'select $1::varchar as text, $2::bytea as bytes, $3::text[] as texts, $4::bytea[] as blobs, $5::bigint as big',
      ),
      [`'"\\ ü`, Buffer.from([0, 255]), ['a', null, '{"'], [Buffer.from('x'), null], 2 ** 52],
    );
    expect(rows).toEqual([
      {
        text: `'"\\ ü`,
        bytes: Buffer.from([0, 255]),
        texts: ['a', null, '{"'],
        blobs: [Buffer.from('x'), null],
        big: 2 ** 52,
      },
    ]);
  });

  it('never appear in errors, logs or metrics', async () => {
    const secret = 'hunter2-swordfish';
    await withPool({}, async ({ database, lines, metric }) => {
      const failures = [
        statement('too-long', `insert into word (id, text) values (50, repeat($1, 3))`),
        statement('not-a-number', `select $1::int`),
        statement('raised', `insert into word (id, text) values ($1::text::int, '')`),
        statement('twice', `insert into word (id, text) values (51, $1), (51, $1)`),
      ];
      for (const failing of failures) {
        const error: unknown = await database.query(failing, [secret]).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(Error);
        const { message, stack, cause } = error as Error; // just seen
        expect(`${message} ${stack} ${String(cause)}`).not.toContain(secret);
      }
      expect(JSON.stringify(lines) + (await metric('')).join()).not.toContain(secret);
    });
  });
});

describe('errors', () => {
  it('name the constraint that was violated', async () => {
    await test.database.query(add, [10, 'ten']);
    const twice: unknown = await test.database.query(add, [10, 'again']).catch((error: unknown) => error);
    expect(isUniqueViolation(twice)).toBe(true);
    expect(isUniqueViolation(twice, 'word_pkey')).toBe(true);
    expect(isUniqueViolation(twice, 'another')).toBe(false);
    const orphan: unknown = await test.database
      .query(statement('orphan', 'insert into word (id, parent) values (11, $1)'), [999])
      .catch((error: unknown) => error);
    expect(isForeignKeyViolation(orphan, 'word_parent_fkey')).toBe(true);
    expect(isUniqueViolation(orphan)).toBe(false);
  });

  it('say that nobody answers, once in the log, and once that somebody does again', async () => {
    await withDatabaseProxy(test.connection.url, async (proxy) => {
      await withPool({ url: proxy.url }, async ({ database, lines }) => {
        await database.query(backend);
        expect(database.available).toBe(true);
        proxy.refuse(true);
        for (let time = 0; time < 3; time += 1) {
          await expect(database.query(backend)).rejects.toMatchObject({ reason: 'DatabaseUnavailable' });
        }
        expect(database.available).toBe(false);
        proxy.refuse(false);
        await database.query(backend);
        expect(database.available).toBe(true);
        expect(lines.filter(({ level }) => level !== 'debug').map(({ msg }) => msg)).toEqual([
          'the database does not answer',
          'the database answers again',
        ]);
      });
    });
  });

  it('come in the end from a network that swallows everything', async () => {
    await withDatabaseProxy(test.connection.url, async (proxy) => {
      await withPool({ url: proxy.url, settings: { statementMs: 50, graceMs: 50 } }, async ({ database }) => {
        await database.query(backend);
        proxy.hold();
        await expect(database.query(backend)).rejects.toMatchObject({ reason: 'DatabaseUnavailable' });
        await database.query(backend);
      });
    });
  });
});

describe('the pool', () => {
  it('outlives a session that is ended while idle, and one that is ended at work', async () => {
    await withPool({ settings: { maxSessions: 1 } }, async ({ database }) => {
      const { rows } = await database.query(backend);
      await kill(rows[0]?.pid);
      await eventually('the next session works', async () => (await database.query(backend)).count === 1);
      const working = database.query(slow);
      const busy = await eventually('the statement runs', async () =>
        (await test.sql<{ pid: number }>(`select pid from pg_stat_activity where query = 'select pg_sleep(60)'`)).at(0),
      );
      await Promise.all([
        expect(working).rejects.toMatchObject({ reason: 'DatabaseUnavailable', sqlState: '57P01' }),
        kill(busy.pid),
      ]);
      expect((await database.query(backend)).count).toBe(1);
    });
  });

  it('runs a statement again whose plan a migration has made stale', async () => {
    await test.sql('create table wide (text varchar(10))');
    await withPool({ settings: { maxSessions: 2 } }, async ({ database }) => {
      const all = statement('all', 'select text from wide');
      await Promise.all([database.query(all), database.query(all)]);
      await test.sql('alter table wide alter column text type varchar(20)');
      expect((await database.query(all)).count).toBe(0);
      await test.sql('alter table wide alter column text type varchar(30)');
      expect(await database.transaction('read-all', (tx) => tx.query(all))).toMatchObject({ count: 0 });
    });
  });

  it('takes a statement again that could not be prepared the first time', async () => {
    await withPool({ settings: { maxSessions: 1 } }, async ({ database }) => {
      const later = statement('later', 'select 1 from made_later');
      await expect(database.query(later)).rejects.toMatchObject({ sqlState: '42P01' });
      await test.sql('create table made_later ()');
      expect((await database.query(later)).count).toBe(0);
    });
  });

  it('passes the gate with each statement, begin and commit', async () => {
    const calls: string[] = [];
    const gate: Gate = (call, run) => {
      calls.push(`${call.to} ${call.name}`);
      return run();
    };
    await withPool({ gate }, async ({ database, metric }) => {
      await database.query(read, [1]);
      await database.transaction('two', async (tx) => {
        await tx.query(add, [20, 'twenty']);
        await tx.query(read, [20]);
      });
      await expect(database.transaction('none', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
      expect(calls).toEqual(
        ['read', 'begin', 'add', 'read', 'commit', 'begin', 'rollback'].map((name) => `sql ${name}`),
      );
      expect(await metric('sql_transactions_total')).toEqual([
        'sql_transactions_total{outcome="committed"} 2',
        'sql_transactions_total{outcome="rolled_back"} 1',
      ]);
      expect(await metric('sql_statement_duration_seconds_count{statement="read"}')).toEqual([
        'sql_statement_duration_seconds_count{statement="read"} 2',
      ]);
    });
  });

  it('stops when what is in flight, or waits for a session, is through, and refuses what comes after', async () => {
    await withPool({ settings: { maxSessions: 1 } }, async ({ database }) => {
      const nap = statement('nap', 'select pg_sleep(0.05)');
      const under = [database.query(nap), database.query(nap), database.transaction('nap', (tx) => tx.query(nap))];
      await database.stop();
      expect((await Promise.all(under)).map(({ count }) => count)).toEqual([1, 1, 1]);
      await expect(database.query(backend)).rejects.toMatchObject({ reason: 'Stopping' });
      const left = await test.sql(`select 1 from pg_stat_activity where application_name = 'pool test'`);
      expect(left).toEqual([]);
    });
  });
});
