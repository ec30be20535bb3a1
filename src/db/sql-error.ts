// What the database refused, told without any value that was sent to it.
import { Fault, isFault } from '../lib/fault.ts';
import type { PlatformReason } from '../lib/reasons.ts';

/** The database, or the way to it, failed. The cause is left out on purpose: the driver's error quotes values. */
export class SqlFault extends Fault<PlatformReason> {
  /** SQLSTATE, five characters (PostgreSQL, appendix A); undefined when the server never answered. */
  readonly sqlState: string | undefined;
  /** The constraint that was violated. */
  readonly constraint: string | undefined;

  constructor(reason: PlatformReason, message: string, details: { sqlState?: string; constraint?: string } = {}) {
    super('internal', reason, message);
    this.sqlState = details.sqlState;
    this.constraint = details.constraint;
  }
}

/** The parts of the driver's error that we read. */
interface DriverError {
  readonly message: string;
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly constraint?: unknown;
}

/** Classes of SQLSTATE whose message names things of the schema or the server, never a value. */
const SPEAKING_CLASSES = new Set(['0A', '08', '23', '25', '28', '3D', '40', '42', '53', '54', '55', '57']);

/** 08 connection, 53 out of connections or memory, 57P01…57P03 and 57P05 the server or session is being ended. */
const isAway = (sqlState: string): boolean => /^(08|53|57P0[1235])/.test(sqlState);

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const serverFault = (name: string, sqlState: string, error: DriverError): SqlFault => {
  const constraint = textOf(error.constraint);
  const told = SPEAKING_CLASSES.has(sqlState.slice(0, 2)) ? `: ${error.message}` : '';
  return new SqlFault(
    isAway(sqlState) ? 'DatabaseUnavailable' : 'DatabaseRefused',
    `${name}: SQLSTATE ${sqlState}${told}`,
    constraint === undefined ? { sqlState } : { sqlState, constraint },
  );
};

/** Turns what a statement, or connecting, threw into a fault. Faults pass through. */
export const sqlFault = (name: string, error: unknown): Fault => {
  if (isFault(error)) return error;
  if (!(error instanceof Error)) return new SqlFault('DatabaseUnavailable', `${name}: ${String(error)}`);
  const driverError: DriverError = error;
  const code = textOf(driverError.code);
  if (driverError.severity !== undefined && code !== undefined) return serverFault(name, code, driverError);
  // Nothing of ours goes into the driver's own messages: they are about sockets, deadlines and protocol.
  return new SqlFault('DatabaseUnavailable', `${name}: ${error.message || (code ?? error.name)}`);
};

const isViolation = (error: unknown, sqlState: string, constraint: string | undefined): boolean =>
  error instanceof SqlFault &&
  error.sqlState === sqlState &&
  (constraint === undefined || error.constraint === constraint);

/** True when a row with that key was there already; of the given constraint or index if one is named. */
export const isUniqueViolation = (error: unknown, constraint?: string): boolean =>
  isViolation(error, '23505', constraint);

/** True when a row referred to one that is gone, or was still referred to; by the given constraint if one is named. */
export const isForeignKeyViolation = (error: unknown, constraint?: string): boolean =>
  isViolation(error, '23503', constraint);

/** True when nothing was done because the session planned the statement before a migration changed its columns. */
export const isStalePlan = (error: unknown): boolean =>
  error instanceof SqlFault && error.sqlState === '0A000' && error.message.includes('cached plan');

/** True when the transaction met another one and may succeed when run again: serialization failure, deadlock. */
export const isConflict = (error: unknown): boolean =>
  error instanceof SqlFault && (error.sqlState === '40001' || error.sqlState === '40P01');

/** True when a lock could not be had in time. */
export const isLockTimeout = (error: unknown): boolean => error instanceof SqlFault && error.sqlState === '55P03';

/** True when the server answered, so that what was asked for did not happen. */
export const isAnswered = (error: unknown): boolean =>
  error instanceof SqlFault && error.sqlState !== undefined && error.reason !== 'DatabaseUnavailable';
