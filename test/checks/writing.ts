// What stands in words: doc comments, opening sentences, names of files, and what the text must not speak of.
import type { Node } from 'oxc-parser';
import { isTest, type Finding, type Source, type TextFile } from './source.ts';

/** Finds exported names without a doc comment, files without an opening sentence, and default exports. */
export const documentation = (source: Source): Finding[] => {
  if (source.path.endsWith('.test.ts')) return [];
  const opening = /^(#!.*\n)?\/\/ \S/.test(source.text);
  return [
    ...(opening ? [] : [source.finding(0, 'the file does not open with a sentence on what it is for')]),
    ...source.program.body.flatMap((statement, index) =>
      exportFindings(source, statement, source.program.body[index - 1]),
    ),
  ];
};

const exportFindings = (source: Source, statement: Node, before: Node | undefined): Finding[] => {
  if (statement.type === 'ExportDefaultDeclaration') {
    const wanted = isTest(source.path) || source.path.endsWith('.config.ts');
    return wanted ? [] : [source.finding(statement.start, 'a default export: give it the name it is looked for by')];
  }
  if (statement.type !== 'ExportNamedDeclaration' || !statement.declaration) return [];
  const from = before?.end ?? 0;
  const documented = source.comments.some(
    (comment) =>
      comment.type === 'Block' &&
      comment.value.startsWith('*') &&
      comment.start >= from &&
      source.text.slice(comment.end, statement.start).trim() === '',
  );
  return documented ? [] : [source.finding(statement.start, 'an exported name without a doc comment (`/** … */`)')];
};

const CATCH_ALL = /(^|\/)(utils?|helpers?|common|shared|misc)(\/|\.|$)/;

/** Finds files not named in kebab-case, and folders or files named after nothing. */
export const fileNames = ({ path }: TextFile): Finding[] => {
  if (!/\.tsx?$/.test(path)) return [];
  const parts = path.replace(/(\.test|\.fixture|\.config)?\.tsx?$/, '').split('/');
  return [
    ...(parts.every((part) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))
      ? []
      : [`${path}:1: the name is not in kebab-case`]),
    ...(CATCH_ALL.test(path) ? [`${path}:1: a name that could hold anything; name what is in it`] : []),
  ];
};

const FOREIGN: readonly { pattern: RegExp; what: string }[] = [
  {
    pattern: /(?<![\w/-])(\.\.\/)?shared[/](design|reference)|\bshared[/]\w/,
    what: 'a folder that is not part of the project',
  },
  { pattern: /\bW-?(\d+|[DLCSPO]\d+)\b/, what: 'a number of a list that is not part of the project' },
  { pattern: /(?<![\w.])[/](work|root)[/]\w/, what: 'a path of one machine' },
  { pattern: /registry\.(npmjs|yarnpkg)|"resolved"\s*:/, what: 'the host of a package registry' },
];

/** Finds text about what a reader of the project doesn't have. */
export const foreignWords = ({ path, text }: TextFile): Finding[] =>
  text
    .split('\n')
    .flatMap((line, index) =>
      FOREIGN.filter(({ pattern }) => pattern.test(line)).map(
        ({ pattern, what }) => `${path}:${index + 1}: ${what}, "${pattern.exec(line)?.[0]}": say the fact itself`,
      ),
    );
