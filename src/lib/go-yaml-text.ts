// YAML as Go's yaml.v2 writes it: which texts it quotes and how, where it folds them. Programs compare such texts letter by
// letter, so the original's halves find what ours write no different from what they would write.

/** A line grows to this column; then the next single space is where it ends. */
const BEST_WIDTH = 80;

/**
 * Writes a plain value (text, whole number, truth value, null, list, map) as YAML, keys in the order given. A value that
 * occurs twice is written twice. Two texts are written in another way than Go does: those with a line break stand in double
 * quotes, and half a character is escaped.
 */
export const toGoYaml = (value: unknown): string => (isBlock(value) ? block(value, '') : `${inline(value, '', 0)}\n`);

/** Lines that each begin with the indentation. */
const block = (value: object, indent: string): string =>
  Array.isArray(value)
    ? value.map((item) => `${indent}-${itemOf(item, indent)}`).join('')
    : Object.entries(value)
        .map(([key, one]) => entryOf(keyOf(key), one, indent))
        .join('');

/** What follows a dash: a list or map begins on its line. */
const itemOf = (item: unknown, indent: string): string => {
  const inner = `${indent}  `;
  return isBlock(item) ? ` ${block(item, inner).slice(inner.length)}` : ` ${inline(item, inner, inner.length)}\n`;
};

/** A list in a map is not indented. */
const entryOf = (key: string, value: unknown, indent: string): string => {
  const inner = `${indent}  `;
  if (isBlock(value)) return `${indent}${key}:\n${block(value, Array.isArray(value) ? indent : inner)}`;
  return `${indent}${key}: ${inline(value, inner, indent.length + lengthOf(key) + 2)}\n`;
};

const lengthOf = (text: string): number => Array.from(text).length;

const isBlock = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

const inline = (value: unknown, indent: string, column: number): string => {
  if (typeof value === 'string') return scalar(value, { indent, column });
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[]' : '{}';
  return String(value);
};

const keyOf = (key: string): string => scalar(key, undefined);

/** Where a scalar stands: lines after its first have the indentation. */
interface Place {
  readonly indent: string;
  readonly column: number;
}

/** A place is not given for a key, which is never folded. */
const scalar = (text: string, place: Place | undefined): string => {
  if (isUsual(text)) return text;
  const quoted = place && { ...place, column: place.column + 1 };
  if (meansAnother(text) || NOT_PRINTABLE.test(text)) return `"${folded(Array.from(text, escaped), quoted, '\\')}"`;
  if (!isPlain(text)) return `'${folded(Array.from(text.replaceAll("'", "''")), quoted, undefined)}'`;
  return folded(Array.from(text), place, undefined);
};

/** Most texts, told quickly: a word that begins with a letter which no other meaning begins with. */
const isUsual = (text: string): boolean =>
  /^[a-zA-Z/][\w./-]*$/.test(text) && text.length < BEST_WIDTH && !WORDS.test(text);

/** Words that YAML 1.1 reads as something else than a text. */
const WORDS =
  /^(?:|~|[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE|null|Null|NULL)$/;

/** True where a reader would take the bare text for something else than a text. */
const meansAnother = (text: string): boolean =>
  WORDS.test(text) || /^[+-]?\.(?:nan|NaN|NAN|inf|Inf|INF)$/.test(text) || isTime(text) || isNumber(text);

/** As Go reads numbers: with `_` anywhere in whole ones, an octal 0, and times in base 60. */
const isNumber = (text: string): boolean => {
  if (/^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/.test(text)) return true;
  if (text.startsWith('.'))
    return /^\.\d[\d_]*(?:[eE][-+]?\d+)?$/.test(text) && Number.isFinite(Number(text.replaceAll('_', '')));
  if (!/^[-+\d]/.test(text)) return false;
  const bare = text.replaceAll('_', '');
  const whole = /^([-+]?)(?:0[xX][\da-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|\d+)$/.exec(bare);
  if (whole && fits(bare, whole[1] ?? '')) return true;
  return /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(bare) && Number.isFinite(Number(bare));
};

/** A whole number of 64 bits; without a sign one more. */
const fits = (bare: string, sign: string): boolean => {
  const digits = bare.slice(sign.length);
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  if (/^0\d/.test(octal)) return false;
  const size = BigInt(octal);
  if (sign === '') return size < 2n ** 64n;
  return size < 2n ** 63n || (sign === '-' && size === 2n ** 63n);
};

const TIME =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d))| (\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?)?$/;

const isTime = (text: string): boolean => {
  const [, ...parts] = TIME.exec(text) ?? [];
  if (parts.length === 0) return false;
  const [year = 0, month = 0, day = 0, ...clock] = parts.map((part) => Number(part ?? 0));
  const last = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  const [hours, minutes, seconds] = [
    Math.max(clock[0] ?? 0, clock[3] ?? 0),
    Math.max(clock[1] ?? 0, clock[4] ?? 0),
    Math.max(clock[2] ?? 0, clock[5] ?? 0),
  ];
  return month >= 1 && month <= 12 && day >= 1 && day <= last && hours < 24 && minutes < 60 && seconds < 60;
};

/** What must be escaped, which only double quotes allow. */
const NOT_PRINTABLE = /[^\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;

/** True for a text that needs no quotes where it stands in a block. */
const isPlain = (text: string): boolean =>
  !/^(?:[ #,[\]{}&*!|>'"%@`]|[?:](?: |$)|-(?: |$)|---|\.\.\.)|: | #|:$| $/.test(text);

const SHORT: Readonly<Record<string, string>> = {
  '\0': '0',
  '\u0007': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\u001b': 'e',
  '"': '"',
  '\\': '\\',
  '\u0085': 'N',
  '\u2028': 'L',
  '\u2029': 'P',
};

const escaped = (character: string): string => {
  const short = SHORT[character];
  if (short !== undefined) return `\\${short}`;
  if (!NOT_PRINTABLE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const [letter, digits] =
    code <= 0xff ? (['x', 2] as const) : code <= 0xffff ? (['u', 4] as const) : (['U', 8] as const);
  return `\\${letter}${code.toString(16).toUpperCase().padStart(digits, '0')}`;
};

/**
 * Breaks the line at single spaces past the width; in double quotes before any space, and `escape` marks one that a line
 * would else lose. `parts` are characters, or what is written for them.
 */
const folded = (parts: readonly string[], place: Place | undefined, escape: string | undefined): string => {
  if (!place) return parts.join('');
  let { column } = place;
  let text = '';
  let afterSpace = false;
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1];
    const isSpace = part === ' ';
    const inside = index > 0 && next !== undefined;
    if (isSpace && !afterSpace && inside && column > BEST_WIDTH && (escape !== undefined || next !== ' ')) {
      text += `\n${place.indent}${next === ' ' ? escape : ''}`;
      column = place.indent.length + (next === ' ' ? 1 : 0);
    } else {
      text += part;
      column += part.length;
    }
    afterSpace = isSpace;
  }
  return text;
};
