// Whether a database is one that this release can work on, and if not, what to do.
import { Fault } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';
import { readMigrations, type Migration } from './migrations.ts';
import { findBooks, isLocked, listApplied, LOCK, type AppliedMigration } from './queries/migrations.ts';
import type { Queryable } from './sql.ts';
import { originalColumns } from './tables.ts';

/** The original's last version; our first migration makes the same schema. */
const ORIGINAL_VERSION = 20;
const LOOK_AGAIN_MS = 2_000;

/**
 * For a process that never migrates: returns when every migration of this release was applied.
 * @throws Fault `SchemaNotReady` (waiting) naming what is missing; `SchemaTooNew`, `SchemaUnknown` as `migrate`.
 */
export const checkSchema = async (
  database: Queryable,
  options: { readonly log: Logger; readonly folder?: URL },
): Promise<void> => {
  const known = await readMigrations(options.folder);
  const read = async (): Promise<string[]> => {
    const applied = await readApplied(database);
    checkApplied(known, applied, options.log);
    return missingOf(known, applied).map(({ name }) => name);
  };
  const before = await read();
  if (before.length === 0) return;
  // A schema that is being made is half there: what it lacks at this moment is nothing to tell anybody.
  const locked = (await database.query(isLocked, [LOCK])).rows[0]?.locked === true;
  const missing = await read();
  if (missing.length === 0) return;
  if (locked || missing.length < before.length) {
    throw new Fault('waiting', 'SchemaNotReady', 'another process is making the schema of the database', {
      retryAfterMs: LOOK_AGAIN_MS,
    });
  }
  throw new Fault(
    'waiting',
    'SchemaNotReady',
    `the database lacks ${missing.join(', ')}: start the backend or run \`managed-gitops migrate\``,
    { retryAfterMs: LOOK_AGAIN_MS },
  );
};

/** Who made the database: we (`created`), or the original service (`adopted`). */
export const readOrigin = async (database: Queryable): Promise<'created' | 'adopted'> =>
  (await readApplied(database)).some(({ adopted }) => adopted) ? 'adopted' : 'created';

const readApplied = async (database: Queryable): Promise<AppliedMigration[]> => {
  const books = (await database.query(findBooks)).rows[0];
  return books?.ours ? (await database.query(listApplied)).rows : [];
};

/** The migrations that were not applied yet, in order. */
export const missingOf = (known: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] => {
  const done = new Set(applied.map(({ name }) => name));
  return known.filter(({ name }) => !done.has(name));
};

/** Compares what was applied with what this release knows. @throws Fault `SchemaUnknown`, `SchemaTooNew`. */
export const checkApplied = (known: readonly Migration[], applied: readonly AppliedMigration[], log: Logger): void => {
  const byName = new Map(known.map((migration) => [migration.name, migration]));
  const changed = applied.find(({ name, checksum }) => (byName.get(name)?.checksum ?? checksum) !== checksum);
  if (changed) {
    throw refusal(
      `migration ${changed.name} was applied to the database with other content than this release has: ` +
        'run the release that applied it, or restore its file',
    );
  }
  const newer = applied.filter(({ name }) => !byName.has(name));
  const breaking = newer.filter((migration) => migration.breaking !== null);
  if (breaking.length > 0) {
    const told = breaking.map(({ name, breaking: why }) => `${name} (${why})`).join(', ');
    throw new Fault(
      'user',
      'SchemaTooNew',
      `a newer release migrated the database, and this one can't run on it: ${told}`,
    );
  }
  if (newer.length > 0) log.info('a newer release has migrated the database', { count: newer.length });
};

/** @throws Fault `SchemaUnknown` unless the original finished its last migration. */
export const checkOriginalVersion = (rows: readonly { version: number; dirty: boolean }[]): void => {
  const [row] = rows;
  if (row?.version === ORIGINAL_VERSION && !row.dirty) return;
  const found = row ? `version ${row.version}${row.dirty ? ', left half-way (dirty)' : ''}` : 'no version';
  const remedy = row?.dirty
    ? "mend it with the original's migration tool"
    : `run the original's migrations to version ${ORIGINAL_VERSION}`;
  throw refusal(
    `schema_migrations of the original service says ${found}; ` +
      `only version ${ORIGINAL_VERSION} can be adopted: ${remedy}, then start again`,
  );
};

/** @throws Fault `SchemaUnknown` naming the tables and columns of the original that are missing. */
export const checkOriginalColumns = (present: readonly string[]): void => {
  const there = new Set(present);
  const missing = originalColumns().filter((column) => !there.has(column));
  if (missing.length === 0) return;
  throw refusal(
    `the database says it is the original's version ${ORIGINAL_VERSION}, but lacks ${missing.join(', ')}: ` +
      'restore them, then start again',
  );
};

/** @throws Fault `SchemaUnknown` when tables of the original stand without its record of them. */
export const checkNothingOfTheOriginal = (present: readonly string[]): void => {
  const tables = new Set(originalColumns().map(tableOf));
  const found = new Set(present.map(tableOf).filter((table) => tables.has(table)));
  if (found.size === 0) return;
  throw refusal(
    `the database has the tables ${[...found].toSorted().join(', ')}, but no schema_migrations: ` +
      `if the original service made them, run its migrations to version ${ORIGINAL_VERSION}; else use an empty database`,
  );
};

const tableOf = (column: string): string => column.slice(0, column.indexOf('.'));

const refusal = (message: string): Fault => new Fault('user', 'SchemaUnknown', message);
