import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRecord } from './json.ts';
import { isEqualJson, mergePatch } from './patch.ts';

/** RFC 7386 §2, as written there. */
const applyMergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isRecord(patch)) return patch;
  const result = new Map(Object.entries(isRecord(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, applyMergePatch(result.get(name), value));
  }
  return Object.fromEntries(result);
};

const leaf = fc.oneof(fc.integer(), fc.boolean(), fc.constantFrom('a', 'b', ''), fc.array(fc.constantFrom(1, null)));
const json = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, leaf, tie('object')),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value'), { maxKeys: 4 }),
})).object;

describe('mergePatch', () => {
  test('turns any value into any other', () => {
    fc.assert(
      fc.property(json, json, (from, to) => {
        const patch = mergePatch(from, to);
        expect(isEqualJson(patch === undefined ? from : applyMergePatch(from, patch), to)).toBe(true);
      }),
    );
  });

  test('is undefined exactly where nothing has to change', () => {
    fc.assert(
      fc.property(json, json, (from, to) => {
        expect(mergePatch(from, to) === undefined).toBe(isEqualJson(from, to));
        expect(mergePatch(from, structuredClone(from))).toBeUndefined();
      }),
    );
  });

  test('names only what differs', () => {
    const from = { keep: { deep: 1 }, list: [1, 2], gone: { x: 1 }, changed: { a: 1, b: 2 } };
    const to = { keep: { deep: 1 }, list: [1], changed: { a: 1, b: 3 }, fresh: { y: { z: null, w: 1 } } };
    expect(mergePatch(from, to)).toEqual({ list: [1], gone: null, changed: { b: 3 }, fresh: { y: { w: 1 } } });
  });

  test('takes null and undefined members for absent ones', () => {
    expect(mergePatch({ a: null, b: 1 }, { b: 1, c: undefined, d: null })).toBeUndefined();
    expect(mergePatch({ a: 1 }, { a: undefined })).toEqual({ a: null });
  });
});

describe('members that every object answers to', () => {
  const odd = JSON.parse('{"labels":{"__proto__":"a","constructor":"b","toString":"c"}}') as unknown; // as the wire has it

  test('are removed, and added, as any other', () => {
    expect(JSON.stringify(mergePatch(odd, { labels: {} }))).toBe(
      '{"labels":{"__proto__":null,"constructor":null,"toString":null}}',
    );
    expect(JSON.stringify(mergePatch({ labels: {} }, odd))).toBe(JSON.stringify(odd));
    expect(mergePatch(odd, structuredClone(odd))).toBeUndefined();
  });

  test('are a difference where one side lacks them', () => {
    expect([isEqualJson(odd, { labels: {} }), isEqualJson({ labels: {} }, odd)]).toEqual([false, false]);
  });
});

describe('isEqualJson', () => {
  test('ignores the order of members, not of items', () => {
    expect(isEqualJson({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
    expect(isEqualJson([1, 2], [2, 1])).toBe(false);
    expect(isEqualJson({ a: undefined }, {})).toBe(true);
  });

  test('tells null, {}, [] and absence apart', () => {
    const values = [null, {}, [], 0, '', false];
    for (const left of values) {
      for (const right of values) expect(isEqualJson(left, right)).toBe(left === right);
    }
    expect(isEqualJson({ a: null }, {})).toBe(false);
  });
});
