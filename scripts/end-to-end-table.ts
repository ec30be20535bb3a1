// Puts what the last end-to-end run measured into docs/end-to-end.md: the table of scenarios, steps and seconds.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { scenarioTable, type RunReport } from '../test/e2e/report.ts';

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs/end-to-end.md');
const { scenarios, seed } = JSON.parse(readFileSync(join(root, 'dist/e2e/report.json'), 'utf8')) as RunReport; // the suite wrote it
if (seed !== null) throw new Error('processes were killed in this run: its times say nothing');
const failed = scenarios.find(({ passed }) => !passed);
if (failed) throw new Error(`"${failed.name}" failed`);

const lines = readFileSync(page, 'utf8').split('\n');
const first = lines.findIndex((line) => line.startsWith('| scenario'));
const after = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
const text = lines.toSpliced(first, after - first, ...scenarioTable(scenarios)).join('\n');
writeFileSync(page, await format(text, { ...(await resolveConfig(page)), filepath: page }));
