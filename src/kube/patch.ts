// The smallest JSON merge patch (RFC 7386) between two values, and their equality.
import { isRecord } from './json.ts';

/** Equality of JSON values: the order of members and members that are `undefined` don't count, the order of items does. */
export const isEqualJson = (left: unknown, right: unknown): boolean => {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, at) => isEqualJson(item, right[at]));
  }
  if (!isRecord(left) || !isRecord(right)) return false;
  return namesOf(left, right).every((name) => isEqualJson(member(left, name), member(right, name)));
};

/**
 * The smallest merge patch that turns `from` into `to`; undefined when there is nothing to change.
 *
 * *Caveats*, both RFC 7386's: an array is replaced as a whole, and a member that is null counts as absent.
 */
export const mergePatch = (from: unknown, to: unknown): unknown => {
  if (!isRecord(to)) return isEqualJson(from, to) ? undefined : to;
  if (!isRecord(from)) return withoutNulls(to);
  const patch: Record<string, unknown> = {};
  for (const name of namesOf(from, to)) {
    const change = memberPatch(member(from, name), member(to, name));
    if (change !== undefined) define(patch, name, change);
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
};

const memberPatch = (from: unknown, to: unknown): unknown => {
  if (to !== undefined && to !== null) return mergePatch(from, to);
  return from === undefined || from === null ? undefined : null;
};

const withoutNulls = (value: Record<string, unknown>): Record<string, unknown> => {
  const plain: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(value)) {
    if (one === undefined || one === null) continue;
    define(plain, name, isRecord(one) ? withoutNulls(one) : one);
  }
  return plain;
};

/** An own member: every object also answers to `constructor`, `toString` and `__proto__`. */
const member = (record: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(record, name) ? record[name] : undefined;

/** Sets an own member also where its name is `__proto__`, which an assignment would take for the prototype. */
const define = (target: Record<string, unknown>, name: string, value: unknown): void => {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
};

const namesOf = (left: object, right: object): string[] => [...new Set([...Object.keys(left), ...Object.keys(right)])];
