// Checks a value against a structural schema, in the words the Kubernetes API uses for custom resources.
import { isRecord } from '../../../kube/json.ts';
import { isEqualJson } from '../../../kube/patch.ts';
import { parseTime } from '../../../lib/clock.ts';
import {
  duplicate,
  invalid,
  required,
  tooLong,
  tooMany,
  unsupported,
  wrongType,
  type FieldError,
} from './field-error.ts';
import type { JsonObject } from '../json.ts';
import type { Schema } from './schema.ts';

const typeOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
};

const hasType = (schema: Schema, actual: string): boolean => {
  if (schema['x-kubernetes-int-or-string']) return actual === 'integer' || actual === 'string';
  return schema.type === undefined || schema.type === actual || (schema.type === 'number' && actual === 'integer');
};

const formats: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}/.test(text) && parseTime(text) !== undefined,
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  email: (text) => /^[^@\s]+@[^@\s]+$/.test(text),
  uri: (text) => URL.canParse(text),
  ipv4: (text) => /^(\d{1,3}\.){3}\d{1,3}$/.test(text),
  byte: (text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text),
};

const textErrors = (schema: Schema, text: string, path: string): FieldError[] => {
  const { minLength, maxLength, pattern, format } = schema;
  const length = Array.from(text).length;
  const wellFormed = format === undefined || (formats[format]?.(text) ?? true);
  return [
    ...(maxLength !== undefined && length > maxLength ? [tooLong(path, maxLength)] : []),
    ...(minLength !== undefined && length < minLength
      ? [invalid(path, text, `${path} in body should be at least ${minLength} chars long`)]
      : []),
    ...(pattern !== undefined && !new RegExp(pattern, 'u').test(text)
      ? [invalid(path, text, `${path} in body should match '${pattern}'`)]
      : []),
    ...(wellFormed ? [] : [invalid(path, text, `${path} in body must be of type ${format}: ${JSON.stringify(text)}`)]),
  ];
};

const numberErrors = (schema: Schema, value: number, path: string): FieldError[] => {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const says = (rule: string): FieldError => invalid(path, value, `${path} in body should be ${rule}`);
  const errors: FieldError[] = [];
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    errors.push(says(`greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`));
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    errors.push(says(`less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`));
  }
  if (multipleOf !== undefined && value % multipleOf !== 0) errors.push(says(`a multiple of ${multipleOf}`));
  return errors;
};

const keyIn = (schema: Schema, item: unknown): unknown => {
  if (schema['x-kubernetes-list-type'] !== 'map') return item;
  const source: JsonObject = isRecord(item) ? item : {};
  return Object.fromEntries((schema['x-kubernetes-list-map-keys'] ?? []).map((key) => [key, source[key]]));
};

const uniqueErrors = (schema: Schema, items: readonly unknown[], path: string): FieldError[] => {
  const listType = schema['x-kubernetes-list-type'] ?? 'atomic';
  if (listType === 'atomic' && !schema.uniqueItems) return [];
  const keys = items.map((item) => keyIn(schema, item));
  return keys.flatMap((key, at) =>
    keys.slice(0, at).some((earlier) => isEqualJson(earlier, key)) ? [duplicate(`${path}[${at}]`, key)] : [],
  );
};

const listErrors = (schema: Schema, items: readonly unknown[], path: string): FieldError[] => {
  const { minItems, maxItems, items: itemSchema } = schema;
  return [
    ...(maxItems !== undefined && items.length > maxItems ? [tooMany(path, items.length, maxItems)] : []),
    ...(minItems !== undefined && items.length < minItems
      ? [invalid(path, items.length, `${path} in body should have at least ${minItems} items`)]
      : []),
    ...(itemSchema ? items.flatMap((item, at) => valueErrors(itemSchema, item, `${path}[${at}]`)) : []),
    ...uniqueErrors(schema, items, path),
  ];
};

const joined = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`);

const objectErrors = (schema: Schema, object: JsonObject, path: string): FieldError[] => {
  const { properties = {}, additionalProperties, minProperties, maxProperties } = schema;
  const count = Object.keys(object).length;
  const missing = (schema.required ?? []).filter((field) => object[field] === undefined);
  return [
    ...missing.map((field) => required(joined(path, field))),
    ...(maxProperties !== undefined && count > maxProperties ? [tooMany(path, count, maxProperties)] : []),
    ...(minProperties !== undefined && count < minProperties
      ? [invalid(path, count, `${path} in body should have at least ${minProperties} properties`)]
      : []),
    ...Object.entries(object).flatMap(([field, value]) => {
      if (value === undefined) return [];
      const own = Object.hasOwn(properties, field) ? properties[field] : undefined;
      const child = own ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
      return child ? valueErrors(child, value, joined(path, field)) : [];
    }),
  ];
};

const branchErrors = (schema: Schema, value: unknown, path: string): FieldError[] => {
  const fits = (branch: Schema): boolean => valueErrors(branch, value, path).length === 0;
  const says = (rule: string): FieldError[] => [invalid(path, '', `"${path}" must ${rule}`)];
  const { allOf = [], anyOf, oneOf, not } = schema;
  const matching = oneOf?.filter(fits).length ?? 1;
  return [
    ...allOf.flatMap((branch) => valueErrors(branch, value, path)),
    ...(anyOf && !anyOf.some(fits) ? says('validate at least one schema (anyOf)') : []),
    ...(matching === 0 ? says('validate one and only one schema (oneOf). Found none valid') : []),
    ...(matching > 1 ? says(`validate one and only one schema (oneOf). Found ${matching} valid alternatives`) : []),
    ...(not && fits(not) ? says('not validate the schema (not)') : []),
  ];
};

const contentErrors = (schema: Schema, value: unknown, path: string): FieldError[] => {
  if (typeof value === 'string') return textErrors(schema, value, path);
  if (typeof value === 'number') return numberErrors(schema, value, path);
  if (Array.isArray(value)) return listErrors(schema, value, path);
  return isRecord(value) ? objectErrors(schema, value, path) : [];
};

/** The real server says a second time, without a path, that a fraction is no whole number. */
const fractionErrors = (schema: Schema, actual: string, path: string): FieldError[] =>
  schema.type === 'integer' && actual === 'number'
    ? [invalid('<nil>', '', `Checked value must be of type integer (default format) in ${path}`)]
    : [];

const valueErrors = (schema: Schema, value: unknown, path: string): FieldError[] => {
  if (value === null && schema.nullable) return [];
  const actual = typeOf(value);
  if (!hasType(schema, actual)) {
    const expected = schema['x-kubernetes-int-or-string'] ? 'integer,string' : (schema.type ?? '');
    return [wrongType(path, expected, actual), ...fractionErrors(schema, actual, path)];
  }
  return [
    ...(schema.enum && !schema.enum.some((item) => isEqualJson(item, value))
      ? [unsupported(path, value, schema.enum)]
      : []),
    ...contentErrors(schema, value, path),
    ...branchErrors(schema, value, path),
  ];
};

/** Everything about an object that its schema does not allow; `metadata` is checked by its own rules. */
export const schemaErrors = (schema: Schema, object: JsonObject): FieldError[] => {
  const { metadata: _own, ...properties } = schema.properties ?? {};
  return valueErrors({ ...schema, properties }, object, '');
};
