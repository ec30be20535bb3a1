// Holds every source file to the rules, and shows for each rule that a breach is seen.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importPicture, withPicture } from './import-picture.ts';
import { importFindings } from './imports.ts';
import { functionLengths, sizes } from './sizes.ts';
import { parseSource, readSources, readTextFiles, type Finding, type Source } from './source.ts';
import { surroundings } from './surroundings.ts';
import { testManners } from './test-manners.ts';
import { typeSafety } from './type-safety.ts';
import { documentation, fileNames, foreignWords } from './writing.ts';

const repository = join(import.meta.dirname, '../..');
const sources = readSources();
const texts = readTextFiles();

/** Lines of text, long enough to be too long. */
const lines = (count: number): string => 'f();\n'.repeat(count);

/** A file with the beginning of its text between the two, for the test's name. */
const titled = ([path, text]: readonly [string, string]): [string, string, string] => [path, text.slice(0, 60), text];

interface Rule {
  readonly promise: string;
  readonly check: (source: Source) => Finding[];
  /** Path and text of files that break it, each once. */
  readonly broken: readonly (readonly [path: string, text: string])[];
  /** Of files that look like it and don't. */
  readonly sound: readonly (readonly [path: string, text: string])[];
}

const rules: readonly Rule[] = [
  {
    promise: 'no file is over 400 lines, no function over 80, no list of parameters over 3',
    check: sizes,
    broken: [
      ['src/lib/a.ts', lines(401)],
      ['src/lib/a.ts', `const f = () => {\n${lines(80)}};`],
      ['src/lib/a.test.ts', `it('x', () => {\n${lines(80)}});`],
      ['src/lib/a.ts', 'class A { f(a: 1, b: 2, c: 3, d: 4) {} }'],
      ['src/lib/a.ts', 'interface A { f(a: 1, b: 2, c: 3, d: 4): void }'],
    ],
    sound: [
      ['src/lib/a.ts', lines(400)],
      ['src/lib/a.test.ts', `describe.each([1])('x', () => {\n${lines(300)}});`],
      ['src/lib/a.ts', 'function f(this: A, a: 1, b: 2, c: 3, options: D = {}) {}'],
    ],
  },
  {
    promise: '`any`, casts and `!` overrule the compiler only where they may, with a reason',
    check: typeSafety,
    broken: [
      ['src/api/a.ts', 'let a: any;'],
      ['src/api/a.ts', 'f(a as B);'],
      ['src/api/a.ts', '// above is not on the line\nf(<B>a);'],
      ['src/api/a.test.ts', 'f(a!.b);'],
      ['src/api/a.ts', 'class A { a!: string }'],
    ],
    sound: [
      ['src/kube/a.ts', 'let a: any;'],
      ['src/api/a.ts', 'f([1] as const, { a } satisfies B);'],
      ['src/api/a.ts', 'f(a as B); // the schema has checked it'],
      ['src/api/a.ts', "import { a as b } from './b.ts';"],
    ],
  },
  {
    promise: 'clock and chance are touched in src/lib, the environment in src/main, the console in src/cli',
    check: surroundings,
    broken: [
      ['src/kube/a.ts', 'const now = Date.now();'],
      ['src/kube/a.ts', 'const at = new Date(1);'],
      ['src/kube/a.ts', 'setTimeout(f, 1);'],
      ['src/kube/a.ts', 'const { a = setInterval } = b;'],
      ['src/kube/a.ts', 'f(AbortSignal.timeout(1));'],
      ['src/kube/a.ts', 'f(Math.random());'],
      ['src/kube/a.ts', "import { randomUUID } from 'node:crypto';"],
      ['src/lib/a.ts', 'f(process.env);'],
      ['src/lib/a.ts', "import { env } from 'node:process';"],
      ['src/main/a.ts', "console.log('a');"],
    ],
    sound: [
      ['src/lib/a.ts', 'setTimeout(f, Date.now() - Math.random(), new Date());'],
      ['src/kube/a.ts', 'socket.setTimeout(Date.UTC(2026)); const a: { setTimeout: B } = { setTimeout: b };'],
      ['src/main/a.ts', 'f(process.env);'],
      ['src/cli/a.ts', "console.log('a');"],
      ['src/kube/a.test.ts', 'setTimeout(f, 1); f(process.env, new Date(1));'],
    ],
  },
  {
    promise: 'src/domain never waits',
    check: surroundings,
    broken: [
      ['src/domain/a.ts', 'const f = async () => {};'],
      ['src/domain/a.ts', 'await f();'],
    ],
    sound: [
      ['src/domain/a.test.ts', 'await f();'],
      ['src/backend/a.ts', 'await f();'],
    ],
  },
  {
    promise: 'no test runs alone, is skipped in silence, or waits by the clock',
    check: testManners,
    broken: [
      ['src/lib/a.test.ts', "it.only('x', () => {});"],
      ['test/e2e/a.test.ts', "describe.only.each([1])('x', () => {});"],
      ['src/lib/a.test.ts', "it.skip('x', () => {});"],
      ['src/lib/a.test.ts', "it.skipIf(missing)('x', () => {});"],
      ['src/lib/a.test.ts', "it('x', (context) => context.skip(missing));"],
      ['test/kit/a.ts', 'setTimeout(f, 51);'],
      ['src/lib/a.test.ts', 'const PAUSE_MS = 5_000; await setTimeout(PAUSE_MS);'],
      ['src/lib/a.test.ts', 'await sleep(systemClock, 100);'],
    ],
    sound: [
      ['src/lib/a.test.ts', "it.skipIf(missing)('x', () => {}); // needs a real cluster"],
      ['src/lib/a.test.ts', "it('x', (context) => context.skip(missing, 'kubectl is not installed'));"],
      ['src/lib/a.test.ts', 'await sleep(clock, 60_000); setTimeout(f, 50);'],
      ['src/lib/a.ts', 'setTimeout(f, 60_000);'],
    ],
  },
  {
    promise: 'every file says what it is for, and every exported name what it is',
    check: documentation,
    broken: [
      ['src/lib/a.ts', '/** A. */\nexport const a = 1;'],
      ['src/lib/a.ts', '// What a is for.\nexport const a = 1;'],
      ['src/lib/a.ts', '// What a is for.\n// not a doc comment\nexport interface A {}'],
      ['src/lib/a.ts', '// What a is for.\n/** A. */\nexport const a = 1;\nexport type B = 1;'],
      ['src/lib/a.ts', '// What a is for.\nexport default 1;'],
    ],
    sound: [
      ['src/lib/a.ts', "// What a is for.\nconst b = 1;\n/** A. */\nexport const a = b;\nexport { c } from './c.ts';"],
      ['src/lib/a.test.ts', 'export const a = 1;'],
      ['vitest.config.ts', '// What a is for.\nexport default 1;'],
    ],
  },
  {
    promise: 'files are named in kebab-case, after what is in them',
    check: fileNames,
    broken: [
      ['src/lib/goUrl.ts', ''],
      ['src/utils/a.ts', ''],
      ['src/lib/common.test.ts', ''],
    ],
    sound: [['src/lib/go-url.test.ts', '']],
  },
  {
    promise: 'nothing speaks of what is not part of the project',
    check: foreignWords,
    broken: [
      // Put together here, or this file would break the rule itself.
      ['src/lib/a.ts', `// see ${['shared', 'design/style.md'].join('/')}`],
      ['src/lib/a.ts', `// answers ${['W', 12].join('-')}`],
      ['src/lib/a.ts', `// its ${['W', 'L1'].join('-')}`],
      ['docs/a.ts', `// cd ${['', 'work', 'main'].join('/')}`],
      ['src/lib/a.ts', `// https://${['registry', 'npmjs', 'org'].join('.')}`],
    ],
    sound: [['src/lib/a.ts', '// a shared / common W3C path, ./work/main, UTF-8']],
  },
];

describe.each(rules)('$promise', ({ check, broken, sound }) => {
  it('in the whole tree', () => {
    expect(check === foreignWords ? texts.flatMap((file) => foreignWords(file)) : sources.flatMap(check)).toEqual([]);
  });

  it.each(broken.map(titled))('and a breach is seen: %s: %s', (path, _, text) => {
    expect(check(parseSource(path, text))).toEqual([expect.stringMatching(/^[\w./-]+:\d+: ./)]);
  });

  it.each(sound.map(titled))('but not in %s: %s', (path, _, text) => {
    expect(check(parseSource(path, text))).toEqual([]);
  });
});

describe('imports', () => {
  const findings = (...files: [path: string, text: string][]): Finding[] =>
    importFindings(files.map(([path, text]) => parseSource(path, text)));

  it('go only where the table permits', () => {
    expect(importFindings(sources)).toEqual([]);
  });

  it.each([
    ['src/lib/a.ts', "import '../kube/b.ts';"],
    ['src/kube/a.ts', "export * from '../runtime/b.ts';"],
    ['src/domain/a.ts', "import { b } from '../db/rows.ts';"],
    ['src/domain/a.ts', "import type { b } from '../db/pool.ts';"],
    ['src/backend/a.ts', "import '../agent/b.ts';"],
    ['src/backend/deployments/a.ts', "import type { b } from '../operations/b.ts';"],
    ['src/http/a.ts', "import '../runtime/queue.ts';"],
    ['src/client/a.ts', "import { b } from '../api/b.ts';"],
    ['src/main/all.ts', "import '../sandbox/b.ts';"],
    ['src/agent/a.ts', "const b = await import('../main/b.ts');"],
    ['src/lib/a.ts', "import '../../test/kit/b.ts';"],
    ['src/lib/a.ts', "import pg from 'pg';"],
    ['src/api/a.ts', "import 'left-pad';"],
    ['src/novelty/a.ts', "import '../lib/b.ts';"],
  ])('are refused: %s: %s', (path, text) => {
    expect(findings([path, text])).toEqual([expect.stringContaining(`${path}:1: `)]);
  });

  it.each([
    ['src/domain/a.ts', "import type { b } from '../db/rows.ts';"],
    ['src/backend/deployments/a.ts', "import '../tenant.ts'; import './b.ts';"],
    ['src/main/demo.ts', "import '../sandbox/b.ts'; import '../http/b.ts';"],
    ['src/main/demo/a.ts', "import '../../sandbox/b.ts';"],
    ['src/db/pool.ts', "import 'node:net'; import pg from 'pg';"],
    ['src/lib/a.test.ts', "import '../sandbox/b.ts'; import 'vitest';"],
  ])('are permitted: %s: %s', (path, text) => {
    expect(findings([path, text])).toEqual([]);
  });

  it('run in no circle', () => {
    const circle = findings(
      ['src/lib/a.ts', "import './b.ts';"],
      ['src/lib/b.ts', "import './c.ts';"],
      ['src/lib/c.ts', "import type { a } from './a.ts';"],
    );
    expect(circle).toEqual([expect.stringContaining('src/lib/a.ts → src/lib/b.ts → src/lib/c.ts → src/lib/a.ts')]);
  });

  it('are drawn as docs/architecture.md shows them', () => {
    const page = join(repository, 'docs/architecture.md');
    const text = existsSync(page) ? readFileSync(page, 'utf8') : '';
    expect(text, 'make generate draws it anew').toBe(withPicture(text, importPicture(sources)));
  });

  it('are drawn with a dashed arrow where only types go over', () => {
    const picture = importPicture([
      parseSource('src/domain/a.ts', "import type { b } from '../db/rows.ts'; import '../lib/b.ts';"),
      parseSource('src/lib/b.ts', ''),
    ]);
    expect(picture.split(/\n */)).toEqual(['flowchart TD', 'domain', 'lib', 'domain --> lib', 'domain -.-> db']);
    const page = 'a\n<!-- import-graph:begin -->old<!-- import-graph:end -->\nb';
    expect(withPicture(page, picture)).toContain('```mermaid\nflowchart TD\n  domain\n');
    expect(withPicture(page, picture)).not.toContain('old');
  });
});

describe('functions', () => {
  const atMost = (share: number): number => {
    const lengths = sources.flatMap(functionLengths).toSorted((one, other) => one - other);
    return lengths[Math.floor(lengths.length * share)] ?? 0;
  };

  it('are short: half of them under 10 lines, nine in ten under 40', () => {
    expect(atMost(0.5)).toBeLessThan(10);
    expect(atMost(0.9)).toBeLessThan(40);
  });
});
