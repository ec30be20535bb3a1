// How large things may be: 400 lines a file, 80 a function, 3 positional parameters.
import type { Node } from 'oxc-parser';
import { walk, type Finding, type Source, type Visit } from './source.ts';

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 80;
const MAX_PARAMETERS = 3;

/** Finds what is too large. A suite's body (`describe`) is no function in this sense, its tests are. */
export const sizes = (source: Source): Finding[] => {
  const lines = source.text.trimEnd().split('\n').length;
  return [
    ...(lines > MAX_FILE_LINES ? [source.finding(0, `${lines} lines; a file has at most ${MAX_FILE_LINES}`)] : []),
    ...[...walk(source.program)].flatMap((visit) => functionFindings(source, visit)),
  ];
};

const functionFindings = (source: Source, { node, around }: Visit): Finding[] => {
  if (!('params' in node) || !Array.isArray(node.params) || !node.type.match(/Function|Method/)) return [];
  const parameters = node.params.filter((each, index) => isPositional(each, index === node.params.length - 1)).length;
  const lines = linesOf(source, node);
  return [
    ...(lines > MAX_FUNCTION_LINES && !isSuite(around[0])
      ? [source.finding(node.start, `${lines} lines; a function has at most ${MAX_FUNCTION_LINES}`)]
      : []),
    ...(parameters > MAX_PARAMETERS
      ? [source.finding(node.start, `${parameters} parameters; name them in an object from the fourth on`)]
      : []),
  ];
};

/** The lines of each function of a file, for the figures that are kept an eye on. */
export const functionLengths = (source: Source): number[] =>
  [...walk(source.program)]
    .filter(({ node, around }) => 'body' in node && /Function/.test(node.type) && !isSuite(around[0]))
    .map(({ node }) => linesOf(source, node));

/** `this` is no parameter, and one object of options at the end names what it holds. */
const isPositional = (parameter: Node, last: boolean): boolean => {
  if (parameter.type === 'Identifier') return parameter.name !== 'this' && !(last && parameter.name === 'options');
  return (
    !last ||
    (parameter.type === 'AssignmentPattern' ? isPositional(parameter.left, last) : parameter.type !== 'ObjectPattern')
  );
};

const linesOf = (source: Source, node: Node): number => source.lineAt(node.end) - source.lineAt(node.start) + 1;

const isSuite = (parent: Node | undefined): boolean =>
  parent?.type === 'CallExpression' && leftmostName(parent.callee) === 'describe';

const leftmostName = (node: Node): string | undefined => {
  if (node.type === 'Identifier') return node.name;
  if (node.type === 'MemberExpression') return leftmostName(node.object);
  return node.type === 'CallExpression' ? leftmostName(node.callee) : undefined;
};
