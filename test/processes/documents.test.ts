import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { originalFlags } from '../../src/main/original.ts';
import { agentSettings, allSettings, migrateSettings } from '../../src/main/settings.ts';
import { managedGitops, root, temporaryFolder } from './command.ts';

interface Document {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}

const folder = await readdir(join(root, 'docs'), { recursive: true });
const paths = [
  'README.md',
  'CONTRIBUTING.md',
  ...folder.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
const documents: readonly Document[] = await Promise.all(
  paths.map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })),
);

/** What stands in code: spans, and the lines of blocks. */
const codeOf = ({ text }: Document): string[] => {
  const blocks = [...text.matchAll(/^ *```\w*\n([^]*?)^ *```$/gm)].map(([, block = '']) => block);
  const prose = text.replaceAll(/^ *```\w*\n[^]*?^ *```$/gm, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll(/\s+/g, ' '));
  return [...spans, ...blocks.flatMap((block) => block.split('\n').map((line) => line.trim().replace(/^\$ /, '')))];
};

/** A heading's anchor, as forges make it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

const linksOf = ({ text }: Document): string[] =>
  [...text.replaceAll(/^```\w*\n[^]*?^```$/gm, '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));

/** Links of a document that lead nowhere. */
const brokenLinks = (document: Document): string[] =>
  linksOf(document).filter((link) => {
    const [file = '', anchor] = link.split('#');
    const path = file === '' ? document.path : relative(root, join(root, dirname(document.path), file));
    if (!existsSync(join(root, path))) return true;
    const target = documents.find((one) => one.path === path);
    return anchor !== undefined && !anchorsOf(target?.text ?? '').includes(anchor);
  });

/** Arguments of a command in the code of a document, one list for each time that it is called. */
const callsOf = (document: Document, command: RegExp): string[][] =>
  codeOf(document).flatMap((code) =>
    [...code.matchAll(command)].map((match) => {
      const rest = code.slice(match.index + match[0].length).split(/ (?:#|&&|\||;|>) ?/, 1)[0] ?? '';
      return rest.split(' ').filter((word) => word !== '');
    }),
  );

const settings = [...Object.values(allSettings), ...Object.values(agentSettings), ...Object.values(migrateSettings)];

const processFlags: ReadonlySet<string> = new Set([...settings.map(({ flag }) => flag), ...originalFlags, 'help']);
const variables: ReadonlySet<string> = new Set(settings.flatMap(({ environment }) => environment));
/** Those of the test runner that stand alone in a sentence. */
const foreignFlags: ReadonlySet<string> = new Set(['watch']);
const flagName = (word: string): string => /^--([a-z-]+)/.exec(word)?.[1] ?? '';

let demoFlags: ReadonlySet<string>;

beforeAll(async () => {
  await using place = await temporaryFolder();
  await using help = managedGitops(['demo', '--help'], { folder: place.path });
  const { out } = await help.whenEnded;
  demoFlags = new Set([...out.matchAll(/--([a-z-]+)/g)].map(([, flag = '']) => flag));
});

describe.each(documents)('$path', (document) => {
  it('links to what is there', () => {
    expect(brokenLinks(document)).toEqual([]);
  });

  it('names targets of the Makefile and scripts of npm that exist', async () => {
    const makefile = await readFile(join(root, 'Makefile'), 'utf8');
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      await readFile(join(root, 'package.json'), 'utf8'),
    );
    const targets = callsOf(document, /(?:^|[^\w-])make(?= |$)/g).flatMap(([target]) => target ?? []);
    expect(targets.filter((target) => !new RegExp(`^${target}:`, 'm').test(makefile))).toEqual([]);
    const runs = [...callsOf(document, /\bnpm run(?= )/g), ...callsOf(document, /\bnpm (?=test\b)/g)].flatMap(
      ([name]) => name ?? [],
    );
    expect(runs.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('calls managed-gitops with commands and flags that it has', () => {
    const wrong = callsOf(document, /(?:^|[\s/])managed-gitops(?= [a-z])/g).flatMap(([command = '', ...args]) => {
      if (!['backend', 'agent', 'all', 'migrate', 'keys', 'demo'].includes(command)) return [command];
      const known = command === 'demo' ? demoFlags : processFlags;
      return args.filter((word) => word.startsWith('--') && !known.has(flagName(word)));
    });
    expect(wrong).toEqual([]);
  });

  it('names settings and files that exist', () => {
    const code = codeOf(document);
    const flags = code.filter((span) => /^--[a-z][a-z-]*(?:=\S*)?$/.test(span)).map(flagName);
    expect(flags.filter((flag) => ![processFlags, demoFlags, foreignFlags].some((known) => known.has(flag)))).toEqual(
      [],
    );
    const ours = code.flatMap((span) => [...span.matchAll(/\bMANAGED_GITOPS_[A-Z_]+/g)].map(([name]) => name));
    expect(ours.filter((name) => !variables.has(name))).toEqual([]);
    const files = code.filter((span) => /^(?:src|test|docs|scripts|deploy|bin)\/[\w./-]+$/.test(span));
    const isThere = (file: string): boolean => ['', '.ts'].some((end) => existsSync(join(root, file + end)));
    expect(files.filter((file) => !isThere(file))).toEqual([]);
  });
});
