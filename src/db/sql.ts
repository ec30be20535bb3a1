// What the rest of the service sees of PostgreSQL.

/** A value that a statement takes. Times are UTC text (`2026-01-31T12:00:00.000Z`), never a local Date. */
export type SqlValue =
  | string
  | number
  | boolean
  | null
  | Buffer
  | readonly (string | null)[]
  | readonly (number | null)[]
  | readonly (Buffer | null)[];

/** One SQL statement of `db/queries`. `Row` is what it returns; `name` is its prepared name and its name in metrics. */
export interface Statement<Row> {
  readonly name: string;
  readonly text: string;
  readonly row?: Row;
}

/** What a statement did. */
export interface SqlResult<Row> {
  readonly rows: Row[];
  /** Rows read or written. */
  readonly count: number;
}

/** Where statements run: the pool (each its own transaction) or one open transaction. */
export interface Queryable {
  query<Row>(statement: Statement<Row>, values?: readonly SqlValue[]): Promise<SqlResult<Row>>;
}

/** The pool of a process. */
export interface Database extends Queryable {
  /**
   * Runs `run` in one READ COMMITTED transaction: commits when it returns, rolls back when it throws.
   * A serialization failure or deadlock (SQLSTATE 40001, 40P01) runs it again, up to three times in all.
   *
   * *Caveat*: when the connection is lost during the commit, whether it happened is unknown; the error says so, and the
   * caller, being level-triggered, looks again.
   */
  transaction<T>(name: string, run: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Waits for statements in flight and closes the sessions. */
  stop(): Promise<void>;
}
