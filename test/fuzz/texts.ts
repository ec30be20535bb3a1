// Texts as nobody should write them, and as somebody will.
import fc, { type Arbitrary } from 'fast-check';

/** What means something else to YAML, SQL, shells, URLs, Go's templates or JSON. */
const spoiled = [
  '',
  ' ',
  'yes',
  'no',
  'null',
  '~',
  'true',
  '012',
  '0x1F',
  '1e3',
  '.inf',
  '1_000',
  '2026-01-31',
  '- ',
  ': ',
  'a: b',
  '# not',
  'a #b',
  '*alias',
  '&anchor',
  '!!binary x',
  '%TAG',
  '---',
  '...',
  '|',
  '>-',
  '{',
  '[',
  '}{',
  '"',
  "'",
  '`',
  '\\',
  "'; drop table application; --",
  '$1',
  '%s%n',
  '%00',
  '${HOME}',
  '{{ . }}',
  '<script>',
  '../..',
  '/',
  '//',
  'line\nline',
  'line\r\nline',
  '\ttab',
  'trail \n',
  '\n\n',
  '\u0000',
  'a\u0000b',
  '\u0007\u001b[31m',
  '\u007f',
  '\u0085',
  '\u2028\u2029',
  '\ufeff',
  '\ufffd',
  '\uffff',
  '\ud800',
  'a\udc00b',
  '\udbff\udbff',
  'e\u0301',
  '\u202eevil',
  'שלום',
  'İstanbul',
  'ς',
  '👩‍👩‍👧‍👦',
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '\u200b',
  '__proto__',
  'constructor',
  'toString',
] as const;

const lengths = [
  47, 48, 49, 63, 64, 253, 254, 255, 256, 257, 511, 512, 513, 1024, 1025, 16_000, 16_384, 16_385, 70_000,
];

const long: Arbitrary<string> = fc
  .tuple(fc.constantFrom(...lengths), fc.constantFrom('x', '"', 'é', '\n', '\u0000', '👍'))
  .map(([length, character]) => character.repeat(length));

/** Any text at all. */
export const anyText: Arbitrary<string> = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(...spoiled) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...spoiled), fc.constantFrom(...spoiled)).map((two) => two.join('')),
  },
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)) },
  { weight: 1, arbitrary: long },
);

/** Mostly `usual`, so that more than one field of an object gets looked at. */
export const mostly = <T>(usual: Arbitrary<T>, odd: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: odd });

/** Any value of JSON, for where a schema checks nothing. */
export const anyValue: Arbitrary<unknown> = fc.oneof(
  anyText,
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1e308, 5e-324, 2 ** 53, [], {}, [[]], [null], { a: { b: [1] } }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** A text short enough to be told. */
export const told = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 2000 ? `${text.slice(0, 2000)}… (${text.length} characters)` : text;
};
