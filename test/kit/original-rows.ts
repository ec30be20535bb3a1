// What the original would find of its rows: the values of its own columns, compared between two times.
import { originalColumns } from '../../src/db/tables.ts';
import type { World } from './world.ts';

/** The values of the original's columns: a text for each row, under `<table> <first column> <seq_id>`. */
export type OriginalValues = ReadonlyMap<string, string>;

/** Reads all of them. */
export const readOriginalRows = async ({ database }: World): Promise<OriginalValues> => {
  const columns = Map.groupBy(
    originalColumns().map((column) => column.split('.')),
    ([table]) => table ?? '',
  );
  const rows = new Map<string, string>();
  for (const [table, pairs] of columns) {
    const names = pairs.map(([, name]) => name ?? '');
    const found = await database.sql<{ key: string; row: string }>(`
      select concat_ws(' ', '${table}', ${names[0] ?? ''}, to_jsonb(t)->>'seq_id') as key, to_jsonb(t)::text as row
      from (select ${names.join(', ')} from ${table}) t`);
    for (const { key, row } of found) rows.set(key, row);
  }
  return rows;
};

/** What differs between two readings: `<table> <first column>` for each row. */
export const rowDifferences = (
  before: OriginalValues,
  after: OriginalValues,
): { [key in 'made' | 'changed' | 'removed']: string[] } => {
  const named = (keys: Iterable<string>): string[] => [...keys].map((key) => key.split(' ').slice(0, 2).join(' '));
  return {
    made: named(after.keys().filter((key) => !before.has(key))),
    removed: named(before.keys().filter((key) => !after.has(key))),
    changed: named(after.keys().filter((key) => before.has(key) && before.get(key) !== after.get(key))).toSorted(),
  };
};
