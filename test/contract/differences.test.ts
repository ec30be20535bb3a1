import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differences } from './differences.ts';

const sources = globSync('*.test.ts', { cwd: import.meta.dirname })
  .filter((name) => name !== 'differences.test.ts')
  .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
  .join('\n');

const page = readFileSync(join(import.meta.dirname, '../../docs/sandbox.md'), 'utf8');

/** The rows of the table below the heading, its head left out. */
const table = (heading: string): string[][] => {
  const section = page.split(`\n### ${heading}\n`)[1]?.split(/\n##/)[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

describe('the list of differences', () => {
  it.each(differences.map(({ test }) => test))('names a test of the suite: %s', (test) => {
    expect(sources.split(`it('${test}'`)).toHaveLength(2);
  });

  it('is what the documentation says', () => {
    expect(table('What differs')).toEqual(differences.map(({ test, reason }) => [test, reason]));
  });
});
