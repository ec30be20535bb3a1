import { describe, expect, it } from 'vitest';
import { lineOf } from './field-error.ts';
import type { Schema } from './schema.ts';
import { schemaErrors } from './schema-errors.ts';

const errors = (field: Schema, value: unknown): string[] =>
  schemaErrors(
    { type: 'object', properties: { spec: { type: 'object', properties: { x: field } } } },
    { spec: { x: value } },
  ).map(lineOf);

describe('a value against its schema', () => {
  const cases: readonly [string, Schema, unknown, string[]][] = [
    [
      'a wrong type',
      { type: 'string' },
      1,
      ['spec.x: Invalid value: "integer": spec.x in body must be of type string: "integer"'],
    ],
    [
      'null',
      { type: 'string' },
      null,
      ['spec.x: Invalid value: "null": spec.x in body must be of type string: "null"'],
    ],
    ['null where it may be', { type: 'string', nullable: true }, null, []],
    ['a whole number as a number', { type: 'number' }, 1, []],
    [
      'a fraction as an integer',
      { type: 'integer' },
      1.5,
      [
        'spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"',
        '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.x',
      ],
    ],
    ['an integer or a string', { 'x-kubernetes-int-or-string': true }, '50%', []],
    [
      'neither of the two',
      { 'x-kubernetes-int-or-string': true },
      true,
      ['spec.x: Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"'],
    ],
    [
      'a value outside its enum',
      { type: 'string', enum: ['a', 'b'] },
      'c',
      ['spec.x: Unsupported value: "c": supported values: "a", "b"'],
    ],
    ['a missing field', { type: 'object', required: ['y'] }, {}, ['spec.x.y: Required value']],
    [
      'a pattern',
      { type: 'string', pattern: '^a+$' },
      'b',
      [`spec.x: Invalid value: "b": spec.x in body should match '^a+$'`],
    ],
    [
      'too short a text',
      { type: 'string', minLength: 1 },
      '',
      ['spec.x: Invalid value: "": spec.x in body should be at least 1 chars long'],
    ],
    ['too long a text', { type: 'string', maxLength: 2 }, 'abc', ['spec.x: Too long: may not be more than 2 bytes']],
    [
      'too small a number',
      { type: 'integer', minimum: 1 },
      0,
      ['spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1'],
    ],
    [
      'a number at an open end',
      { type: 'integer', maximum: 5, exclusiveMaximum: true },
      5,
      ['spec.x: Invalid value: 5: spec.x in body should be less than 5'],
    ],
    [
      'no multiple',
      { type: 'integer', multipleOf: 2 },
      3,
      ['spec.x: Invalid value: 3: spec.x in body should be a multiple of 2'],
    ],
    [
      'a time',
      { type: 'string', format: 'date-time' },
      'now',
      ['spec.x: Invalid value: "now": spec.x in body must be of type date-time: "now"'],
    ],
    [
      'too few items',
      { type: 'array', minItems: 1, items: { type: 'string' } },
      [],
      ['spec.x: Invalid value: 0: spec.x in body should have at least 1 items'],
    ],
    [
      'too many items',
      { type: 'array', maxItems: 1, items: { type: 'string' } },
      ['a', 'b'],
      ['spec.x: Too many: 2: must have at most 1 items'],
    ],
    [
      'a bad item',
      { type: 'array', items: { type: 'string' } },
      ['a', 1],
      ['spec.x[1]: Invalid value: "integer": spec.x[1] in body must be of type string: "integer"'],
    ],
    [
      'a set with the same twice',
      { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      ['a', 'a'],
      ['spec.x[1]: Duplicate value: "a"'],
    ],
    [
      'a map value',
      { type: 'object', additionalProperties: { type: 'integer' } },
      { a: 'b' },
      ['spec.x.a: Invalid value: "string": spec.x.a in body must be of type integer: "string"'],
    ],
    [
      'too few properties',
      { type: 'object', minProperties: 1 },
      {},
      ['spec.x: Invalid value: 0: spec.x in body should have at least 1 properties'],
    ],
    [
      'none of anyOf',
      { type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] },
      {},
      ['spec.x: Invalid value: "": "spec.x" must validate at least one schema (anyOf)'],
    ],
    [
      'two of oneOf',
      { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      { a: 1, b: 1 },
      ['spec.x: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [
      'what it must not be',
      { type: 'integer', not: { enum: [3] } },
      3,
      ['spec.x: Invalid value: "": "spec.x" must not validate the schema (not)'],
    ],
  ];
  it.each(cases.map(([what, ...rest]) => ({ what, rest })))('$what', ({ rest: [schema, value, expected] }) => {
    expect(errors(schema, value)).toEqual(expected);
  });

  it('finds items of a keyed list that share their key', () => {
    const schema: Schema = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: { type: 'object', properties: { type: { type: 'string' } } },
    };
    expect(errors(schema, [{ type: 'Ready' }, { type: 'Ready' }])).toEqual([
      'spec.x[1]: Duplicate value: {"type":"Ready"}',
    ]);
  });

  it('tells of everything that is wrong', () => {
    const schema: Schema = { type: 'object', required: ['a', 'b'] };
    expect(errors(schema, {})).toEqual(['spec.x.a: Required value', 'spec.x.b: Required value']);
  });
});
