// YAML that readers of version 1.1 and 1.2 agree on: block style, every text in double quotes.

/** What JSON leaves as it is, and YAML must not have in a quoted text: controls, separators, what is no character. */
const NOT_PRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A key that no reader takes for anything but a text. */
const PLAIN_KEY = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z][\w.-]*$/i;

/**
 * Writes a plain value (text, number, truth value, null, list, map) as YAML, keys in the order given. A value that occurs
 * twice is written twice. A quoted text of JSON is one of YAML too (YAML 1.2.2, section 1.3).
 */
export const toQuotedYaml = (value: unknown): string => (isBlock(value) ? block(value, '') : `${inline(value)}\n`);

/** Lines that each begin with the indentation. */
const block = (value: object, indent: string): string => {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return value
      .map((item) => `${indent}- ${isBlock(item) ? block(item, inner).slice(inner.length) : `${inline(item)}\n`}`)
      .join('');
  }
  return Object.entries(value)
    .map(([key, one]) => `${indent}${keyText(key)}:${isBlock(one) ? `\n${block(one, inner)}` : ` ${inline(one)}\n`}`)
    .join('');
};

const isBlock = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

const keyText = (key: string): string => (PLAIN_KEY.test(key) ? key : quoted(key));

const inline = (value: unknown): string => {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[]' : '{}';
  return String(value);
};

const quoted = (text: string): string =>
  JSON.stringify(text).replace(NOT_PRINTABLE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
