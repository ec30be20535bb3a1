// What is wrong with one field, in the words of the Kubernetes API (k8s.io/apimachinery `field.Error`).
import { isRecord } from '../../../kube/json.ts';

/** One field that can't be taken. `message` begins with what is wrong; the field's path stands apart. */
export interface FieldError {
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value);
  return isRecord(value) || Array.isArray(value) ? JSON.stringify(value) : String(value);
};

const withDetail = (head: string, detail: string): string => (detail === '' ? head : `${head}: ${detail}`);

/** The field has to be there. */
export const required = (field: string, detail = ''): FieldError => ({
  field,
  reason: 'FieldValueRequired',
  message: withDetail('Required value', detail),
});

/** The field's value can't be taken. */
export const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: withDetail(`Invalid value: ${shown(value)}`, detail),
});

/** The field's value has the wrong JSON type; `actual` names the type found. */
export const wrongType = (field: string, expected: string, actual: string): FieldError => ({
  field,
  reason: 'FieldValueTypeInvalid',
  message: `Invalid value: "${actual}": ${field} in body must be of type ${expected}: "${actual}"`,
});

/** The field's value is none of those allowed. */
export const unsupported = (field: string, value: unknown, allowed: readonly unknown[]): FieldError => ({
  field,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${shown(value)}: supported values: ${allowed.map((item) => JSON.stringify(String(item))).join(', ')}`,
});

/** The value stands twice in a list that is a set. */
export const duplicate = (field: string, value: unknown): FieldError => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${shown(value)}`,
});

/** The field may not be set, or not now. */
export const forbidden = (field: string, detail: string): FieldError => ({
  field,
  reason: 'FieldValueForbidden',
  message: withDetail('Forbidden', detail),
});

/** The text is longer than `most` bytes. */
export const tooLong = (field: string, most: number): FieldError => ({
  field,
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${most} bytes`,
});

/** The list or map holds more than `most` entries. */
export const tooMany = (field: string, actual: number, most: number): FieldError => ({
  field,
  reason: 'FieldValueTooMany',
  message: `Too many: ${actual}: must have at most ${most} items`,
});

/** The error as one line: path, then what is wrong. */
export const lineOf = (error: FieldError): string => `${error.field}: ${error.message}`;
