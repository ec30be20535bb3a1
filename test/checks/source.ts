// The repository's text and TypeScript files as the checks see them: paths, text, syntax trees.
import { globSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { parseSync, visitorKeys, type Comment, type Node, type Program } from 'oxc-parser';

/** One breach of a rule: `path:line: what is wrong and what to do`. */
export type Finding = string;

/** A file and its text; paths are from the repository's root, with `/`. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** A TypeScript file that has been parsed. */
export interface Source extends TextFile {
  readonly program: Program;
  readonly comments: readonly Comment[];
  /** The line of a position in the text, from 1. */
  lineAt(offset: number): number;
  /** A finding at a position. */
  finding(offset: number, what: string): Finding;
}

/** Every node of a tree with those around it, the nearest first. */
export interface Visit {
  readonly node: Node;
  readonly around: readonly Node[];
}

const repository = join(import.meta.dirname, '../..');
const LEFT_OUT = new Set(['node_modules', '.git', 'dist', '.cache', 'coverage']);
const TEXT = new Set(['.ts', '.tsx', '.md', '.json', '.yaml', '.yml', '.sql', '.sh', '.css', '.html', '.tpl', '']);
const GENERATED = /^.{0,3}.*\bgenerated\b.*\bdo not edit\b/i;

/** Reads the text files of the repository, what git ignores left out, or those of another folder. */
export const readTextFiles = (root = repository): TextFile[] =>
  globSync('**/*', { cwd: root, exclude: (entry) => LEFT_OUT.has(entry.name), withFileTypes: true })
    .filter((entry) => entry.isFile() && TEXT.has(extname(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({
      path: path.slice(root.length + 1).replaceAll('\\', '/'),
      text: readFileSync(path, 'utf8'),
    }));

/** The TypeScript ones among them that people write, parsed. */
export const readSources = (): Source[] =>
  readTextFiles()
    .filter(({ path, text }) => /\.tsx?$/.test(path) && !GENERATED.test(text))
    .map(({ path, text }) => parseSource(path, text));

/** Parses one file. */
export const parseSource = (path: string, text: string): Source => {
  const { program, comments, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path} can't be parsed: ${errors[0].message}`);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineAt = (offset: number): number => lineStarts.findLastIndex((start) => start <= offset) + 1;
  return { path, text, program, comments, lineAt, finding: (offset, what) => `${path}:${lineAt(offset)}: ${what}` };
};

/** Walks through a tree, parents before children. */
export function* walk(node: Node, around: readonly Node[] = []): Generator<Visit> {
  yield { node, around };
  for (const key of visitorKeys[node.type] ?? []) {
    const child = (node as unknown as Record<string, unknown>)[key]; // the parser lists the keys that hold nodes
    for (const each of Array.isArray(child) ? child : [child]) {
      if (isNode(each)) yield* walk(each, [node, ...around]);
    }
  }
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value;

/** True when a comment that says something starts on one of these lines. */
export const hasComment = (source: Source, firstLine: number, lastLine = firstLine): boolean =>
  source.comments.some((comment) => {
    const line = source.lineAt(comment.start);
    return line >= firstLine && line <= lastLine && /\w{2}.*\w{2}/.test(comment.value);
  });

/** True for tests and what only they use. */
export const isTest = (path: string): boolean => path.startsWith('test/') || /(\.test|[.-]fixture)\.ts$/.test(path);

/** True for the service's own code, tests left out. */
export const isService = (path: string): boolean => path.startsWith('src/') && !isTest(path);
