// That the tables of reasons are whole: what is thrown is in them, and what is in them helps whoever reads it.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorsPage } from '../../scripts/generate/errors.ts';
import { platformReasons, type ReasonEntry } from '../lib/reasons.ts';
import { internalFault, reasons, userFault, waitingFault } from './reasons.ts';

const tables: Readonly<Record<string, ReasonEntry>> = { ...platformReasons, ...reasons };
const source = join(import.meta.dirname, '..');

/** The reason of each fault that is made with its words in place, by file. */
const thrownReasons = (): [string, string][] =>
  globSync('**/*.ts', { cwd: source })
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) =>
      [...readFileSync(join(source, file), 'utf8').matchAll(/new Fault\(\s*'\w+',\s*'(\w+)'/g)].map(
        ([, reason = '']): [string, string] => [file, reason],
      ),
    );

test('every reason that is thrown is in a table', () => {
  const thrown = thrownReasons();
  expect(thrown.length).toBeGreaterThan(10);
  expect(thrown.filter(([, reason]) => !tables[reason])).toEqual([]);
});

test('every reason in a table is given by somebody', () => {
  const texts = globSync('**/*.ts', { cwd: source })
    .filter((file) => !/(\.test|(api|lib)\/reasons)\.ts$/.test(file))
    .map((file) => readFileSync(join(source, file), 'utf8'));
  const isGiven = (reason: string): boolean => texts.some((text) => text.includes(`'${reason}'`));
  expect(Object.keys(tables).filter((reason) => !isGiven(reason))).toEqual([]);
});

test('a reason stands in one table only', () => {
  expect(Object.keys(reasons).filter((reason) => reason in platformReasons)).toEqual([]);
});

test.each(Object.entries(tables))('%s says in whole sentences what it means and what to do', (_reason, entry) => {
  for (const sentence of [entry.summary, entry.remedy]) expect(sentence).toMatch(/^[A-Z`].+\.$/);
});

test('the page of errors has each reason, with whose turn it is', () => {
  const { text } = errorsPage();
  for (const reason of Object.keys(tables)) expect(text).toContain(`### ${reason}\n`);
  expect(text.match(/\*\*Whose turn\*\*: (team|operator|nobody)$/gm)).toHaveLength(Object.keys(tables).length);
});

test('each constructor makes the kind of its name', () => {
  const cause = new Error('underneath');
  expect(userFault('PathRequired', 'text')).toMatchObject({ kind: 'user', reason: 'PathRequired', message: 'text' });
  expect(waitingFault('WaitingForArgoCD', 'text', 5_000)).toMatchObject({ kind: 'waiting', retryAfterMs: 5_000 });
  expect(waitingFault('WaitingForArgoCD', 'text').retryAfterMs).toBeUndefined();
  expect(internalFault('EngineNotFound', 'text', cause)).toMatchObject({ kind: 'internal', cause });
});
