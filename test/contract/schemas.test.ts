import { describe, expect } from 'vitest';
import { valueAt } from '../../src/sandbox/apiserver/json.ts';
import { at, gadget, group, it, patchTypes, useSuite } from './suite.ts';
import type { Json } from './connection.ts';

const { gadgets, ask, expectCode } = useSuite();

const create = (name: string, spec: object): Promise<Json> =>
  expectCode(201, 'POST', gadgets, { body: gadget(name, spec) });

/** What is wrong with a spec, line by line as the message has it, its beginning left out. */
const wrong = async (spec: unknown): Promise<string> => {
  const { message } = await expectCode(422, 'POST', gadgets, { body: gadget('wrong', spec as object) }); // wrong on purpose
  return String(message).replace(`Gadget.${group} "wrong" is invalid: `, '');
};

describe('the schema of a custom kind', () => {
  it('fills in defaults, also inside lists, and where a field is null', async () => {
    const created = await create('defaults', {
      size: 1,
      colour: null,
      parts: [{ name: 'a' }, { name: 'b', count: 2 }],
    });
    expect(created['spec']).toEqual({
      size: 1,
      colour: 'grey',
      parts: [
        { name: 'a', count: 1 },
        { name: 'b', count: 2 },
      ],
    });
  });

  it('keeps null where a field may be null, and drops it where it may not and has no default', async () => {
    const created = await create('nulls', { size: 1, note: null, code: null });
    expect(created['spec']).toEqual({ size: 1, note: null, colour: 'grey' });
  });

  it('drops fields that it does not know, at any depth', async () => {
    const body = { ...gadget('pruned', { size: 1, other: 1, parts: [{ name: 'a', odd: true }] }), extra: {} };
    const created = await expectCode(201, 'POST', gadgets, { body });
    expect(created['spec']).toEqual({ size: 1, colour: 'grey', parts: [{ name: 'a', count: 1 }] });
    expect(created).not.toHaveProperty('extra');
  });

  it('keeps unknown fields where it says so', async () => {
    const options = { a: { b: [1, 'c', null, { d: 1.5 }] } };
    expect(valueAt(await create('kept', { size: 1, options }), 'spec', 'options')).toEqual(options);
  });

  it('takes a number or a text where it says so', async () => {
    expect(valueAt(await create('port-number', { size: 1, port: 80 }), 'spec', 'port')).toBe(80);
    expect(valueAt(await create('port-name', { size: 1, port: 'http' }), 'spec', 'port')).toBe('http');
  });
});

describe('a value that breaks a rule is refused, in so many words:', () => {
  it('a required field', async () => {
    expect(await wrong({})).toBe('spec.size: Required value');
    const { kind, apiVersion, metadata } = gadget('bare');
    expect(await expectCode(422, 'POST', gadgets, { body: { kind, apiVersion, metadata } })).toMatchObject({
      message: `Gadget.${group} "bare" is invalid: spec: Required value`,
      details: { causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec' }] },
    });
  });

  it('the type', async () => {
    expect(await wrong({ size: 'big' })).toBe(
      'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
    );
    expect(await wrong({ size: 1.5 })).toBe(
      '[spec.size: Invalid value: "number": spec.size in body must be of type integer: "number", <nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.size]',
    );
    expect(await wrong({ size: 1, shiny: 'yes' })).toBe(
      'spec.shiny: Invalid value: "string": spec.shiny in body must be of type boolean: "string"',
    );
    expect(await wrong({ size: 1, code: 12 })).toBe(
      'spec.code: Invalid value: "integer": spec.code in body must be of type string: "integer"',
    );
    expect(await wrong({ size: 1, tags: 'a' })).toBe(
      'spec.tags: Invalid value: "string": spec.tags in body must be of type array: "string"',
    );
    expect(await wrong({ size: 1, tags: [1] })).toBe(
      'spec.tags[0]: Invalid value: "integer": spec.tags[0] in body must be of type string: "integer"',
    );
    expect(await wrong({ size: 1, options: [] })).toBe(
      'spec.options: Invalid value: "array": spec.options in body must be of type object: "array"',
    );
    expect(await wrong('text')).toBe('spec: Invalid value: "string": spec in body must be of type object: "string"');
    expect(await wrong({ size: null })).toBe('spec.size: Required value');
    expect(await wrong({ size: 1, port: true })).toBe(
      'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    );
  });

  it('one of a few values', async () => {
    expect(await wrong({ size: 1, colour: 'blue' })).toBe(
      'spec.colour: Unsupported value: "blue": supported values: "grey", "red"',
    );
  });

  it('the least and the most', async () => {
    expect(await wrong({ size: 0 })).toBe(
      'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    );
    expect(await wrong({ size: 101 })).toBe(
      'spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100',
    );
    expect(await wrong({ size: 1, weight: -0.5 })).toBe(
      'spec.weight: Invalid value: -0.5: spec.weight in body should be greater than 0',
    );
    expect(await wrong({ size: 1, weight: 0.7 })).toBe(
      'spec.weight: Invalid value: 0.7: spec.weight in body should be a multiple of 0.5',
    );
  });

  it('the length and the pattern', async () => {
    expect(await wrong({ size: 1, code: 'a' })).toBe(
      'spec.code: Invalid value: "a": spec.code in body should be at least 2 chars long',
    );
    expect(await wrong({ size: 1, code: 'abcdef' })).toBe('spec.code: Too long: may not be more than 5 bytes');
    expect(await wrong({ size: 1, code: 'aB' })).toBe(
      `spec.code: Invalid value: "aB": spec.code in body should match '^[a-z]+$'`,
    );
  });

  it('the format', async () => {
    expect(await wrong({ size: 1, since: 'yesterday' })).toBe(
      'spec.since: Invalid value: "yesterday": spec.since in body must be of type date-time: "yesterday"',
    );
    await create('dated', { size: 1, since: '2030-01-02T03:04:05.678+02:00' });
  });

  it('how many', async () => {
    expect(await wrong({ size: 1, tags: ['a', 'b', 'c', 'd'] })).toBe(
      'spec.tags: Too many: 4: must have at most 3 items',
    );
    expect(await wrong({ size: 1, steps: [] })).toBe(
      'spec.steps: Invalid value: 0: spec.steps in body should have at least 1 items',
    );
    expect(await wrong({ size: 1, limits: { a: 1, b: 2, c: 3 } })).toBe(
      'spec.limits: Too many: 3: must have at most 2 items',
    );
    expect(await wrong({ size: 1, limits: { a: 'x' } })).toBe(
      'spec.limits.a: Invalid value: "string": spec.limits.a in body must be of type integer: "string"',
    );
  });

  it('twice the same', async () => {
    expect(await wrong({ size: 1, tags: ['a', 'a'] })).toBe('spec.tags[1]: Duplicate value: "a"');
    expect(await wrong({ size: 1, parts: [{ name: 'a' }, { name: 'a' }] })).toBe(
      'spec.parts[1]: Duplicate value: {"name":"a"}',
    );
  });

  it('one of two', async () => {
    await create('left', { size: 1, either: { left: 'x' } });
    expect(await wrong({ size: 1, either: { left: 'x', right: 'y' } })).toContain(
      '"spec.either" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    );
  });

  it('all that is wrong at once, in brackets, with a cause for each', async () => {
    const refused = await expectCode(422, 'POST', gadgets, { body: gadget('both', { size: 0, colour: 'blue' }) });
    const size = 'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1';
    const colour = 'spec.colour: Unsupported value: "blue": supported values: "grey", "red"';
    expect(refused['message']).toMatch(/^Gadget\.\S+ "both" is invalid: \[.*\]$/);
    expect(refused['message']).toContain(size);
    expect(refused['message']).toContain(colour);
    expect(refused).toMatchObject({ reason: 'Invalid', details: { name: 'both', group, kind: 'Gadget' } });
    expect(valueAt(refused, 'details', 'causes')).toEqual(
      expect.arrayContaining([
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: 0: spec.size in body should be greater than or equal to 1',
          field: 'spec.size',
        },
        {
          reason: 'FieldValueNotSupported',
          message: 'Unsupported value: "blue": supported values: "grey", "red"',
          field: 'spec.colour',
        },
      ]),
    );
  });
});

describe('fields that nobody knows', () => {
  const body = gadget('odd', { size: 1, sise: 2, parts: [{ name: 'a', odd: 1 }] });
  const twice = `{"apiVersion":"${group}/v1","kind":"Gadget","metadata":{"name":"twice"},"spec":{"size":1,"size":2}}`;

  it('are refused under strict validation, all of them by their paths', async () => {
    expect(await expectCode(400, 'POST', `${gadgets}?fieldValidation=Strict`, { body })).toMatchObject({
      reason: 'BadRequest',
      message:
        'Gadget in version "v1" cannot be handled as a Gadget: strict decoding error: unknown field "spec.parts[0].odd", unknown field "spec.sise"',
    });
  });

  it('are warned of unless said otherwise', async () => {
    for (const query of ['', '&fieldValidation=Warn']) {
      const answer = await ask('POST', `${gadgets}?dryRun=All${query}`, { body });
      expect(answer.code).toBe(201);
      expect(answer.headers['warning']).toBe(
        '299 - "unknown field \\"spec.parts[0].odd\\"", 299 - "unknown field \\"spec.sise\\""',
      );
    }
  });

  it('are passed over in silence where that is asked for', async () => {
    const answer = await ask('POST', `${gadgets}?dryRun=All&fieldValidation=Ignore`, { body });
    expect(answer.code).toBe(201);
    expect(answer.headers).not.toHaveProperty('warning');
  });

  it('are as bad as fields that stand twice, of which the last one counts', async () => {
    expect(await expectCode(400, 'POST', `${gadgets}?fieldValidation=Strict`, { body: twice })).toMatchObject({
      message:
        'Gadget in version "v1" cannot be handled as a Gadget: strict decoding error: duplicate field "spec.size"',
    });
    const answer = await ask('POST', `${gadgets}?dryRun=All`, { body: twice });
    expect(answer.headers['warning']).toBe('299 - "duplicate field \\"spec.size\\""');
    expect(answer.body).toMatchObject({ spec: { size: 2 } });
  });

  it('are found in metadata too', async () => {
    const odd = gadget('odd-metadata', undefined, { lables: { a: 'b' } });
    expect(await expectCode(400, 'POST', `${gadgets}?fieldValidation=Strict`, { body: odd })).toMatchObject({
      message: expect.stringContaining('strict decoding error: unknown field "metadata.lables"'),
    });
  });

  it('are refused in a patch and in an update as well', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('strict') });
    const path = `${at(gadgets, 'strict')}?fieldValidation=Strict`;
    await expectCode(400, 'PUT', path, { body: { ...created, spec: { size: 1, odd: 1 } } });
    const patch = { body: { spec: { odd: 1 } }, contentType: patchTypes.merge };
    expect(await expectCode(422, 'PATCH', path, patch)).toMatchObject({ reason: 'Invalid' });
  });

  it('have no other validation than these three', async () => {
    expect(await expectCode(422, 'POST', `${gadgets}?fieldValidation=Loose`, { body })).toMatchObject({
      message:
        'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loose": supported values: "", "Ignore", "Strict", "Warn"',
    });
  });
});
