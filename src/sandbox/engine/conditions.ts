// Conditions and times of an Application's status. Pure.
import type { Condition } from './shapes.ts';

/**
 * The conditions after an evaluation of the types in `evaluated`: theirs are replaced by `found`, others stay. A
 * condition that says the same as before keeps its time.
 */
export const mergeConditions = (
  before: readonly Condition[] | undefined,
  found: readonly Condition[],
  { evaluated, now }: { readonly evaluated: readonly string[]; readonly now: string },
): Condition[] => {
  const old = before ?? [];
  const others = old.filter(({ type }) => !evaluated.includes(type));
  const fresh = found.map(
    (condition) =>
      old.find(({ type, message }) => type === condition.type && message === condition.message) ?? {
        ...condition,
        lastTransitionTime: now,
      },
  );
  return [...others, ...fresh].toSorted((left, right) => (left.type < right.type ? -1 : 1));
};

/** The time of day of an RFC 3339 time in Go's kitchen format (`3:04PM`), as Argo CD writes a retry's time. */
export const kitchenTime = (time: string): string => {
  const hour = Number(time.slice(11, 13));
  return `${hour % 12 || 12}:${time.slice(14, 16)}${hour < 12 ? 'AM' : 'PM'}`;
};
