// The database of simulations: one for many schedules, emptied in between, with a record of what was deleted.
import { migrate } from '../../src/db/migrate.ts';
import { openSession, type Session } from '../../src/db/pool.ts';
import { statement } from '../../src/db/statement.ts';
import { tables } from '../../src/db/tables.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { silentLog } from '../kit/captured-log.ts';
import { createPools, type Pools } from './pools.ts';

/** A row that a committed transaction deleted. */
export interface DeletedRow {
  readonly table: string;
  /** UID of the GitOpsDeployment or GitOpsDeploymentSyncRun that it is of. */
  readonly key: string;
}

/** A database that schedules share, one after the other. */
export interface SimulationDatabase {
  readonly url: string;
  sql<Row = Record<string, unknown>>(text: string): Promise<Row[]>;
  /** A text that changes with every insert, update, delete or lock. */
  fingerprint(): Promise<string>;
  /** How many sessions wait for a lock. */
  lockWaits(): Promise<number>;
  /** Returns when everything that was notified until now has been heard, also by the sessions told of in `hears`. */
  heard(): Promise<void>;
  /** A session of the service begins to hear now; it says how many notifications it has heard since. */
  hears(channels: readonly string[], count: () => number): () => void;
  readonly pools: Pools;
  /** Ends the sessions of these names, whose transactions are rolled back, and returns when they are gone. */
  endSessions(...names: readonly string[]): Promise<void>;
  /** Deletes every row. Those that follow are told to `onDeleted`, as they are committed. */
  reset(onDeleted: (row: DeletedRow) => void): Promise<void>;
  /** Drops it. */
  stop(): Promise<void>;
}

const FENCE = 'simulation_fence';
const DELETED = 'simulation_deleted';
const SERVICE = ['operation', 'operation_event', 'application_state', 'refresh'];

/** What identifies a deleted row, by table. */
const recorded = {
  application: `replace(old.name, 'gitopsdepl-', '')`,
  deploymenttoapplicationmapping: 'old.deploymenttoapplicationmapping_uid_id',
  apicrtodatabasemapping: 'old.api_resource_uid',
} as const;

const RECORDER = Object.entries(recorded)
  .map(
    ([table, key]) => `
  create function simulation_${table}() returns trigger language plpgsql as $$
  begin perform pg_notify('${DELETED}', '${table} ' || ${key}); return null; end $$;
  create trigger simulation_deleted after delete on ${table} for each row execute function simulation_${table}();`,
  )
  .join('');

/** Every ServiceAccount of a cluster that rows have ever told of: what none told of, nobody could remove. */
const ACCOUNTS = ['clustercredentials', 'environment_cleanup']
  .map(
    (table) => `
  create trigger simulation_account after insert or update on ${table}
    for each row when (new.service_account is not null) execute function simulation_account();`,
  )
  .join('');

const ACCOUNT_RECORDER = `
  create table simulation_accounts (host text, service_account text, primary key (host, service_account));
  create function simulation_account() returns trigger language plpgsql as $$
  begin
    insert into simulation_accounts values (new.host, new.service_account) on conflict do nothing;
    return null;
  end $$;${ACCOUNTS}`;

const EMPTY = [
  'delete from simulation_accounts',
  'set session_replication_role = replica',
  ...Object.keys(tables).map((table) => `delete from ${table}`),
  'set session_replication_role = origin',
].join(';');

/** In schedules. The server does not by itself: see `noVacuum`. */
const VACUUM_EVERY = 20;

/** Creates a database, migrated, on the server that the superuser's URL names. */
export const createSimulationDatabase = async (serverUrl: string): Promise<SimulationDatabase> => {
  const name = `simulation_${systemRandom.uuid().replaceAll('-', '')}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await onSession(serverUrl, (session) => session.script('create', `create database ${name} template template0`));
  await migrate({ ...surroundings, connection: { url: url.href } });
  let onDeleted = (_row: DeletedRow): void => undefined;
  const ears = createEars((payload) => onDeleted(rowOf(payload)));
  const session = await openSession({
    ...surroundings,
    connection: { url: url.href },
    to: 'listen',
    settings: { statementMs: 0, lockMs: 0 },
    onNotification: ears.notified,
  });
  await session.script('recorder', RECORDER + ACCOUNT_RECORDER);
  await session.script('listen', [...SERVICE, DELETED, FENCE].map((channel) => `listen ${channel}`).join(';'));
  const pools = createPools(url.href);
  let resets = 0;
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other: a session takes one question at a time. */
  const sql = <Row>(text: string): Promise<Row[]> => {
    const mine = last.then(async () => (await session.query(statement<Row>('', text))).rows);
    last = mine.catch(() => undefined); // who asked is told
    return mine;
  };
  return {
    url: url.href,
    sql,
    fingerprint: () => fingerprintOf(sql),
    lockWaits: async () => (await sql<{ count: number }>(LOCK_WAITS))[0]?.count ?? 0,
    hears: ears.add,
    heard: () => ears.heard(() => sql(`select pg_notify('${FENCE}', '')`)),
    pools,
    endSessions: (...names) => endSessions(sql, names),
    async reset(told) {
      onDeleted = () => undefined;
      await session.script('empty', EMPTY);
      if (++resets % VACUUM_EVERY === 0) await session.script('vacuum', 'vacuum');
      await ears.heard(() => sql(`select pg_notify('${FENCE}', '')`));
      onDeleted = told;
    },
    async stop() {
      await pools.stop();
      await session.close();
      await onSession(serverUrl, (server) => server.script('drop', `drop database ${name} with (force)`));
    },
  };
};

/** A session that has just been given its lock says for a moment that it waits: nobody blocks it any more. */
const LOCK_WAITS = `select count(*)::int as count from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and cardinality(pg_blocking_pids(pid)) > 0`;

const surroundings = {
  name: 'simulation',
  gate: openGate,
  clock: systemClock,
  log: silentLog,
  metrics: createMetrics(),
} as const;

const onSession = async <T>(url: string, run: (session: Session) => Promise<T>): Promise<T> => {
  const session = await openSession({ ...surroundings, connection: { url }, to: 'sql' });
  try {
    return await run(session);
  } finally {
    await session.close();
  }
};

const rowOf = (payload: string): DeletedRow => {
  const [table = '', key = ''] = payload.split(' ');
  return { table, key };
};

type Sql = <Row>(text: string) => Promise<Row[]>;

const endSessions = async (sql: Sql, names: readonly string[]): Promise<void> => {
  const those = `from pg_stat_activity where datname = current_database() and application_name in (${names.map((name) => `'${name}'`).join()})`;
  await sql(`select pg_terminate_backend(pid) ${those}`);
  for (;;) {
    const [left] = await sql<{ count: number }>(`select count(*)::int as count ${those}`);
    if (!left?.count) break;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  // PostgreSQL forgets a session a moment before its process ends, and the driver hears of that a moment later.
  await new Promise((resolve) => setTimeout(resolve, 5));
};

/** Counts what is notified, so that it is known when every session has heard all of it. */
const createEars = (onDeleted: (payload: string) => void) => {
  const counts = new Map<string, number>();
  const ears = new Set<{ hasHeardAll(): boolean; begin(): void }>();
  let fences = 0;
  const total = (channels: readonly string[]): number =>
    channels.reduce((sum, channel) => sum + (counts.get(channel) ?? 0), 0);
  return {
    notified(channel: string, payload: string): void {
      if (channel === DELETED) onDeleted(payload);
      else if (channel === FENCE) fences += 1;
      else counts.set(channel, (counts.get(channel) ?? 0) + 1);
    },
    add(channels: readonly string[], count: () => number): () => void {
      let behind = 0;
      const ear = {
        hasHeardAll: () => count() >= total(channels) - behind,
        /** What it has not heard by now, it never will. */
        begin: () => void (behind = total(channels) - count()),
      };
      ear.begin();
      ears.add(ear);
      return () => void ears.delete(ear);
    },
    async heard(notify: () => Promise<unknown>): Promise<void> {
      const before = fences;
      await notify();
      const all = (): boolean => fences > before && [...ears].every((ear) => ear.hasHeardAll());
      for (let turn = 0; !all() && turn < MOST_TURNS; turn += 1) {
        await new Promise((resolve) => (turn < 50 ? setImmediate(resolve) : setTimeout(resolve, 1)));
      }
      for (const ear of ears) if (!ear.hasHeardAll()) ear.begin();
    },
  };
};

/** A session that hears nothing after this long has been ended. */
const MOST_TURNS = 150;

/** When a question is asked again, its answer's time changes: that is no news. */
const isNews = (table: string): boolean => table !== 'probe_result';

const fingerprintOf = async (sql: Sql): Promise<string> => {
  const text = Object.keys(tables)
    .filter(isNews)
    .map((table) => `select '${table} ' || ctid || ' ' || xmin || ' ' || xmax as row from ${table}`)
    .join(' union all ');
  const rows = await sql<{ row: string }>(`${text} order by 1`);
  return rows.map(({ row }) => row).join('\n');
};
