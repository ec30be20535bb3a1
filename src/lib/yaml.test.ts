import { describe, expect, it, test } from 'vitest';
import { isFault, messageOf } from './fault.ts';
import { parseYaml, parseYamlOfStranger, parseYamlScalarsAsText, parseYamlStream, toYaml } from './yaml.ts';

const refusalOf = (parse: (text: string) => unknown, text: string): string => {
  try {
    parse(text);
  } catch (error) {
    if (isFault(error, 'user') && error.reason === 'InvalidYaml' && error.cause === undefined) return messageOf(error);
    throw error;
  }
  throw new Error('it was taken');
};

describe('YAML', () => {
  it('is read by the core schema of version 1.2', () => {
    const text = 'a: 0o17\nb: yes\nc: 1e3\nd: ~\ne: 2026-01-01\n"__proto__": {x: 1}';
    const read = parseYaml(text);
    expect(read).toMatchObject({ a: 15, b: 'yes', c: 1000, d: null, e: '2026-01-01' });
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  });

  it('is read as a stream of documents, without the empty ones', () => {
    expect(parseYamlStream('---\na: 1\n---\n# nothing\n---\n- 2\n')).toEqual([{ a: 1 }, [2]]);
    expect(parseYamlStream('')).toEqual([]);
  });

  it('is read as texts, null excepted, where the reader knows the types', () => {
    expect(parseYamlScalarsAsText('a: yes\nb: 012\nc: 1e3\nd:\ne: null\nf: "null"\ng: true')).toEqual({
      a: 'yes',
      b: '012',
      c: '1e3',
      d: null,
      e: null,
      f: 'null',
      g: 'true',
    });
  });

  it('comes back as it was written', () => {
    const value = { text: 'yes', number: 7, list: ['a: b', '#', ''], nested: { none: null, long: 'x '.repeat(200) } };
    expect(parseYaml(toYaml(value))).toEqual(value);
  });

  it('writes a value that occurs twice twice, since not every reader knows aliases', () => {
    const same = { a: 1 };
    expect(toYaml([same, same])).toBe('- a: 1\n- a: 1\n');
  });
});

describe.each([
  ['one document', parseYaml],
  ['a stream', parseYamlStream],
  ['texts', parseYamlScalarsAsText],
])('YAML that is none, read as %s,', (_, parse) => {
  test.each([
    ['an open quote', 'user:\n  token: "s3cret', 'line 2'],
    ['a token out of place', 'user: ]s3cret', 'line 1'],
    ['a key given twice', 's3cret: 1\ns3cret: 2', 'line 2'],
    ['a mapping where a value is', 'name: x\nvalue: s3cret: ]\n', 'line 2'],
    ['a tab', 'a:\n\ts3cret: 1', 'line 2'],
    ['a header that is none', 'a: |s3cret\n  x', 'line 1'],
    ['an unknown anchor', 'a: *s3cret', ''],
  ])('is refused for %s, with the place but without the text', (_what, text, place) => {
    const refusal = refusalOf(parse, text);
    expect(refusal).toContain(place);
    expect(refusal).not.toContain('s3cret');
    expect(refusal).toMatch(/^[^\n]{10,100}$/);
  });

  it('is refused when it would grow without bounds', () => {
    const levels = Array.from({ length: 9 }, (__, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join()}]`);
    expect(refusalOf(parse, ['l0: &l0 [x]', ...levels].join('\n'))).toMatch(/alias/i);
    expect(refusalOf(parse, '['.repeat(20_000))).not.toBe('');
  });
});

describe('YAML of a stranger', () => {
  it('is read as any other, its first document', () => {
    expect(parseYamlOfStranger('a: [1, x]\n---\nb: 2\n')).toEqual({ a: [1, 'x'] });
    expect(parseYamlOfStranger('')).toBeUndefined();
  });

  it('may give a key twice: the last one counts', () => {
    expect(parseYamlOfStranger('a: 1\na: 2')).toEqual({ a: 2 });
  });

  it('is refused with the place, and when it has so many parts that reading it would take long', () => {
    expect(refusalOf(parseYamlOfStranger, 'a: "s3cret')).toContain('at line 1');
    expect(refusalOf(parseYamlOfStranger, '! '.repeat(500_000))).toBe('it has more than 5000 parts');
    expect(refusalOf(parseYamlOfStranger, '- - '.repeat(500_000))).toBe('it has more than 5000 parts');
  });
});
