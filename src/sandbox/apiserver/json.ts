// Reading JSON of which nothing is known yet.
import { isRecord } from '../../kube/json.ts';

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/** The value, or an empty object when it is none. */
export const asObject = (value: unknown): JsonObject => (isRecord(value) ? value : {});

/** The value, or an empty list when it is none. */
export const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The value, or '' when it is no text. */
export const asText = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The texts of a list; what is no text is left out. */
export const asTexts = (value: unknown): string[] => asArray(value).filter((item) => typeof item === 'string');

/** What stands at a path of field names; undefined where the path breaks off. */
export const valueAt = (value: unknown, ...path: readonly string[]): unknown => {
  let current = value;
  for (const field of path) {
    if (!isRecord(current) || !Object.hasOwn(current, field)) return undefined;
    current = current[field];
  }
  return current;
};

/** A copy of the object without the named fields. */
export const without = (object: object, ...fields: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));
