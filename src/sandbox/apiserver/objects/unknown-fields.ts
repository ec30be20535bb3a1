// What to do with fields that a kind does not know, or that a body names twice.

/**
 * The paths of fields that a JSON text names twice in one object, such as `spec.type`. Parsing keeps the last of them in
 * silence, so the text itself is read here.
 */
export const repeatedFields = (text: string): string[] => {
  const repeated: string[] = [];
  const open: { seen: Set<string> | undefined; name: string; at: number }[] = [];
  const path = (name: string): string =>
    [...open.slice(0, -1).map((level) => (level.seen ? `.${level.name}` : `[${level.at}]`)), `.${name}`]
      .join('')
      .slice(1);
  for (const [token, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]/g)) {
    const level = open.at(-1);
    if (token === '{') open.push({ seen: new Set(), name: '', at: 0 });
    else if (token === '[') open.push({ seen: undefined, name: '', at: 0 });
    else if (token === '}' || token === ']') open.pop();
    else if (token === ',') {
      if (level) level.at += 1;
    } else if (colon && level?.seen) {
      const name = String(JSON.parse(token.slice(0, -colon.length)));
      if (level.seen.has(name)) repeated.push(path(name));
      level.seen.add(name);
      level.name = name;
    }
  }
  return repeated;
};

/** The sentences about fields that stand twice or are unknown, as the API server words them. */
export const strictProblems = (fields: { unknown: readonly string[]; repeated: readonly string[] }): string[] => [
  ...fields.repeated.map((field) => `duplicate field ${JSON.stringify(field)}`),
  ...fields.unknown.map((field) => `unknown field ${JSON.stringify(field)}`),
];
