// Where the compiler's word is overruled: `any` only where foreign JSON is decoded, casts and `!` only with a reason.
import type { Node } from 'oxc-parser';
import { hasComment, walk, type Finding, type Source } from './source.ts';

/** Finds `any` outside `src/kube`, and casts, `!` and `!:` without a comment on their line. */
export const typeSafety = (source: Source): Finding[] =>
  [...walk(source.program)].flatMap(({ node }) => {
    if (node.type === 'TSAnyKeyword' && !source.path.startsWith('src/kube/')) {
      return [source.finding(node.start, '`any`: say what it is, or `unknown`')];
    }
    const claim = claimOf(node);
    if (!claim || hasComment(source, source.lineAt(claim.from), source.lineAt(node.end))) return [];
    return [source.finding(claim.from, `${claim.what} without its reason in a comment on the line`)];
  });

/** What a node claims to know better than the compiler, and where that is written. */
const claimOf = (node: Node): { what: string; from: number } | undefined => {
  switch (node.type) {
    case 'TSAsExpression':
      return isConst(node.typeAnnotation) ? undefined : { what: 'a cast', from: node.expression.end };
    case 'TSTypeAssertion':
      return { what: 'a cast', from: node.start };
    case 'TSNonNullExpression':
      return { what: 'a `!`', from: node.expression.end };
    case 'VariableDeclarator':
    case 'PropertyDefinition':
      return node.definite ? { what: 'a `!`', from: node.start } : undefined;
    default:
      return undefined;
  }
};

const isConst = (node: Node): boolean =>
  node.type === 'TSTypeReference' && node.typeName.type === 'Identifier' && node.typeName.name === 'const';
