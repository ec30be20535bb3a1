import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toGoYaml } from './go-yaml-text.ts';
import { parseYaml, parseYamlScalarsAsText } from './yaml.ts';

interface Golden {
  readonly value: unknown;
  readonly text: string;
}

/** What Go wrote: see scripts/golden/go-yaml-text.go. */
const golden = JSON.parse(readFileSync(new URL('go-yaml-text.golden.json', import.meta.url), 'utf8')) as Golden[]; // written by it

describe("YAML in Go's words", () => {
  it.each(golden)('is written as Go writes it: $value', ({ value, text }) => {
    expect(toGoYaml(value)).toBe(text);
  });

  it('has texts with line breaks in double quotes', () => {
    expect(toGoYaml({ message: 'one\ntwo\n' })).toBe('message: "one\\ntwo\\n"\n');
  });

  it.each([
    { lists: [[], [[]], [{ a: [1, 2], b: { c: 'd' } }, null]], '': 'no key', 'a: b': 1, '12': 2, 'x/y': {} },
    { long: 'x '.repeat(5000), lines: 'one\ntwo\n\n', blank: ' x ', quotes: `'"\\` },
    {},
    [],
    'text',
    null,
  ])('comes back as it was: %j', (value) => {
    expect(parseYaml(toGoYaml(value))).toEqual(value);
  });

  it('brings any text back as a text', () => {
    const words = fc.stringMatching(/^[-a-z0-9 '"#:.\\_?\n\t]{0,200}$/);
    const any = fc.oneof(words, fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 20 }));
    fc.assert(
      fc.property(any, (text) => {
        const value = { key: text, [text.slice(0, 100)]: 'value', deep: { list: [text, [text]] } };
        expect(parseYamlScalarsAsText(toGoYaml(value))).toEqual(value);
      }),
      { numRuns: 2000 },
    );
  });

  it('has no character in it that YAML does not allow', () => {
    const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('');
    expect(toGoYaml(`${all}\ufeff\ufffe\uffff`)).toMatch(/^[\n\x20-\x7e\xa0-\u2027\u202a-\u2fff]+$/);
  });

  it('writes a value that occurs twice twice, since not every reader knows aliases', () => {
    const same = { a: 'x' };
    expect(toGoYaml([same, same])).toBe('- a: x\n- a: x\n');
  });
});
