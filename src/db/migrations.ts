// The migrations that this release knows: the SQL files beside this module.
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';

/** One migration. */
export interface Migration {
  /** Its file's name without the ending, `0002_operation_intent`: the order of names is the order of migrations. */
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text, in hexadecimal. */
  readonly checksum: string;
  /** Why releases that don't know it can't run on the database any more; null when they can. */
  readonly breaking: string | null;
}

/** A first line `-- breaking: <reason>` says that older releases must not run after this migration. */
const BREAKING = /^-- breaking: (.+)$/m;

const migration = (file: string, written: string): Migration => {
  const text = written.replaceAll('\r\n', '\n'); // a checkout that turns line ends must not look like a change
  return {
    name: file.replace(/\.sql$/, ''),
    text,
    checksum: createHash('sha256').update(text).digest('hex'),
    breaking: BREAKING.exec(text)?.[1] ?? null,
  };
};

/** Reads them from a folder, by default `migrations/` beside this module or beside the bundle it became part of. */
export const readMigrations = async (folder = new URL('migrations/', import.meta.url)): Promise<Migration[]> => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).toSorted();
  return Promise.all(files.map(async (file) => migration(file, await readFile(new URL(file, folder), 'utf8'))));
};
