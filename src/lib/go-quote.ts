// Go's string literals, as its error messages show the text they are about.

const SHORT: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** One UTF-8 character, or one byte that is part of none. */
const CHARACTER = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[^]/g;

/**
 * The literal of a text that is given as UTF-8 bytes, one character each (Go: `strconv.Quote`). The literal itself is
 * text: what can be printed stands as it is, everything else is escaped.
 */
export const quote = (bytes: string): string => `"${bytes.replace(CHARACTER, quoteCharacter)}"`;

const quoteCharacter = (bytes: string): string => {
  const short = SHORT[bytes];
  if (short !== undefined) return short;
  const character = Buffer.from(bytes, 'latin1').toString('utf8');
  const code = bytes.length === 1 ? bytes.charCodeAt(0) : (character.codePointAt(0) ?? 0);
  const alone = bytes.length === 1 && code >= 0x80;
  if (!alone && /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) return character;
  if (bytes.length === 1) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
};

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');
