// PostgreSQL, as a pool of sessions. The only place that knows the SQL driver.
import pg from 'pg';
import type { Clock } from '../lib/clock.ts';
import type { Gate } from '../lib/gate.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import { clientConfig, sessionText, type DatabaseConnection, type SessionSettings } from './connection.ts';
import { createCallDatabase } from './outside.ts';
import { SqlFault, isAnswered, isStalePlan, sqlFault } from './sql-error.ts';
import type { Database, Queryable, SqlResult, SqlValue, Statement } from './sql.ts';
import { runTransaction, type LentSession } from './transaction.ts';
import { valueTypes } from './values.ts';

export type { Database, Queryable, SqlValue } from './sql.ts';

/** A pool that also knows whether the database answered last time. */
export interface DatabasePool extends Database {
  /** False from the first call that the database did not answer until the next one that it did; for readiness. */
  readonly available: boolean;
}

/** The bounds of a pool. */
export interface DatabaseSettings extends SessionSettings {
  readonly maxSessions: number;
  /** How long a session that nobody needs is kept, in milliseconds. */
  readonly idleMs: number;
}

const defaults: DatabaseSettings = {
  maxSessions: 10,
  connectMs: 5_000,
  statementMs: 10_000,
  lockMs: 5_000,
  graceMs: 5_000,
  idleMs: 60_000,
};

/** How long closing a session may take, in milliseconds. */
const GOODBYE_MS = 2_000;

/** What everything that talks to the database is given. */
export interface DatabaseOptions {
  readonly connection: DatabaseConnection;
  /** What its sessions are called in `pg_stat_activity`: `managed-gitops backend`. */
  readonly name: string;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/**
 * Creates the pool. It connects when it is first used, and again after every loss. Nothing is tried again but what
 * `Database.transaction` says, and a statement that was planned before a migration.
 *
 * *Caveat*: whether a single writing statement happened is unknown when its connection was lost (`DatabaseUnavailable`).
 */
export const createDatabase = (
  options: DatabaseOptions & { readonly settings?: Partial<DatabaseSettings> },
): DatabasePool => {
  const sessions = createSessions(options, { ...defaults, ...options.settings });
  const call = createCallDatabase({ to: 'sql', ...options });
  const transactions = options.metrics.counter({
    name: 'sql_transactions_total',
    help: 'Transactions that ended, a statement outside of one counted as one.',
    labels: ['outcome'],
  });
  const host = {
    lend: sessions.lend,
    renew: sessions.renew,
    call,
    ended: (outcome: string) => transactions.add({ outcome }),
  };
  const alone = async <Row>(statement: Statement<Row>, values?: readonly SqlValue[]): Promise<SqlResult<Row>> => {
    const session = await sessions.lend();
    try {
      const result = await session.run(statement, values);
      session.release(false);
      host.ended('committed');
      return result;
    } catch (error) {
      const fault = sqlFault(statement.name, error);
      session.release(!isAnswered(fault));
      host.ended(isAnswered(fault) ? 'rolled_back' : 'unknown');
      throw fault;
    }
  };
  return {
    async query(statement, values) {
      const run = () => call.run(statement.name, () => alone(statement, values));
      try {
        return await run();
      } catch (error) {
        if (!isStalePlan(error)) throw error;
        sessions.renew();
        return run();
      }
    },
    transaction: (name, run) => runTransaction(host, name, run),
    stop: () => sessions.stop(),
    get available() {
      return call.answered();
    },
  };
};

/** The driver's pool, lending sessions that have been set up. */
const createSessions = (options: DatabaseOptions, settings: DatabaseSettings) => {
  const { connection, name, log } = options;
  const open = new Map<pg.PoolClient, { readonly age: number; readonly ended: Promise<void> }>();
  const waiting = new Set<Promise<pg.PoolClient>>();
  let age = 0;
  let stopping: Promise<void> | undefined;
  const pool = new pg.Pool({
    ...clientConfig(connection, { name, settings }),
    types: valueTypes(pg.types),
    max: settings.maxSessions,
    idleTimeoutMillis: settings.idleMs,
    // oxlint-disable-next-line typescript/no-misused-promises -- the driver waits for it, which its types don't say
    onConnect: (client) => setUp(client, settings),
  });
  pool.on('connect', (client) => {
    client.on('error', ignoreHere); // while lent, the statement that fails tells it
    open.set(client, { age, ended: new Promise((resolve) => client.on('end', resolve)) });
  });
  pool.on('remove', (client) => open.delete(client));
  pool.on('error', (error) =>
    log.debug('an idle database session was lost', { reason: sqlFault('idle', error).message }),
  );

  const lend = async (): Promise<LentSession> => {
    if (stopping) throw new SqlFault('Stopping', 'the database pool has been stopped');
    const connecting = pool.connect();
    waiting.add(connecting);
    const client = await connecting.finally(() => waiting.delete(connecting));
    if ((open.get(client)?.age ?? age) === age) return lentSession(client);
    client.release(true);
    return lend();
  };
  return {
    lend,
    /** Has every session closed that was opened until now. */
    renew: () => void (age += 1),
    stop(): Promise<void> {
      stopping ??= (async () => {
        await Promise.allSettled(waiting); // the driver would leave those that still wait for a session hanging
        await pool.end(); // when every session has been given back; those may still be saying goodbye
        const ends = [...open].map(([client, session]) => closed(client, options.clock, session.ended));
        await Promise.all(ends);
      })();
      return stopping;
    },
  };
};

const lentSession = (client: pg.PoolClient): LentSession => ({
  run: (statement, values) => runOn(client, statement, values),
  release: (broken) => client.release(broken),
});

/** A single session, for what a pool can't do: session locks, scripts, notifications. */
export interface Session extends Queryable {
  /** Runs several statements without values as one message; PostgreSQL makes them one transaction. */
  script(name: string, text: string): Promise<void>;
  /** Settles when the session has ended, whoever ended it. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a session of its own.
 * @throws Fault when the database can't be reached or refuses.
 */
export const openSession = async (
  options: Omit<DatabaseOptions, 'log'> & {
    readonly to: 'sql' | 'listen';
    readonly settings?: Partial<SessionSettings>;
    readonly onNotification?: (channel: string, payload: string) => void;
  },
): Promise<Session> => {
  const settings = { ...defaults, ...options.settings };
  const { to, gate, clock, metrics } = options;
  const call = createCallDatabase({ to, gate, clock, metrics }); // without the log: who opens a session tells how it went
  const client = new pg.Client({
    ...clientConfig(options.connection, { name: options.name, settings }),
    types: valueTypes(pg.types),
  });
  const ended = new Promise<void>((resolve) => client.on('end', resolve));
  client.on('error', ignoreHere); // whoever uses the session sees its statement fail, or `ended`
  client.on('notification', ({ channel, payload = '' }) => options.onNotification?.(channel, payload));
  try {
    await call.run('connect', async () => {
      await client.connect();
      await setUp(client, settings);
    });
  } catch (error) {
    await closed(client, clock, client.end());
    throw error;
  }
  return {
    query: (statement, values) => call.run(statement.name, () => runOn(client, statement, values)),
    script: (name, text) => call.run(name, async () => void (await client.query(text))),
    ended,
    close: () => closed(client, clock, client.end()),
  };
};

const setUp = async (client: pg.ClientBase, settings: SessionSettings): Promise<void> =>
  void (await client.query(sessionText(settings)));

const runOn = async <Row>(
  client: pg.ClientBase,
  { name, text }: Statement<Row>,
  values: readonly SqlValue[] = [],
): Promise<SqlResult<Row>> => {
  const result = await client.query<Row & pg.QueryResultRow>({ ...(name && { name }), text, values: [...values] });
  return { rows: result.rows, count: result.rowCount ?? 0 };
};

/** Waits for a goodbye, but not for a network that swallows it. */
const closed = async (client: pg.Client, clock: Clock, goodbye: Promise<void>): Promise<void> => {
  const timer = clock.after(GOODBYE_MS, () => client.connection.stream.destroy());
  await goodbye;
  timer.cancel();
};

const ignoreHere = (): void => undefined;
