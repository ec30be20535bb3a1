// Statements that write several Operations lock them in one order: the two halves' never wait for each other in a circle.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endOperations } from '../../src/db/queries/agent.ts';
import { markDelivered, removeOperations } from '../../src/db/queries/operation.ts';
import type { Database, DatabasePool, Queryable } from '../../src/db/pool.ts';
import { statement } from '../../src/db/statement.ts';
import { systemClock, utcText } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { openDatabase } from '../../src/main/platform.ts';
import { silentLog } from '../kit/captured-log.ts';
import { aDeployment } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type World } from '../kit/world.ts';

let world: World;
let pool: DatabasePool;
/** The ids of two Operations, in order. */
let ids: readonly string[];

const lockOne = statement('lock-one', 'select from operation where operation_id = $1 for update');
const free = statement<{ id: string }>(
  'free',
  'select operation_id as id from operation where operation_id = any($1::text[]) for update skip locked',
);

beforeAll(async () => {
  world = await createWorld();
  await world.start('backend');
  await world.createNamespace('team');
  for (const name of ['one', 'two']) await world.apply(aDeployment({ namespace: 'team', name }));
  ids = await eventually('there are two Operations', async () => {
    const rows = await world.database.sql<{ id: string }>('select operation_id as id from operation order by 1');
    if (rows.length < 2) throw new Error(JSON.stringify(rows));
    return rows.map(({ id }) => id);
  });
  const platform = {
    clock: systemClock,
    random: systemRandom,
    gate: openGate,
    log: silentLog,
    metrics: createMetrics(),
  };
  pool = openDatabase(platform, world.database.connection, 'lock-order').pool;
});
afterAll(async () => {
  await pool.stop();
  await world.stop();
});

const now = (): string => utcText(systemClock.now());
const writes: readonly (readonly [string, string, (db: Queryable, ids: readonly string[]) => Promise<unknown>])[] = [
  ['noting deliveries', 'Waiting', (db, some) => markDelivered(db, some, now())],
  [
    'ending',
    'In_Progress',
    (db, some) =>
      endOperations(
        db,
        some.map((operationId) => ({ operationId, state: 'Completed', message: '' })),
        now(),
      ),
  ],
  ['removing', 'Completed', (db, some) => removeOperations(db, some)],
];

it.each(writes)('%s waits for the first of them without holding a later one', async (_what, state, write) => {
  await world.database.sql(`update operation set state = '${state}'`);
  const held = await whileHeld(pool, ids[0] ?? '', async () => {
    const written = write(pool, ids.toReversed());
    await eventually('it waits', async () => {
      const waiting = await world.database.sql(`select 1 from pg_locks where not granted`);
      return waiting.length > 0;
    });
    const { rows } = await pool.query(free, [ids]);
    return { free: rows.map(({ id }) => id), written };
  });
  await held.written;
  expect(held.free).toEqual(ids.slice(1));
});

/** Runs while another transaction holds an Operation's row. */
const whileHeld = <T>(db: Database, id: string, run: () => Promise<T>): Promise<T> =>
  db.transaction('hold', async (tx) => {
    await tx.query(lockOne, [id]);
    return run();
  });
