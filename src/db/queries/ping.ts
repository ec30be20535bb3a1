// The smallest question there is: does the database answer?
import type { Queryable } from '../sql.ts';
import { statement } from '../statement.ts';

const ping = statement('ping', 'select 1');

/** Returns when the database has answered. @throws Fault when it does not. */
export const pingDatabase = async (db: Queryable): Promise<void> => {
  await db.query(ping);
};
