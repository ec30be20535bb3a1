// The original's halves, as far as the formats go: what they would accept of what ours write, and what they write.
import { gunzipSync } from 'node:zlib';
import { readMigrations } from '../../../src/db/migrations.ts';
import { parseYaml } from '../../../src/lib/yaml.ts';
import { createTestDatabase, type TestDatabase } from '../../kit/database.ts';
import { originalColumns } from '../../../src/db/tables.ts';

/** The original's tables, each after those that it refers to. */
const originalTables = [
  'clustercredentials',
  'gitopsenginecluster',
  'gitopsengineinstance',
  'managedenvironment',
  'clusteruser',
  'clusteraccess',
  'application',
  'applicationowner',
  'applicationstate',
  'deploymenttoapplicationmapping',
  'operation',
  'syncoperation',
  'kubernetestodbresourcemapping',
  'apicrtodatabasemapping',
  'repositorycredentials',
  'appprojectrepository',
  'appprojectmanagedenvironment',
] as const;

/**
 * Copies the rows that ours have written into a database of the original's schema, which has the original's lengths,
 * required columns and references. How many there were, by table. @throws what PostgreSQL has against a row.
 */
export const copyToOriginal = async (ours: TestDatabase): Promise<Readonly<Record<string, number>>> => {
  const original = await createTestDatabase({ migrated: false });
  try {
    const [first] = await readMigrations();
    await original.script(first?.text ?? '');
    const counts: Record<string, number> = {};
    for (const table of originalTables) {
      const columns = originalColumns()
        .filter((column) => column.startsWith(`${table}.`))
        .map((column) => `"${column.slice(table.length + 1)}"`)
        .join(', ');
      const [all] = await ours.sql<{ rows: unknown[] }>(
        `select coalesce(json_agg(t), '[]') as rows from (select ${columns} from "${table}") t`,
      );
      const rows = all?.rows ?? [];
      const json = JSON.stringify(rows).replaceAll("'", "''");
      await original.sql(
        `insert into "${table}" (${columns}) select ${columns} from json_populate_recordset(null::"${table}", '${json}')`,
      );
      counts[table] = rows.length;
    }
    return counts;
  } finally {
    await original.drop();
  }
};

/** Keys of a YAML document that are not all lower case, which Go's reader would not find. */
export const oddKeys = (document: unknown, path = ''): string[] => {
  if (Array.isArray(document)) return document.flatMap((one, index) => oddKeys(one, `${path}[${index}]`));
  if (typeof document !== 'object' || document === null) return [];
  return Object.entries(document).flatMap(([key, value]) => [
    ...(key === key.toLowerCase() ? [] : [`${path}.${key}`]),
    ...oddKeys(value, `${path}.${key}`),
  ]);
};

/** What the original's backend decodes of `applicationstate.argocd_application_status`. */
export const readOriginalStatus = (bytes: Buffer): unknown => parseYaml(gunzipSync(bytes).toString('utf8'));
