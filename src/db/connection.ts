// Where the database is and what each session of ours is told, as the driver wants it.
import type { ClientConfig } from 'pg';

/** Where the database is. A URL may carry the driver's parameters, such as `?sslmode=verify-full`. */
export type DatabaseConnection =
  | { readonly url: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly database: string;
      /** False: plain TCP. True: TLS with the system's authorities. `ca`: PEM of the only authority that counts. */
      readonly ssl: boolean | { readonly ca: string };
    };

/** The deadlines of a session, in milliseconds. 0 means none. */
export interface SessionSettings {
  /** To get a session: to connect, or to wait for a free one. */
  readonly connectMs: number;
  /** For one statement. */
  readonly statementMs: number;
  /** For one lock within a statement. */
  readonly lockMs: number;
  /** What a statement's answer may take beyond its deadline before the session counts as dead. */
  readonly graceMs: number;
}

/** The driver's settings for one session. */
export const clientConfig = (
  connection: DatabaseConnection,
  options: { readonly name: string; readonly settings: SessionSettings },
): ClientConfig => {
  const { name, settings } = options;
  return {
    ...('url' in connection ? { connectionString: connection.url } : { ...connection }),
    application_name: name,
    connectionTimeoutMillis: settings.connectMs,
    // A statement's deadline is kept by the server. When even that answer does not come, the network is gone.
    query_timeout: settings.statementMs === 0 ? undefined : settings.statementMs + settings.graceMs,
    keepAlive: true,
  };
};

/**
 * The first statement of a session. It overrides what the role or the database prescribes: times are UTC, and nobody
 * holds a lock or a session for ever. One message, one round trip.
 */
export const sessionText = ({ statementMs, lockMs }: SessionSettings): string =>
  [
    `set time zone 'UTC'`,
    `set datestyle to 'ISO, YMD'`,
    `set statement_timeout to ${statementMs}`,
    `set lock_timeout to ${lockMs}`,
    `set idle_in_transaction_session_timeout to ${statementMs}`,
    'set idle_session_timeout to 0', // a listener is idle for hours
    'set plan_cache_mode to force_generic_plan', // every statement looks rows up by key: planning anew takes longer than that
  ].join(';');
