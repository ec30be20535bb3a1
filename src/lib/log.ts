// Structured JSON logs with one vocabulary of keys. The only place that knows the logger library.
import { pino } from 'pino';
import { systemClock, type Clock } from './clock.ts';
import { messageOf } from './fault.ts';

/** Every key a log line may carry. One thing, one key: a new thing gets a line here first. */
export interface LogFields {
  /** Which part of the process speaks: `backend`, `agent`, `watcher`, `migrate` … */
  readonly component?: string;
  readonly namespace?: string;
  readonly namespaceUid?: string;
  readonly name?: string;
  readonly uid?: string;
  /** A queue key, `<namespaceUid>/<kind>/<name>`. */
  readonly key?: string;
  readonly kind?: string;
  readonly resource?: string;
  readonly controller?: string;
  /** The id of one pass over a key, also shown to the user with an internal error. */
  readonly runId?: string;
  readonly applicationId?: string;
  readonly operationId?: string;
  readonly statement?: string;
  readonly migration?: string;
  readonly lease?: string;
  readonly reason?: string;
  readonly attempt?: number;
  readonly afterMs?: number;
  readonly durationMs?: number;
  readonly count?: number;
  readonly port?: number;
  readonly url?: string;
  readonly field?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  /** The error underneath: name, message, stack and causes; what else hangs on it may be a secret and is left out. */
  readonly err?: unknown;
}

/** Writes log lines. Values are never secrets: a Secret is logged by namespace and name only. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its lines. */
  with(fields: LogFields): Logger;
}

/** From the most to the least talkative. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** How much is logged. */
export type LogLevel = (typeof logLevels)[number];

/** What a logger writes to: one complete line at a time. */
export interface LogSink {
  write(line: string): void;
}

/** Creates the process's logger: one JSON object a line, `ts` in RFC 3339 UTC, `level` as a word, to stderr by default. */
export const createLogger = (options: { level: LogLevel; sink?: LogSink; clock?: Clock }): Logger => {
  const clock = options.clock ?? systemClock;
  const root = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'msg',
      errorKey: 'err',
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      timestamp: () => `,"ts":"${new Date(clock.now()).toISOString()}"`,
    },
    options.sink ?? process.stderr,
  );
  return wrap(root, {});
};

type Underlying = Readonly<Record<'debug' | 'info' | 'warn' | 'error', (fields: object, message: string) => void>>;

/** The fields of a line win over those of its logger; the library's own children would write both. */
const wrap = (under: Underlying, bound: LogFields): Logger => ({
  debug: (message, fields) => under.debug({ ...bound, ...fields }, message),
  info: (message, fields) => under.info({ ...bound, ...fields }, message),
  warn: (message, fields) => under.warn({ ...bound, ...fields }, message),
  error: (message, fields) => under.error({ ...bound, ...fields }, message),
  with: (fields) => wrap(under, { ...bound, ...fields }),
});

const MOST_CAUSES = 5;

const describeError = (error: unknown, depth = 0): unknown => {
  if (!(error instanceof Error)) return messageOf(error);
  const { name, message, stack, cause } = error;
  const under = cause === undefined || depth === MOST_CAUSES ? {} : { cause: describeError(cause, depth + 1) };
  const many = error instanceof AggregateError ? { errors: error.errors.map(messageOf) } : {};
  return { name, message, stack, ...many, ...under };
};
