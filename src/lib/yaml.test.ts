import { describe, expect, it } from 'vitest';
import { parseYaml, parseYamlScalarsAsText, parseYamlStream, toQuotedYaml } from './yaml.ts';

const broken = 'name: x\nvalue: secret-text: ]\n';

describe.each([
  ['one document', parseYaml],
  ['one document with scalars as text', parseYamlScalarsAsText],
  ['a stream of documents', parseYamlStream],
])('reading %s', (_, read) => {
  it('refuses what is not YAML, with the place and without the text', () => {
    expect(() => read(broken)).toThrow(expect.objectContaining({ kind: 'user', reason: 'InvalidYaml' }));
    expect(() => read(broken)).toThrow(/line 2/);
    expect(() => read(broken)).not.toThrow(/secret-text/);
  });

  it('refuses a small text that would become a huge value', () => {
    const anchors = Array.from({ length: 12 }, (_unused, level) =>
      level === 0
        ? 'a0: &a0 [x, x, x]'
        : `a${level}: &a${level} [${Array(5)
            .fill(`*a${level - 1}`)
            .join(', ')}]`,
    );
    expect(() => read(anchors.join('\n'))).toThrow(expect.objectContaining({ reason: 'InvalidYaml' }));
  });
});

describe('scalars as text', () => {
  it('are what was written, whatever YAML 1.1 or 1.2 would make of them', () => {
    const text = 'a: 012\nb: yes\nc: 1e3\nd: "null"\ne: null\nf: ~\ng:\nh: 0x1F\n';
    expect(parseYamlScalarsAsText(text)).toEqual({
      a: '012',
      b: 'yes',
      c: '1e3',
      d: 'null',
      e: null,
      f: null,
      g: null,
      h: '0x1F',
    });
  });

  it('come back from quoted YAML as they were', () => {
    const value = { url: 'https://x/y?a=1&b=%20', odd: 'a"b\'c`\n\t\u0000é', empty: '', word: 'no', none: null };
    expect(parseYamlScalarsAsText(toQuotedYaml(value))).toEqual(value);
  });
});
