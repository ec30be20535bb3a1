// Makes the SQL statements of `db/queries`.
import type { Statement } from './sql.ts';

/**
 * A statement that returns rows of type `Row`. `name` is its prepared name and its name in metrics, logs and errors:
 * unique, in kebab-case, at most 63 characters (PostgreSQL's limit for names).
 */
export const statement = <Row = never>(name: string, text: string): Statement<Row> => ({ name, text });
