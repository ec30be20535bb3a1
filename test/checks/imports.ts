// Who imports whom in src: the arrows of docs/architecture.md, and no others.
import { posix } from 'node:path';
import type { Node } from 'oxc-parser';
import { isService, walk, type Finding, type Source } from './source.ts';

/** One import of a file. */
export interface Import {
  readonly source: Source;
  readonly offset: number;
  /** A file, `src/…`, or a package's name. */
  readonly to: string;
  readonly local: boolean;
  readonly typesOnly: boolean;
}

/**
 * What each part may import, besides itself. Parts are paths below src; the longest that fits a file counts.
 * `types of` permits `import type` only.
 */
const PERMITTED: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  kube: ['lib'],
  runtime: ['lib', 'kube'],
  api: ['lib'],
  db: ['lib'],
  domain: ['api', 'lib', 'types of db/rows'],
  backend: ['lib', 'kube', 'runtime', 'api', 'db', 'domain'],
  agent: ['lib', 'kube', 'runtime', 'api', 'db', 'domain'],
  http: ['lib', 'kube', 'api', 'db', 'domain', 'runtime/store'],
  client: ['types of api'],
  cli: ['lib', 'kube', 'api', 'client'],
  sandbox: ['lib', 'kube', 'runtime', 'api', 'db'],
  main: ['lib', 'kube', 'runtime', 'api', 'db', 'domain', 'backend', 'agent', 'http', 'client', 'cli'],
  'main/demo': [
    'lib',
    'kube',
    'runtime',
    'api',
    'db',
    'domain',
    'backend',
    'agent',
    'http',
    'client',
    'cli',
    'sandbox',
  ],
};

/** Parts whose subfolders don't know each other; what stands at their root is theirs to share. */
const SPLIT = ['backend', 'agent'];

/** Where each package is met. */
const HOMES: Readonly<Record<string, string>> = {
  pg: 'db',
  pino: 'lib/log',
  'prom-client': 'lib/metrics',
  yaml: 'lib/yaml',
  zod: 'api',
  commander: 'main',
};

/** Finds imports that the table doesn't permit, packages away from home, and cycles. */
export const importFindings = (sources: readonly Source[]): Finding[] => {
  const imports = sources.filter(({ path }) => isService(path)).flatMap(importsOf);
  return [...imports.flatMap(refusal), ...cycles(imports)];
};

/** The imports of a file, Node's own modules left out. */
export const importsOf = (source: Source): Import[] =>
  [...walk(source.program)].flatMap(({ node }) => {
    const target = targetOf(node);
    if (target === undefined || target.startsWith('node:')) return [];
    const local = target.startsWith('.');
    const to = local ? posix.join(posix.dirname(source.path), target) : packageOf(target);
    return [{ source, offset: node.start, to, local, typesOnly: isTypesOnly(node) }];
  });

const targetOf = (node: Node): string | undefined => {
  const from =
    node.type === 'ImportDeclaration' ||
    node.type === 'ImportExpression' ||
    node.type === 'ExportAllDeclaration' ||
    node.type === 'ExportNamedDeclaration'
      ? node.source
      : node.type === 'TSImportType'
        ? node.source
        : undefined;
  return from?.type === 'Literal' && typeof from.value === 'string' ? from.value : undefined;
};

const isTypesOnly = (node: Node): boolean =>
  node.type === 'TSImportType' ||
  (node.type === 'ImportDeclaration' && node.importKind === 'type') ||
  ((node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration') && node.exportKind === 'type');

const packageOf = (target: string): string => target.split('/', target.startsWith('@') ? 2 : 1).join('/');

const refusal = ({ source, offset, to, local, typesOnly }: Import): Finding[] => {
  const refuse = (why: string): Finding[] => [source.finding(offset, why)];
  const from = belowSrc(source.path);
  if (!local) {
    const home = HOMES[to];
    if (home === undefined) return refuse(`the package ${to} has no home yet: name the one place where it is met`);
    return isWithin(from, home) ? [] : refuse(`the package ${to} is met in src/${home} only`);
  }
  if (!isService(to)) return refuse(`${to} is not part of the service`);
  const target = belowSrc(to);
  if (moduleOf(from) === moduleOf(target)) {
    const stranger = SPLIT.includes(moduleOf(from)) && subfolderOf(target) !== undefined;
    return stranger && subfolderOf(from) !== undefined && subfolderOf(from) !== subfolderOf(target)
      ? refuse(
          `${folderOf(from)} and ${folderOf(target)} don't know each other; what they share stands in src/${moduleOf(from)}`,
        )
      : [];
  }
  const permitted = permissionsOf(from);
  if (!permitted) return refuse(`src/${moduleOf(from)} is not in the table of who may import whom`);
  if (permitted.some((part) => isWithin(target, part))) return [];
  const asTypes = permitted.some((part) => part.startsWith('types of ') && isWithin(target, part.slice(9)));
  if (asTypes) return typesOnly ? [] : refuse(`src/${moduleOf(from)} may import the types of ${to} only`);
  return refuse(`src/${moduleOf(from)} may not import ${to}`);
};

const permissionsOf = (path: string): readonly string[] | undefined => {
  const parts = Object.keys(PERMITTED).filter((part) => isWithin(path, part));
  return PERMITTED[parts.toSorted((one, other) => other.length - one.length)[0] ?? ''];
};

/** The module of a file of the service: the folder below src. */
export const moduleOf = (path: string): string => belowSrc(path).split('/', 1)[0] ?? path;

const belowSrc = (path: string): string => path.replace(/^src\//, '').replace(/\.tsx?$/, '');
const isWithin = (path: string, part: string): boolean => path === part || path.startsWith(`${part}/`);
const folderOf = (path: string): string => `src/${path.split('/').slice(0, 2).join('/')}`;
const subfolderOf = (path: string): string | undefined => (path.split('/').length > 2 ? path.split('/')[1] : undefined);

/** Each cycle of files once, as the way round it. */
const cycles = (imports: readonly Import[]): Finding[] => {
  const next = Map.groupBy(
    imports.filter(({ local }) => local),
    ({ source }) => source.path,
  );
  const done = new Set<string>();
  const found: Finding[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path);
    if (at >= 0) found.push(`${path}:1: a cycle of imports: ${[...way.slice(at), path].join(' → ')}`);
    if (at >= 0 || done.has(path)) return;
    for (const { to } of next.get(path) ?? []) visit(to, [...way, path]);
    done.add(path);
  };
  for (const path of next.keys()) visit(path, []);
  return found;
};
