import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { withDatabaseProxy } from '../../test/kit/database-proxy.ts';
import { silentLog } from '../../test/kit/captured-log.ts';
import { systemClock } from '../lib/clock.ts';
import { Fault } from '../lib/fault.ts';
import { openGate, type Gate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { createDatabase, type DatabasePool } from './pool.ts';
import { isUniqueViolation } from './sql-error.ts';
import { statement } from './statement.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
  await test.sql('create table account (id int primary key, amount int not null)');
});
beforeEach(() => test.script('truncate account; insert into account values (1, 0), (2, 0)'));
afterAll(() => test.drop());

const increase = statement<{ amount: number }>(
  'increase',
  'update account set amount = amount + 1 where id = $1 returning amount',
);
const wrong = statement('wrong', 'select 1 / 0');
const amounts = async (): Promise<number[]> =>
  (await test.sql<{ amount: number }>('select amount from account order by id')).map(({ amount }) => amount);

const withPool = async (
  options: { url?: string; gate?: Gate },
  run: (database: DatabasePool) => Promise<void>,
): Promise<void> => {
  const database = createDatabase({
    connection: { url: options.url ?? test.connection.url },
    name: 'transaction test',
    gate: options.gate ?? openGate,
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
  });
  try {
    await run(database);
  } finally {
    await database.stop();
  }
};

describe('a transaction', () => {
  it('commits when its function returns, and hands on the result', async () => {
    const result = await test.database.transaction('both', async (tx) => {
      await tx.query(increase, [1]);
      return (await tx.query(increase, [2])).rows[0]?.amount;
    });
    expect(result).toBe(1);
    expect(await amounts()).toEqual([1, 1]);
  });

  it('leaves nothing behind when its function throws, and hands on the error', async () => {
    const failing = test.database.transaction('failing', async (tx) => {
      await tx.query(increase, [1]);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await amounts()).toEqual([0, 0]);
  });

  it('does not claim to have committed when a failed statement was overlooked', async () => {
    const careless = test.database.transaction('careless', async (tx) => {
      await tx.query(increase, [1]);
      await tx.query(wrong).catch(() => undefined);
    });
    await expect(careless).rejects.toMatchObject({ reason: 'DatabaseRefused', sqlState: '22012' });
    expect(await amounts()).toEqual([0, 0]);
  });

  it('hands on what its function makes of a failed statement', async () => {
    const duplicate = statement('duplicate', 'insert into account values (1, 0)');
    const explained = test.database.transaction('explained', async (tx) => {
      await tx.query(duplicate).catch((error: unknown) => {
        throw isUniqueViolation(error) ? new Fault('user', 'Taken', 'that account is there already') : error;
      });
    });
    await expect(explained).rejects.toMatchObject({ kind: 'user', reason: 'Taken' });
  });

  it('waits for a statement that nobody awaited, and fails with it', async () => {
    await test.database.transaction('unawaited', async (tx) => void tx.query(increase, [1]));
    expect(await amounts()).toEqual([1, 0]);
    const failing = test.database.transaction('unawaited', async (tx) => void tx.query(wrong).catch(() => undefined));
    await expect(failing).rejects.toMatchObject({ sqlState: '22012' });
  });

  it('takes statements asked for side by side one after the other', async () => {
    const results = await test.database.transaction('side-by-side', (tx) =>
      Promise.all([tx.query(increase, [1]), tx.query(increase, [1]), tx.query(increase, [1])]),
    );
    expect(results.map(({ rows }) => rows[0]?.amount)).toEqual([1, 2, 3]);
  });

  it('refuses statements after its end', async () => {
    const kept = await test.database.transaction('kept', (tx) => Promise.resolve(tx));
    await expect(kept.query(increase, [1])).rejects.toMatchObject({ reason: 'Unexpected' });
    expect(await amounts()).toEqual([0, 0]);
  });

  it('is READ COMMITTED, whatever the database prescribes', async () => {
    await test.sql(`do $$ begin execute format(
      'alter database %I set default_transaction_isolation to ''serializable''', current_database()); end $$`);
    await withPool({}, async (database) => {
      const { rows } = await database.transaction('level', (tx) =>
        tx.query(statement<{ level: string }>('level', `select current_setting('transaction_isolation') as level`)),
      );
      expect(rows[0]?.level).toBe('read committed');
    });
  });
});

describe('two transactions that lock each other out', () => {
  it('both happen: the one PostgreSQL gave up is run again', async () => {
    let runs = 0;
    const bothHaveOne = Promise.withResolvers<void>();
    const oneIsThrough = Promise.withResolvers<void>();
    const cross = async (first: number, second: number): Promise<void> => {
      await test.database.transaction('cross', async (tx) => {
        runs += 1;
        // A row that is let go is whose comes first: begun before the other is through, they might cross once more.
        if (runs > 2) await oneIsThrough.promise;
        await tx.query(increase, [first]);
        if (runs === 2) bothHaveOne.resolve();
        await bothHaveOne.promise;
        await tx.query(increase, [second]);
      });
      oneIsThrough.resolve();
    };
    await Promise.all([cross(1, 2), cross(2, 1)]);
    expect(runs).toBe(3);
    expect(await amounts()).toEqual([2, 2]);
  });

  it('fail after the third time', async () => {
    let runs = 0;
    const conflict = statement('conflict', `do $$ begin raise serialization_failure; end $$`);
    const hopeless = test.database.transaction('hopeless', (tx) => {
      runs += 1;
      return tx.query(conflict);
    });
    await expect(hopeless).rejects.toMatchObject({ sqlState: '40001' });
    expect(runs).toBe(3);
  });
});

describe('a connection that breaks', () => {
  it('during the commit leaves open whether it happened, and the error says so', async () => {
    await withDatabaseProxy(test.connection.url, async (proxy) => {
      await withPool({ url: proxy.url }, async (database) => {
        proxy.cutAfter('commit\0');
        const unsure = database.transaction('unsure', (tx) => tx.query(increase, [1]));
        await expect(unsure).rejects.toMatchObject({ kind: 'internal', reason: 'CommitUnknown' });
        expect(await amounts()).toEqual([1, 0]);
        await database.transaction('again', (tx) => tx.query(increase, [1]));
        expect(await amounts()).toEqual([2, 0]);
      });
    });
  });

  it('before the commit undoes everything, and the next transaction gets another session', async () => {
    await withDatabaseProxy(test.connection.url, async (proxy) => {
      await withPool({ url: proxy.url }, async (database) => {
        proxy.cutAfter('amount + 1');
        const lost = database.transaction('lost', (tx) => tx.query(increase, [1]));
        await expect(lost).rejects.toMatchObject({ reason: 'DatabaseUnavailable' });
        await database.transaction('again', (tx) => tx.query(increase, [1]));
        expect(await amounts()).toEqual([1, 0]);
      });
    });
  });

  it('between two statements is told by the next one', async () => {
    await withPool({}, async (database) => {
      const own = statement<{ pid: number }>('own', 'select pg_backend_pid() as pid');
      const lost = database.transaction('lost', async (tx) => {
        const { rows } = await tx.query(own);
        await test.sql(`select pg_terminate_backend(${rows[0]?.pid}, 5000)`);
        await tx.query(increase, [1]);
      });
      await expect(lost).rejects.toMatchObject({ reason: 'DatabaseUnavailable' });
      expect(await amounts()).toEqual([0, 0]);
    });
  });

  it('leaves no session behind when only the gate says that it broke', async () => {
    const gate: Gate = async (call, run) => {
      const result = await run();
      if (call.name === 'begin') throw new Error('the answer was lost');
      return result;
    };
    await withPool({ gate }, async (database) => {
      for (let time = 0; time < 12; time += 1) {
        await expect(database.transaction('never', () => Promise.resolve())).rejects.toMatchObject({
          reason: 'DatabaseUnavailable',
        });
      }
    });
  });

  it('during the commit is told the same way when only the gate says so', async () => {
    const gate: Gate = async (call, run) => {
      const result = await run();
      if (call.name === 'commit') throw new Error('the answer was lost');
      return result;
    };
    await withPool({ gate }, async (database) => {
      await expect(database.transaction('unsure', (tx) => tx.query(increase, [1]))).rejects.toMatchObject({
        reason: 'CommitUnknown',
      });
      expect(await amounts()).toEqual([1, 0]);
    });
  });
});
