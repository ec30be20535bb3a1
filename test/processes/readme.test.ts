import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { kubectlMissing, startDemoCluster, type DemoCluster } from './kubectl.ts';

interface Step {
  readonly command: string;
  /** What the document shows of its output; a line `…` stands for lines that are left out. */
  readonly shown: string;
}

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');

const steps: readonly Step[] = [...readme.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap(([, block = '']) =>
  block
    .split(/^\$ /m)
    .filter((part) => part !== '')
    .map((part) => {
      const end = part.indexOf('\n');
      return { command: part.slice(0, end), shown: part.slice(end + 1) };
    }),
);

/** The same with what differs from run to run, and from table to table, taken out: ids, numbers, widths, empty lines. */
const shapeOf = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/\b[0-9a-f]{40}\b|\b[0-9a-f]{12}\b/g, '<commit>')
    .replaceAll(/\d+(\.\d+)*/g, '<n>')
    .replaceAll(/<n>m<n>s\b/g, '<n>s')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/^ | $/gm, '')
    .replaceAll(/\n{2,}/g, '\n')
    .trim();

/** A pattern for outputs of the shape that the document shows. */
const patternOf = (shown: string): RegExp => {
  const parts = shapeOf(shown)
    .split(/(?:^|\n)…(?:\n|$)/)
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('(?:[^]*\\n|)')}$`);
};

let cluster: DemoCluster;
const exported: string[] = [];

describe('the tour of the README', { timeout: 90_000 }, () => {
  beforeAll(async () => {
    if (kubectlMissing === undefined) cluster = await startDemoCluster();
  }, 90_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(kubectlMissing !== undefined, `${kubectlMissing}`));

  it('begins with make demo, which prints what is shown', async () => {
    expect(await readFile(new URL('../../package.json', import.meta.url), 'utf8')).toMatch(
      /"demo": ".* && sh bin\/managed-gitops demo"/,
    );
    const [first] = steps;
    expect(steps.length).toBeGreaterThan(15);
    expect(first?.command).toBe('make demo');
    const printed = cluster.printed().split('\nIt stays up.')[0] ?? '';
    expect(shapeOf(printed)).toMatch(patternOf(first?.shown ?? ''));
  });

  it.each(steps.slice(1))('$command', async ({ command, shown }) => {
    if (command.startsWith('export ')) exported.push(command);
    const { code, out, errors } = await cluster.shell([...exported, command].join('\n'));
    expect({ code, errors: errors.startsWith('No resources found') ? '' : errors }).toEqual({ code: 0, errors: '' });
    expect(shapeOf(out + errors)).toMatch(patternOf(shown));
  });
});
