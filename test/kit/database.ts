// A migrated database of its own for each test file, cloned from a template that the run makes once.
import { createHash } from 'node:crypto';
import { inject } from 'vitest';
import { openGate, type Gate } from '../../src/lib/gate.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Logger } from '../../src/lib/log.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { DatabaseConnection } from '../../src/db/connection.ts';
import { migrate } from '../../src/db/migrate.ts';
import { readMigrations } from '../../src/db/migrations.ts';
import {
  createDatabase,
  openSession,
  type DatabasePool,
  type DatabaseSettings,
  type Session,
} from '../../src/db/pool.ts';
import { statement } from '../../src/db/statement.ts';
import { silentLog } from './captured-log.ts';
import type {} from './database-server.ts';

/** What PostgreSQL has counted for a database. Exact once the sessions that did the work have been closed. */
interface DatabaseCounts {
  readonly commits: number;
  readonly rollbacks: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/** A database of a test. */
export interface TestDatabase {
  readonly database: DatabasePool;
  readonly connection: DatabaseConnection & { readonly url: string };
  /** Runs any statement as another program would: on a session of its own, outside of the gate. */
  sql<Row = Record<string, unknown>>(text: string): Promise<Row[]>;
  /** The same for several statements in one transaction, without rows. */
  script(text: string): Promise<void>;
  counts(): Promise<DatabaseCounts>;
  /**
   * A text that changes with every insert, update or delete, however small, and with every lock of a row: the place
   * and writing transaction of each row. At once exact, unlike `counts`.
   */
  fingerprint(): Promise<string>;
  /** Stops `database` and drops it, breaking off whatever sessions there still are. */
  drop(): Promise<void>;
}

const TEMPLATE_LOCK = 7_315_902_002;

/** Creates a database, migrated unless told otherwise. */
export const createTestDatabase = async (
  options: {
    readonly migrated?: boolean;
    readonly gate?: Gate;
    readonly log?: Logger;
    readonly settings?: Partial<DatabaseSettings>;
  } = {},
): Promise<TestDatabase> => {
  const template = options.migrated === false ? 'template0' : await migratedTemplate();
  const name = `test_${systemRandom.uuid().replaceAll('-', '')}`;
  await onServer((server) => server.script('create', `create database ${name} template ${template}`));
  const connection = { url: urlOf(name) };
  const database = createDatabase({ ...surroundings, connection, ...options });
  const sql = <Row>(text: string): Promise<Row[]> =>
    onDatabase(connection, async (session) => (await session.query(statement<Row>('', text))).rows);
  return {
    database,
    connection,
    sql,
    script: (text) => onDatabase(connection, (session) => session.script('script', text)),
    counts: async () => {
      const [counts] = await sql<DatabaseCounts>(COUNTS);
      if (!counts) throw new Error(`${name} is gone`);
      return counts;
    },
    fingerprint: () => onDatabase(connection, fingerprintOf),
    async drop() {
      await database.stop();
      await onServer((server) => server.script('drop', `drop database ${name} with (force)`));
    },
  };
};

const COUNTS = `select xact_commit as commits, xact_rollback as rollbacks,
  tup_inserted as inserted, tup_updated as updated, tup_deleted as deleted
  from pg_stat_database where datname = current_database()`;

const surroundings = {
  name: 'test',
  gate: openGate,
  clock: systemClock,
  log: silentLog,
  metrics: createMetrics(),
} as const;

const urlOf = (database: string): string => {
  const url = new URL(inject('databaseServerUrl'));
  url.pathname = `/${database}`;
  return url.href;
};

const onDatabase = async <T>(connection: DatabaseConnection, run: (session: Session) => Promise<T>): Promise<T> => {
  const session = await openSession({
    ...surroundings,
    to: 'sql',
    connection,
    settings: { statementMs: 0, lockMs: 0 },
  });
  try {
    return await run(session);
  } finally {
    await session.close();
  }
};

const onServer = <T>(run: (session: Session) => Promise<T>): Promise<T> =>
  onDatabase({ url: inject('databaseServerUrl') }, run);

/** One for each state of the migrations, made by whichever test file comes first; the others wait for it. */
const migratedTemplate = async (): Promise<string> => {
  const migrations = await readMigrations();
  const checksums = migrations.map(({ checksum }) => checksum).join();
  const name = `template_${createHash('sha256').update(checksums).digest('hex').slice(0, 32)}`;
  await onServer(async (server) => {
    await server.query(statement('', `select pg_advisory_lock(${TEMPLATE_LOCK})`));
    const made = await server.query(statement('', `select 1 from pg_database where datname = '${name}'`));
    if (made.count > 0) return;
    const unfinished = `${name}_unfinished`;
    await server.script('drop', `drop database if exists ${unfinished} with (force)`);
    await server.script('create', `create database ${unfinished} template template0`);
    await migrate({ ...surroundings, connection: { url: urlOf(unfinished) } });
    await server.script('rename', `alter database ${unfinished} rename to ${name}`);
  });
  return name;
};

const fingerprintOf = async (session: Session): Promise<string> => {
  const tables = await session.query(
    statement<{ name: string }>('', `select tablename as name from pg_tables where schemaname = 'public' order by 1`),
  );
  const lines: string[] = [];
  for (const { name } of tables.rows) {
    const found = await session.query(
      statement<{ row: string }>('', `select ctid || ' ' || xmin || ' ' || xmax as row from ${name} order by 1`),
    );
    lines.push(...found.rows.map(({ row }) => `${name} ${row}`));
  }
  return lines.join('\n');
};
