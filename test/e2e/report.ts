// What the scenarios measured, as JSON and as a page.
import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A step of a scenario, and the time in milliseconds from what the user did to what was seen. */
export interface Step {
  readonly what: string;
  readonly ms: number;
}

/** A scenario that ran. */
export interface ScenarioRecord {
  readonly name: string;
  readonly passed: boolean;
  readonly ms: number;
  readonly steps: readonly Step[];
}

/** A run of the suite. */
export interface RunReport {
  readonly argoCd: string;
  /** The seed of the kills; null where nobody was killed. */
  readonly seed: number | null;
  readonly kills: Readonly<Record<string, number>>;
  readonly scenarios: readonly ScenarioRecord[];
}

/** What a report is written from. */
export interface ReportOptions {
  readonly records: string;
  readonly root: string;
  readonly argoCd: string;
  readonly kills: Readonly<Record<string, number>>;
  readonly seed: number | undefined;
  /** A program of the cluster that ended by itself. */
  readonly fallen: string | undefined;
}

/** Writes `dist/e2e/report.json` and `report.md` below the root. @throws where a program of the cluster had ended. */
export const writeReport = async ({ records, root, argoCd, kills, seed, fallen }: ReportOptions): Promise<void> => {
  const scenarios = readdirSync(records)
    .map((file) => JSON.parse(readFileSync(join(records, file), 'utf8')) as ScenarioRecord) // written by the scenarios
    .sort((one, other) => one.name.localeCompare(other.name));
  const report: RunReport = { argoCd, seed: seed ?? null, kills, scenarios };
  const folder = join(root, 'dist/e2e');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(folder, 'report.md'), pageOf(report));
  if (fallen) throw new Error(fallen);
};

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

/** The lines of a table: scenarios, whole seconds, and the seconds of each step from what the user did to what was seen. */
export const scenarioTable = (scenarios: readonly ScenarioRecord[]): string[] => [
  '| scenario | seconds | steps |',
  '| --- | --- | --- |',
  ...scenarios.map(({ name, passed, ms, steps }) => {
    const measured = steps.map((step) => `${step.what} ${seconds(step.ms)}`).join(', ');
    return `| ${name}${passed ? '' : ' **FAILED**'} | ${seconds(ms)} | ${measured} |`;
  }),
];

const pageOf = ({ argoCd, seed, kills, scenarios }: RunReport): string =>
  [
    '# End-to-end run',
    '',
    `Argo CD ${argoCd}. ${seed === null ? 'No process was killed.' : `Seed ${seed}; killed: ${killsText(kills)}.`}`,
    '',
    ...scenarioTable(scenarios),
    '',
  ].join('\n');

const killsText = (kills: Readonly<Record<string, number>>): string =>
  Object.entries(kills)
    .map(([half, times]) => `${half} ${times} times`)
    .join(', ');
