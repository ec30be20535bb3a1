// What has been done to this database's schema, and by whom.
import { statement } from '../statement.ts';

/** Which of the two books of migrations there are. */
export const findBooks = statement<{ ours: boolean; original: boolean }>(
  'migrations-find-books',
  `select to_regclass('managed_gitops_migrations') is not null as ours,
          to_regclass('schema_migrations') is not null as original`,
);

/** The original's mark of its version; no row when it never finished a migration. */
export const readOriginalVersion = statement<{ version: number; dirty: boolean }>(
  'migrations-read-original-version',
  'select version, dirty from schema_migrations',
);

/** Every column that stands in the schema we work in. */
export const listColumns = statement<{ table_name: string; column_name: string }>(
  'migrations-list-columns',
  `select table_name, column_name from information_schema.columns where table_schema = current_schema()`,
);

/** A migration that was applied here. */
export interface AppliedMigration {
  readonly name: string;
  /** SHA-256 of its file, in hexadecimal. */
  readonly checksum: string;
  /** True when the original had done what it does, so that it was only recorded. */
  readonly adopted: boolean;
  /** Why releases that don't know it can't run on this database; null when they can. */
  readonly breaking: string | null;
}

/** All of them, in the order of their names. */
export const listApplied = statement<AppliedMigration>(
  'migrations-list-applied',
  'select name, checksum, adopted, breaking from managed_gitops_migrations order by name',
);

/** Records one: name, checksum, time, adopted, breaking. */
export const recordApplied = statement(
  'migrations-record-applied',
  `insert into managed_gitops_migrations (name, checksum, applied_at, adopted, breaking)
   values ($1, $2, $3, $4, $5)`,
);

/** Takes the lock that one migrating session holds at a time; false when another has it. */
export const tryLock = statement<{ locked: boolean }>(
  'migrations-try-lock',
  'select pg_try_advisory_lock($1) as locked',
);

/** Takes the lock, waiting for it. */
export const lock = statement('migrations-lock', 'select pg_advisory_lock($1)');

/** What a migrating session locks: any number that nobody else locks in this database. */
export const LOCK = 7_315_902_001;

/** True while a session holds the lock: somebody is making the schema. */
export const isLocked = statement<{ locked: boolean }>(
  'migrations-is-locked',
  `select exists (
     select from pg_locks l join pg_database d on d.oid = l.database
     where d.datname = current_database() and l.locktype = 'advisory' and l.granted and l.objsubid = 1
       and (l.classid::bigint << 32 | l.objid::bigint) = $1
   ) as locked`,
);
