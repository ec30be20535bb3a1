import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, type DatabasePool } from '../../src/db/pool.ts';
import { statement } from '../../src/db/statement.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { silentLog } from './captured-log.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { createStepGate, lockWaits } from './gate.ts';
import { createVirtualClock } from './virtual-clock.ts';

const call = (name: string) => ({ to: 'sql', name }) as const;

describe('a step gate', () => {
  test('holds every call until it is released, and passes on how it ends', async () => {
    const gate = createStepGate();
    const seen: string[] = [];
    const good = gate.of('a')(call('good'), async () => seen.push('good'));
    const bad = gate.of('a')(call('bad'), () => Promise.reject(new Error('refused')));
    await gate.idle();
    expect(seen).toEqual([]);
    gate.release(({ name }) => name === 'bad');
    await expect(bad).rejects.toThrow('refused');
    gate.release(0);
    expect(await good).toBe(1);
    expect(gate.released).toEqual(['a: sql bad', 'a: sql good']);
  });

  test('lists what waits by actor and arrival, and says so when asked for what does not wait', async () => {
    const gate = createStepGate();
    const ends = ['b', 'a', 'b'].map((by, nth) => gate.of(by)(call(`call ${nth}`), async () => undefined));
    expect(gate.waiting().map(({ by, name }) => `${by} ${name}`)).toEqual(['a call 1', 'b call 0', 'b call 2']);
    expect(() => gate.release(3)).toThrow('no such call waits; these do: b: sql call 0, a: sql call 1');
    gate.open();
    await Promise.all(ends);
    expect(await gate.of('c')(call('later'), async () => 'through')).toBe('through');
  });

  test('is idle only when what was released has ended and what follows from it is parked', async () => {
    const gate = createStepGate();
    const first = Promise.withResolvers<void>();
    const both = (async () => {
      await gate.of('a')(call('first'), () => first.promise);
      await gate.of('a')(call('second'), async () => undefined);
    })();
    gate.release(0);
    let idle = false;
    const waiting = gate.idle().then(() => (idle = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(idle).toBe(false);
    first.resolve();
    await waiting;
    expect(gate.waiting()).toMatchObject([{ name: 'second' }]);
    gate.open();
    await both;
  });

  test('moves virtual time only when no call is under way', async () => {
    const gate = createStepGate();
    const clock = createVirtualClock();
    const fired: string[] = [];
    const answer = Promise.withResolvers<void>();
    const asked = gate.of('a')(call('slow'), () => answer.promise);
    clock.after(1_000, () => fired.push('timer'));
    gate.release(0);
    const advanced = gate.advance(clock, 1_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(fired).toEqual([]);
    answer.resolve();
    await advanced;
    expect(fired).toEqual(['timer']);
    await asked;
  });

  test('releases in the order of its seed: the same for the same, another for another', async () => {
    const orderOf = async (seed: number): Promise<readonly string[]> => {
      const gate = createStepGate({ seed });
      const ends = Array.from({ length: 8 }, (_, nth) => gate.of(`actor ${nth}`)(call('x'), async () => undefined));
      for (const _ of ends) gate.releaseSeeded();
      await Promise.all(ends);
      return gate.released;
    };
    expect(await orderOf(7)).toEqual(await orderOf(7));
    expect(await orderOf(7)).not.toEqual(await orderOf(8));
  });
});

describe('a step gate before the database', () => {
  let own: TestDatabase;
  const pools: DatabasePool[] = [];
  beforeAll(async () => {
    own = await createTestDatabase({ migrated: false });
    await own.script('create table word (id int primary key); insert into word values (1)');
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.stop()));
    await own.drop();
  });

  test('counts a call that waits for the lock of a parked transaction as parked', async () => {
    const gate = createStepGate({ blocked: lockWaits(own) });
    const lockRow = statement('lock', 'select from word where id = 1 for update');
    const locking = (name: string): Promise<void> => {
      const surroundings = { clock: createVirtualClock(), log: silentLog, metrics: createMetrics() };
      const pool = createDatabase({ ...surroundings, connection: own.connection, name, gate: gate.of(name) });
      pools.push(pool);
      return pool.transaction('locking', async (tx) => void (await tx.query(lockRow)));
    };
    const step = async (): Promise<void> => {
      gate.release(0);
      await gate.idle();
    };
    const first = locking('first');
    await step();
    await step();
    const second = locking('second');
    gate.release(({ by }) => by === 'second');
    await gate.idle();
    gate.release(({ by }) => by === 'second');
    await gate.idle();
    expect(gate.waiting()).toEqual([{ by: 'first', to: 'sql', name: 'commit' }]);
    await step();
    expect(gate.waiting()).toEqual([{ by: 'second', to: 'sql', name: 'commit' }]);
    await step();
    await Promise.all([first, second]);
  });
});
