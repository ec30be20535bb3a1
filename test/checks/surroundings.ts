// Which part of the service may touch what surrounds it: clock, chance, environment, console, waiting.
import type { Node } from 'oxc-parser';
import { isService, isTest, walk, type Finding, type Source, type Visit } from './source.ts';

interface Rule {
  /** True for files in which the thing may stand. */
  readonly allowed: (path: string) => boolean;
  readonly matches: (visit: Visit) => boolean;
  readonly advice: string;
}

const inFolders =
  (...folders: string[]) =>
  (path: string): boolean =>
    !isService(path) || folders.some((folder) => path.startsWith(`src/${folder}/`));

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'Date.now', 'performance.now', 'AbortSignal.timeout'];
const CHANCE = ['Math.random', 'randomUUID', 'crypto.randomUUID'];

const rules: readonly Rule[] = [
  {
    allowed: inFolders('lib'),
    matches: (visit) => isOneOf(visit, TIMERS) || isDate(visit.node),
    advice: 'time comes from the Clock that is passed in',
  },
  {
    allowed: inFolders('lib'),
    matches: (visit) => isOneOf(visit, CHANCE),
    advice: 'chance comes from the Random that is passed in',
  },
  {
    allowed: (path) => path.startsWith('src/main/') || isTest(path) || !path.startsWith('src/'),
    matches: (visit) => isOneOf(visit, ['process.env']) || isImportOf(visit, 'node:process', 'env'),
    advice: 'the environment is read in src/main only, and passed on as a value',
  },
  {
    allowed: inFolders('cli'),
    matches: (visit) => isOneOf(visit, ['console']),
    advice: 'only src/cli prints; elsewhere there is the Logger, or a writer that is passed in',
  },
  {
    allowed: (path) => !isService(path) || !path.startsWith('src/domain/'),
    matches: ({ node }) =>
      node.type === 'AwaitExpression' || ('async' in node && node.async) || ('await' in node && node.await),
    advice: 'src/domain decides over plain values and waits for nothing',
  },
];

/** Finds uses of the surroundings in files that have no business with them. */
export const surroundings = (source: Source): Finding[] => {
  const broken = rules.filter((rule) => !rule.allowed(source.path));
  return [...walk(source.program)].flatMap((visit) =>
    broken
      .filter((rule) => rule.matches(visit))
      .map(({ advice }) => {
        const text = source.text.slice(visit.node.start, visit.node.end).split('\n')[0] ?? '';
        return source.finding(visit.node.start, `\`${text}\`: ${advice}`);
      }),
  );
};

/** `new Date(…)` and `Date()`; what only computes (`Date.parse`, `Date.UTC`) is free. */
const isDate = (node: Node): boolean =>
  (node.type === 'NewExpression' || node.type === 'CallExpression') && isIdentifier(node.callee, 'Date');

/** True for a free-standing name, or for `object.property`, of the list. */
const isOneOf = ({ node, around }: Visit, names: readonly string[]): boolean => {
  if (node.type === 'MemberExpression' && !node.computed && node.object.type === 'Identifier') {
    return node.property.type === 'Identifier' && names.includes(`${node.object.name}.${node.property.name}`);
  }
  return node.type === 'Identifier' && names.includes(node.name) && !isOnlyAName(node, around[0]);
};

/** True where an identifier names a member of something else, not the global thing. */
const isOnlyAName = (node: Node, parent: Node | undefined): boolean => {
  if (parent?.type === 'ImportSpecifier') return parent.local === node;
  if (parent?.type === 'MemberExpression') return parent.property === node && !parent.computed;
  if (parent?.type === 'Property' || parent?.type === 'PropertyDefinition')
    return parent.key === node && !parent.computed;
  return parent !== undefined && /^(TS(Property|Method)Signature|MethodDefinition)$/.test(parent.type);
};

const isImportOf = ({ node, around }: Visit, from: string, name: string): boolean =>
  node.type === 'ImportSpecifier' &&
  isIdentifier(node.imported, name) &&
  around[0]?.type === 'ImportDeclaration' &&
  around[0].source.value === from;

const isIdentifier = (node: Node, name: string): boolean => node.type === 'Identifier' && node.name === name;
