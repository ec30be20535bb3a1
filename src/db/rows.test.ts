// Holds `rows.ts` and every statement of `queries/` to the database that the migrations make.
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { originalColumns, tables } from './tables.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

/** Tables that `rows.ts` need not describe: the two books of migrations. */
const BOOKS = ['managed_gitops_migrations', 'schema_migrations'];

/** What the query modules say to `statement`, exported or not. */
const said = vi.hoisted((): { name: string; text: string }[] => []);
vi.mock(import('./statement.ts'), () => ({
  statement: (name, text) => {
    said.push({ name, text });
    return { name, text };
  },
}));
for (const file of await readdir(new URL('queries/', import.meta.url))) {
  if (!file.endsWith('.test.ts')) await import(`./queries/${file.replace(/\.ts$/, '')}.ts`);
}
const statements = [...said];

describe('rows.ts', () => {
  it('describes every table and column of the migrated database, with its type and whether it may be null', async () => {
    const columns = await test.sql<{ table: string; column: string; type: string }>(`
      select c.relname as table, a.attname as column,
        replace(replace(format_type(a.atttypid, a.atttypmod), 'character varying', 'varchar'),
          'timestamp without time zone', 'timestamp') || case when a.attnotnull then '' else ' null' end as type
      from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped`);
    const found: Record<string, Record<string, string>> = {};
    for (const { table, column, type } of columns) (found[table] ??= {})[column] = type;
    for (const book of BOOKS) delete found[book];
    expect(found).toEqual(tables);
  });

  it('knows which columns are the original’s and which are ours', () => {
    const original = originalColumns();
    expect(original).toContain('operation.human_readable_state');
    expect(original).not.toContain('operation.dedupe_key');
    expect(original.filter((column) => column.startsWith('refresh_request.'))).toEqual([]);
  });
});

describe('the statements of queries/', () => {
  it('each have a name of their own that PostgreSQL does not cut', () => {
    const names = statements.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(names.filter((name) => !/^[a-z][a-z0-9-]{2,62}$/.test(name))).toEqual([]);
  });

  it.each(statements.map((statement) => [statement.name, statement.text]))(
    '%s fits the migrated database',
    async (name, text) => {
      await expect(test.sql(`prepare "${name}" as ${text}`)).resolves.toEqual([]);
    },
  );
});
