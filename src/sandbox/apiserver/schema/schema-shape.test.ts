import { describe, expect, it } from 'vitest';
import { applyDefaults, prune } from './schema-shape.ts';
import type { Schema } from './schema.ts';

const root = (spec: Schema): Schema => ({ type: 'object', properties: { spec } });
const object = (spec: unknown) => ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec });

describe('pruning', () => {
  it('drops and names what the schema does not know, in objects, lists and maps', () => {
    const item: Schema = { type: 'object', properties: { a: { type: 'string' } } };
    const schema = root({
      type: 'object',
      properties: { list: { type: 'array', items: item }, map: { type: 'object', additionalProperties: item } },
    });
    const source = object({ list: [{ a: '1', b: '2' }], map: { k: { a: '1', c: '3' } }, d: 4 });
    const { value, dropped } = prune(schema, source);
    expect(value).toEqual(object({ list: [{ a: '1' }], map: { k: { a: '1' } } }));
    expect(dropped).toEqual(['spec.list[0].b', 'spec.map.k.c', 'spec.d']);
  });

  it('keeps unknown fields where it is told to, and still prunes below the known ones', () => {
    const schema = root({
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: { type: 'object', properties: {} } },
    });
    expect(prune(schema, object({ any: { deep: 1 }, known: { odd: 1 } }))).toEqual({
      value: object({ any: { deep: 1 }, known: {} }),
      dropped: ['spec.known.odd'],
    });
  });

  it('keeps the type and metadata of an embedded object', () => {
    const schema = root({ type: 'object', 'x-kubernetes-embedded-resource': true });
    const inner = { apiVersion: 'v1', kind: 'Y', metadata: { labels: { a: 'b' } } };
    expect(prune(schema, object({ ...inner, odd: 1 })).value).toEqual(object(inner));
  });
});

describe('defaulting', () => {
  it('fills in what is missing, and null where it may not be, but creates no parents', () => {
    const schema = root({
      type: 'object',
      properties: {
        a: { type: 'string', default: 'A' },
        b: { type: 'string', default: 'B', nullable: true },
        deep: { type: 'object', properties: { c: { type: 'integer', default: 3 } } },
        items: { type: 'array', items: { type: 'object', properties: { d: { type: 'boolean', default: true } } } },
      },
    });
    expect(applyDefaults(schema, object({ a: null, b: null, items: [{}] }))).toEqual(
      object({ a: 'A', b: null, items: [{ d: true }] }),
    );
    expect(applyDefaults(schema, object({ deep: {} }))['spec']).toEqual({ a: 'A', b: 'B', deep: { c: 3 } });
  });

  it('fills in the defaults of a defaulted object', () => {
    const schema = root({
      type: 'object',
      properties: { deep: { type: 'object', default: {}, properties: { c: { type: 'integer', default: 3 } } } },
    });
    expect(applyDefaults(schema, object({}))['spec']).toEqual({ deep: { c: 3 } });
  });
});
