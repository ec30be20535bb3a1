// Glob patterns as Argo CD reads them, in projects and in a directory's include and exclude.

const escapeText = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** One token of a pattern as the source of a regular expression, and how many characters it took. */
const tokenAt = (pattern: string, index: number, any: string): { source: string; length: number } => {
  const rest = pattern.slice(index);
  if (rest.startsWith('**')) return { source: '.*', length: 2 };
  if (rest.startsWith('*')) return { source: `${any}*`, length: 1 };
  if (rest.startsWith('?')) return { source: any, length: 1 };
  if (rest.startsWith('\\') && rest.length > 1) return { source: escapeText(rest.charAt(1)), length: 2 };
  const set = /^\[(!?)([^\]\\[]+)\]/.exec(rest);
  if (set) return { source: `[${set[1] ? '^' : ''}${set[2]?.replaceAll('^', '\\^')}]`, length: set[0].length };
  const choice = /^\{([^{}]*)\}/.exec(rest);
  if (choice) {
    const options = (choice[1] ?? '').split(',').map((option) => sourceOf(option, any));
    return { source: `(?:${options.join('|')})`, length: choice[0].length };
  }
  return { source: escapeText(rest.charAt(0)), length: 1 };
};

const sourceOf = (pattern: string, any: string): string => {
  let source = '';
  for (let index = 0; index < pattern.length;) {
    const token = tokenAt(pattern, index, any);
    source += token.source;
    index += token.length;
  }
  return source;
};

/**
 * Whether `text` matches the whole `pattern`: `*`, `**`, `?`, `[ab]`, `[!ab]`, `{a,b}`, `\x`. With a `separator`, `*` and
 * `?` stop at it. A pattern that is no pattern matches nothing.
 */
export const matchesGlob = (pattern: string, text: string, separator = ''): boolean => {
  const any = separator ? `[^${escapeText(separator)}]` : '.';
  try {
    return new RegExp(`^${sourceOf(pattern, any)}$`, 's').test(text);
  } catch {
    return false;
  }
};
