// What a structural schema does to an object: fields it does not know are dropped, defaults are filled in.
import { isRecord } from '../../../kube/json.ts';
import type { JsonObject } from '../json.ts';
import type { Schema } from './schema.ts';

/** Fields every object has, whatever its schema says; `metadata` is read by its own rules. */
const always = new Set(['apiVersion', 'kind', 'metadata']);

const childSchema = (schema: Schema, field: string): Schema | undefined =>
  (schema.properties && Object.hasOwn(schema.properties, field) ? schema.properties[field] : undefined) ??
  (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);

/** Where pruning stands, and what it has dropped so far. */
interface Pruning {
  readonly path: string;
  readonly dropped: string[];
}

const pruneValue = (schema: Schema, value: unknown, at: Pruning): unknown => {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return value;
    return value.map((item, index) => pruneValue(items, item, { ...at, path: `${at.path}[${index}]` }));
  }
  return isRecord(value) ? pruneObject(schema, value, at) : value;
};

const pruneObject = (schema: Schema, source: JsonObject, { path, dropped }: Pruning): JsonObject => {
  const embedded = path === '' || schema['x-kubernetes-embedded-resource'] === true;
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true;
  const kept = Object.entries(source).flatMap(([field, value]): [string, unknown][] => {
    if (embedded && always.has(field)) return [[field, value]];
    const fieldPath = path === '' ? field : `${path}.${field}`;
    const child = childSchema(schema, field);
    if (child) return [[field, pruneValue(child, value, { path: fieldPath, dropped })]];
    if (keepsUnknown) return [[field, value]];
    dropped.push(fieldPath);
    return [];
  });
  return Object.fromEntries(kept);
};

/** Drops the fields that the schema of an object does not know, and names their paths. */
export const prune = (schema: Schema, object: JsonObject): { value: JsonObject; dropped: string[] } => {
  const dropped: string[] = [];
  return { value: pruneObject(schema, object, { path: '', dropped }), dropped };
};

const defaulted = (schema: Schema, value: unknown): unknown => {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.map((item) => defaulted(items, item)) : value;
  }
  return isRecord(value) ? applyDefaults(schema, value) : value;
};

/** Null is dropped where it may not be and there is no default; the schema then sees no value. */
const isDropped = (schema: Schema | undefined, value: unknown): boolean =>
  value === null && schema !== undefined && schema.nullable !== true;

/** Fills in the schema's defaults where a field is missing, or null although it may not be. */
export const applyDefaults = (schema: Schema, object: JsonObject): JsonObject => {
  const complete: JsonObject = { ...object };
  for (const [field, child] of Object.entries(schema.properties ?? {})) {
    const present = complete[field];
    const missing = present === undefined || (present === null && child.nullable !== true);
    if (missing && child.default !== undefined) complete[field] = structuredClone(child.default);
  }
  return Object.fromEntries(
    Object.entries(complete).flatMap(([field, value]) => {
      const child = childSchema(schema, field);
      return isDropped(child, value) ? [] : [[field, child ? defaulted(child, value) : value]];
    }),
  );
};
