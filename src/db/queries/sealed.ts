// The columns that hold secrets of tenants, and those that hold hashes over them, to be kept under another key.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';

/** A column, and what tells the rows of its table apart. */
interface SealedColumn {
  readonly table: string;
  readonly id: string;
  readonly column: string;
}

const secretColumns = [
  { table: 'clustercredentials', id: 'clustercredentials_cred_id', column: 'serviceaccount_bearer_token' },
  { table: 'repositorycredentials', id: 'repositorycredentials_id', column: 'repo_cred_pass' },
  { table: 'repositorycredentials', id: 'repositorycredentials_id', column: 'repo_cred_ssh' },
  { table: 'environment_cleanup', id: 'cleanup_id', column: 'bearer_token' },
] as const satisfies readonly SealedColumn[];

const hashColumns = [
  { table: 'clustercredentials', id: 'clustercredentials_cred_id', column: 'input_hash' },
  { table: 'repositorycredentials', id: 'repositorycredentials_id', column: 'input_hash' },
  { table: 'probe_result', id: 'uid', column: 'input_hash' },
] as const satisfies readonly SealedColumn[];

/** A secret, or a hash, as it is kept. */
export interface SealedValue {
  readonly id: string;
  readonly sealed: string;
}

/** Reads and replaces what one column holds. */
export interface SealedValues {
  /** What the column is called, `table.column`. */
  readonly name: string;
  /** The next ones after `afterId`, in the order of their ids. */
  page(db: Queryable, afterId: string, limit: number): Promise<readonly SealedValue[]>;
  /** Replaces those that have not changed meanwhile. */
  replace(db: Queryable, values: readonly (SealedValue & { readonly before: string })[]): Promise<void>;
}

/** As statements are named. */
const named = (name: string): string => name.replaceAll('_', '-');

const valuesOf = ({ table, id, column }: SealedColumn, isMeant: string): SealedValues => {
  const page = statement<SealedValue>(
    named(`sealed-page-${table}-${column}`),
    `
select ${id} as id, ${column} as sealed from ${table}
where ${id} > $1 and ${column} ${isMeant}
order by ${id} limit $2`,
  );
  const replace = statement(
    named(`sealed-replace-${table}-${column}`),
    `
update ${table} t set ${column} = k.sealed
from unnest($1::text[], $2::text[], $3::text[]) as k(id, sealed, before)
where t.${id} = k.id and t.${column} = k.before`,
  );
  return {
    name: `${table}.${column}`,
    page: async (db, afterId, limit) => (await db.query(page, [afterId, limit])).rows,
    async replace(db, values) {
      await db.query(replace, [
        values.map((one) => one.id),
        values.map((one) => one.sealed),
        values.map((one) => one.before),
      ]);
    },
  };
};

/** Every column of secrets. The placeholder for a cluster that needs no token is none, and the other half compares with it. */
export const sealedValues: readonly SealedValues[] = secretColumns.map((column) =>
  valuesOf(column, `not in ('', 'serviceaccount_bearer_token')`),
);

/** Hashes over secrets that were kept without a key. */
export const plainHashes: readonly SealedValues[] = hashColumns.map((column) => valuesOf(column, `~ '^[0-9a-f]{64}$'`));
