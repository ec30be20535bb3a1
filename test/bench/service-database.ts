// The database of a bench: one PostgreSQL for all its runs, one database of the service for each, and their statistics.
import { openSession, type Session } from '../../src/db/pool.ts';
import { statement } from '../../src/db/statement.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startDatabase } from '../../src/sandbox/database.ts';
import { familyCpuSeconds, parentOf } from './usage.ts';

/** A PostgreSQL, seen from its `postgres` database: what the bench itself does is not counted for the service. */
export interface BenchPostgresql extends AsyncDisposable {
  readonly version: string;
  /** CPU of all its processes since its start. */
  cpuSeconds(): number;
  /** Two commits, as the floor has them: one row written each time. */
  commitTwice(): Promise<void>;
  /** Whether PostgreSQL tidies up by itself, which are transactions as well. */
  setAutovacuum(on: boolean): Promise<void>;
  /** Makes an empty database for the service. */
  createDatabase(): Promise<ServiceDatabase>;
}

/** A database that only the service uses. Disposing of it drops it. */
export interface ServiceDatabase extends AsyncDisposable {
  readonly url: string;
  /**
   * Transactions that ended, single statements counted as one each. PostgreSQL's sessions tell their counts within 10 s
   * of their last statement; what a session does to hear notifications, it tells after its next one.
   */
  transactions(): Promise<number>;
  /** Rows that belong to deployments. Asked on a session of its own, which counts as the service's. */
  rowsOfDeployments(): Promise<number>;
}

const TRANSACTIONS = `select pg_stat_clear_snapshot(), xact_commit + xact_rollback as count
  from pg_stat_database where datname = `;

const ROWS = `select (${['application', 'applicationstate', 'deploymenttoapplicationmapping', 'operation', 'deletion']
  .map((table) => `(select count(*) from ${table})`)
  .join(' + ')})::int as count`;

/** Starts PostgreSQL. */
export const startPostgresql = async (): Promise<BenchPostgresql> => {
  const server = await startDatabase({
    clock: systemClock,
    random: systemRandom,
    searchPath: process.env['PATH'],
  });
  const admin = await openAdmin(server.url);
  await admin.script('floor', 'create table floor (id int primary key, n int); insert into floor values (1, 0)');
  const { rows } = await admin.query(statement<{ pid: number }>('', 'select pg_backend_pid() as pid'));
  const pid = parentOf(rows[0]?.pid ?? 0);
  const commit = statement('', 'update floor set n = n + 1 where id = 1');
  return {
    version: server.version,
    cpuSeconds: () => familyCpuSeconds(pid),
    async commitTwice() {
      await admin.query(commit);
      await admin.query(commit);
    },
    async setAutovacuum(on) {
      await admin.query(statement('', `alter system set autovacuum = ${on}`));
      await admin.query(statement('', 'select pg_reload_conf()'));
    },
    createDatabase: () => createDatabase(server.url, admin),
    async [Symbol.asyncDispose]() {
      await admin.close();
      await server.stop();
    },
  };
};

const openAdmin = (url: string): Promise<Session> =>
  openSession({
    connection: { url },
    name: 'bench',
    to: 'sql',
    gate: openGate,
    clock: systemClock,
    metrics: createMetrics(),
    settings: { statementMs: 0, lockMs: 0 },
  });

const createDatabase = async (serverUrl: string, admin: Session): Promise<ServiceDatabase> => {
  const name = `bench_${systemRandom.uuid().replaceAll('-', '')}`;
  await admin.query(statement('', `create database ${name}`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async transactions() {
      const { rows } = await admin.query(statement<{ count: string }>('', `${TRANSACTIONS}'${name}'`));
      return Number(rows[0]?.count);
    },
    async rowsOfDeployments() {
      const session = await openAdmin(url.href);
      try {
        return (await session.query(statement<{ count: number }>('', ROWS))).rows[0]?.count ?? NaN;
      } finally {
        await session.close();
      }
    },
    [Symbol.asyncDispose]: async () => void (await admin.query(statement('', `drop database ${name} with (force)`))),
  };
};
