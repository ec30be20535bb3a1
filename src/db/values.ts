// How values come back: the few types that we read otherwise than the driver would.
import type { CustomTypesConfig } from 'pg';

const BIGINT = 20;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

type Oid = Parameters<CustomTypesConfig['getTypeParser']>[0];

/** `2026-01-31 12:00:00.5` or `… 12:00:00.5+00` to `2026-01-31T12:00:00.500000Z`; `infinity` stays. */
const parseTimestamp = (text: string): string => {
  const match = /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$/.exec(text);
  return match ? `${match[1]}T${match[2]}.${(match[3] ?? '').padEnd(6, '0')}Z` : text;
};

const parseBigint = (text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError('a bigint beyond 2^53');
};

const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  [BIGINT]: parseBigint,
  [TIMESTAMP]: parseTimestamp,
  [TIMESTAMPTZ]: parseTimestamp,
};

/**
 * The driver's type parsers with ours before them: a `timestamp` is UTC text with microseconds
 * (`2026-01-31T12:00:00.000000Z`), so that the order of texts is the order of time; a `bigint` is a number, and one
 * that a number can't hold is an error.
 */
export const valueTypes = (driver: CustomTypesConfig): CustomTypesConfig => ({
  getTypeParser: ((oid: Oid, format?: 'text') =>
    parsers[oid] ?? driver.getTypeParser(oid, format)) as CustomTypesConfig['getTypeParser'], // its overloads by format can't be written as one arrow
});
