// What a test must not do: run alone, be skipped in silence, or wait by the clock.
import type { CallExpression, Node } from 'oxc-parser';
import { hasComment, isTest, walk, type Finding, type Source } from './source.ts';

const MAX_DELAY_MS = 50;
const RUNNERS = new Set(['it', 'test', 'describe', 'suite', 'bench']);
const SKIPS = new Set(['skip', 'skipIf', 'runIf', 'todo']);

/** Finds `.only`, skips without a reason, and real delays of more than 50 ms. */
export const testManners = (source: Source): Finding[] => {
  if (!isTest(source.path)) return [];
  const constants = numericConstants(source);
  return [...walk(source.program)].flatMap(({ node }) => {
    if (node.type === 'MemberExpression') return memberFindings(source, node);
    if (node.type !== 'CallExpression') return [];
    return [...skipFindings(source, node), ...delayFindings(source, node, constants)];
  });
};

const memberFindings = (source: Source, node: Node): Finding[] => {
  const [object, property] = memberOf(node) ?? [];
  if (object === undefined || property === undefined || !RUNNERS.has(object)) return [];
  if (property === 'only') return [source.finding(node.start, '`.only` keeps the other tests from running')];
  const line = source.lineAt(node.end);
  if (!SKIPS.has(property) || hasComment(source, line - 1, line)) return [];
  return [source.finding(node.start, `\`.${property}\` without its reason in a comment on the line or above it`)];
};

/** `context.skip('why')` tells the reader of the run; without the text nobody is told. */
const skipFindings = (source: Source, node: CallExpression): Finding[] => {
  const [object, property] = memberOf(node.callee) ?? [];
  if (property !== 'skip' || object === undefined || RUNNERS.has(object)) return [];
  const explained = node.arguments.some(
    (argument) =>
      argument.type === 'TemplateLiteral' || (argument.type === 'Literal' && typeof argument.value === 'string'),
  );
  return explained ? [] : [source.finding(node.start, '`skip()` without a sentence that says why')];
};

const delayFindings = (source: Source, node: CallExpression, constants: ReadonlyMap<string, number>): Finding[] => {
  const valueOf = (argument: Node | undefined): number => {
    if (argument?.type === 'Literal' && typeof argument.value === 'number') return argument.value;
    return argument?.type === 'Identifier' ? (constants.get(argument.name) ?? 0) : 0;
  };
  const callee = node.callee.type === 'Identifier' ? node.callee.name : memberOf(node.callee)?.[1];
  const [first, second] = node.arguments;
  const waits =
    (callee === 'setTimeout' && Math.max(valueOf(first), valueOf(second))) ||
    (callee === 'sleep' && first?.type === 'Identifier' && first.name === 'systemClock' && valueOf(second)) ||
    0;
  if (waits <= MAX_DELAY_MS) return [];
  return [
    source.finding(node.start, `a real delay of ${waits} ms: move the virtual clock, or wait with \`eventually\``),
  ];
};

const memberOf = (node: Node): [string, string] | undefined =>
  node.type === 'MemberExpression' && node.object.type === 'Identifier' && node.property.type === 'Identifier'
    ? [node.object.name, node.property.name]
    : undefined;

const numericConstants = (source: Source): Map<string, number> => {
  const found = new Map<string, number>();
  for (const { node } of walk(source.program)) {
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier') continue;
    if (node.init?.type === 'Literal' && typeof node.init.value === 'number') found.set(node.id.name, node.init.value);
  }
  return found;
};
