import { describe, expect, it } from 'vitest';
import { toQuotedYaml } from './quoted-yaml.ts';
import { parseYaml, parseYamlScalarsAsText } from './yaml.ts';

describe('quoted YAML', () => {
  it('is in block style, with every text in quotes', () => {
    const value = {
      answer: 'yes',
      count: 7,
      on: true,
      none: null,
      list: ['a', ['b', { c: [] }], {}],
      map: { x: { z: '' } },
    };
    expect(toQuotedYaml(value)).toBe(
      [
        'answer: "yes"',
        'count: 7',
        '"on": true',
        'none: null',
        'list:',
        '  - "a"',
        '  - - "b"',
        '    - c: []',
        '  - {}',
        'map:',
        '  x:',
        '    z: ""',
        '',
      ].join('\n'),
    );
  });

  it.each([
    { lists: [[], [[]], [{ a: [1, 2], b: { c: 'd' } }, null]], '': 'no key', 'a: b': 1, '12': 2, 'x/y': {} },
    { long: 'x '.repeat(5000), lines: 'one\ntwo\n\n', blank: ' x ', quotes: `'"\\` },
    {},
    [],
    'text',
    null,
    4.5,
  ])('comes back as it was: %j', (value) => {
    expect(parseYaml(toQuotedYaml(value))).toEqual(value);
  });

  it.each([
    'yes',
    '0x1F',
    '~',
    'a"b\'c`\n\t\0é',
    '# x',
    '- x',
    '&a',
    '%x',
    '\u0085\u2028\u2029\ufeff\u007f\u009f\uffff',
    '😀',
  ])('brings a text back as a text: %j', (text) => {
    expect(parseYamlScalarsAsText(toQuotedYaml({ [text]: text, list: [text] }))).toEqual({
      [text]: text,
      list: [text],
    });
  });

  it('has no character in it that YAML does not allow', () => {
    const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('');
    expect(toQuotedYaml(`${all}\ufeff\ufffe\uffff`)).toMatch(/^[\n\x20-\x7e\xa0-\u2027\u202a-\u2fff]+$/);
  });

  it('writes a value that occurs twice twice, since not every reader knows aliases', () => {
    const same = { a: '1' };
    expect(toQuotedYaml([same, same])).toBe('- a: "1"\n- a: "1"\n');
  });
});
