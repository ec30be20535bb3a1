// The one door through which every call leaves the process: API requests, SQL statements, the notification listener, git.

/** A call that is about to leave the process. */
export interface OutsideCall {
  /** What it talks to. */
  readonly to: 'api' | 'sql' | 'listen' | 'git';
  /** What it does, without any value of a user: `GET gitopsdeployments`, `commit`, a statement's name. */
  readonly name: string;
}

/**
 * Runs an outside call. In production it does nothing else (`openGate`). A test's gate holds each call until it is
 * released, so that a seeded test chooses the order in which concurrent work meets the outside.
 *
 * *Guarantee*: `run` is called at most once, and the result or error is passed on untouched.
 */
export type Gate = <T>(call: OutsideCall, run: () => Promise<T>) => Promise<T>;

/** The gate of production: always open. */
export const openGate: Gate = (_call, run) => run();
