// Brings a database to this release's schema: an empty one, one of an earlier release, or one that the original made.
import { rfc3339Micro, sleep, type Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { readMigrations, type Migration } from './migrations.ts';
import { openSession, type DatabaseOptions, type Session, type SqlValue } from './pool.ts';
import {
  findBooks,
  listApplied,
  listColumns,
  LOCK,
  lock,
  readOriginalVersion,
  recordApplied,
  tryLock,
  type AppliedMigration,
} from './queries/migrations.ts';
import {
  checkApplied,
  checkNothingOfTheOriginal,
  checkOriginalColumns,
  checkOriginalVersion,
  missingOf,
} from './schema.ts';
import { isLockTimeout } from './sql-error.ts';

const MOST_ATTEMPTS = 10;

/** How a table in use is waited for, in milliseconds. */
interface MigrateSettings {
  /** How long at a time; longer, and a migration would hold up all who queue behind it. */
  readonly lockMs: number;
  /** How long they are left alone before the next attempt. */
  readonly pauseMs: number;
}

const defaults: MigrateSettings = { lockMs: 3_000, pauseMs: 2_000 };

const BOOK = `create table if not exists managed_gitops_migrations (
  name varchar(256) primary key,
  checksum varchar(64) not null,
  applied_at timestamp not null,
  adopted boolean not null default false,
  breaking varchar(512)
)`;

/** What migrating did. */
export interface MigrationReport {
  /** Names of the migrations applied now, in order. */
  readonly applied: readonly string[];
}

/**
 * Applies what is missing, one transaction per migration, while holding a lock of the database: a second caller waits,
 * and then finds nothing to do.
 * @param options.folder where the migrations are, for tests; by default this release's.
 * @param options.signal ends it, also in the middle of a wait or a migration, which is then undone.
 * @throws Fault `SchemaTooNew` when a newer release said that this one must not run, `SchemaUnknown` when the database
 * is not what its records say or was left half-way by the original; `DatabaseUnavailable` and the like; the signal's
 * reason when it aborts.
 */
export const migrate = async (options: MigrateOptions): Promise<MigrationReport> => {
  const { signal, clock } = options;
  const log = options.log.with({ component: 'migrate' });
  const known = await readMigrations(options.folder);
  const session = await openSession({ ...options, to: 'sql', settings: { statementMs: 0, lockMs: 0 } });
  const end = (): void => void session.close(); // what waits on it for an answer fails then
  try {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', end, { once: true });
    await takeLock(session, log);
    const work: Work = { session, known, log, clock, signal, settings: { ...defaults, ...options.settings } };
    const applied = await readBook(work);
    checkApplied(known, applied, log);
    return { applied: await applyMissing(work, applied) };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
    await session.close(); // which gives the lock back
  }
};

interface MigrateOptions extends DatabaseOptions {
  readonly folder?: URL;
  readonly settings?: Partial<MigrateSettings>;
  readonly signal?: AbortSignal;
}

interface Work {
  readonly session: Session;
  readonly known: readonly Migration[];
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly settings: MigrateSettings;
}

const takeLock = async (session: Session, log: Logger): Promise<void> => {
  const { rows } = await session.query(tryLock, [LOCK]);
  if (rows[0]?.locked) return;
  log.info('waiting: another process is migrating this database');
  await session.query(lock, [LOCK]);
};

/** What has been applied so far. A database of the original is adopted first: checked, then its schema recorded. */
const readBook = async ({ session, known, log, clock }: Work): Promise<AppliedMigration[]> => {
  const books = (await session.query(findBooks)).rows[0];
  if (books?.ours) return (await session.query(listApplied)).rows;
  const [first] = known;
  const present = (await session.query(listColumns)).rows.map((row) => `${row.table_name}.${row.column_name}`);
  if (!books?.original || !first) {
    checkNothingOfTheOriginal(present);
    return [];
  }
  checkOriginalVersion((await session.query(readOriginalVersion)).rows);
  checkOriginalColumns(present);
  await inTransaction(session, async () => {
    await session.script('migrations-create-book', BOOK);
    await session.query(recordApplied, recordOf(first, clock, true));
  });
  log.info('adopted the database of the original service', { migration: first.name });
  return (await session.query(listApplied)).rows;
};

const applyMissing = async (work: Work, applied: readonly AppliedMigration[]): Promise<string[]> => {
  const missing = missingOf(work.known, applied);
  for (const migration of missing) {
    const startMs = work.clock.monotonicMs();
    await applyPatiently(work, migration);
    const durationMs = Math.round(work.clock.monotonicMs() - startMs);
    work.log.info('applied a migration', { migration: migration.name, durationMs });
  }
  return missing.map(({ name }) => name);
};

/** Those who work on the database meanwhile come first: a lock that can't be had soon is asked for again later. */
const applyPatiently = async (work: Work, migration: Migration): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await applyOne(work, migration);
    } catch (error) {
      if (!isLockTimeout(error) || attempt === MOST_ATTEMPTS) throw error;
      work.log.warn('a table is in use: trying again', { migration: migration.name, attempt });
      await sleep(work.clock, work.settings.pauseMs, work.signal);
    }
  }
};

const applyOne = ({ session, clock, settings }: Work, migration: Migration): Promise<void> =>
  inTransaction(session, async () => {
    await session.script('migrations-prepare', `set local lock_timeout to ${settings.lockMs}; ${BOOK}`);
    await session.script(migration.name, migration.text);
    await session.query(recordApplied, recordOf(migration, clock, false));
  });

const inTransaction = async (session: Session, run: () => Promise<void>): Promise<void> => {
  await session.script('begin', 'begin');
  try {
    await run();
  } catch (error) {
    await session.script('rollback', 'rollback').catch(() => undefined); // a lost session has rolled back by itself
    throw error;
  }
  await session.script('commit', 'commit');
};

const recordOf = (migration: Migration, clock: Clock, adopted: boolean): SqlValue[] => [
  migration.name,
  migration.checksum,
  rfc3339Micro(clock.now()),
  adopted,
  migration.breaking,
];
