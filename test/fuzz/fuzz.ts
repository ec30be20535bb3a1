// `npm run fuzz`: tries inputs made from a seed on a whole service, with the same tests as `make test`, only more of them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemRandom } from '../../src/lib/random.ts';

const HELP = `Usage: npm run fuzz -- [--seed N] [--runs K] [--only WHAT]

Starts the service with an API server and a PostgreSQL of its own, and feeds it inputs made from the seed: GitOpsDeployments,
GitOpsDeploymentSyncRuns, Operations, damaged rows, and statuses of Applications. Each has to be carried out exactly, or
told to be wrong in one clear condition; nothing may be lost, and a bystander has to be served all the time.

  --seed N    from which everything follows; without it one is made up, and told
  --runs K    how many inputs of each kind; 100
  --only WHAT only the kinds whose name has this in it, such as "sync runs"

A failure prints the input. The same seed makes the same inputs in the same order.
Exit code: 0 when all held, 1 when one did not, 2 when the command was not understood.
`;

/** A whole number from `least` on; the command is not understood otherwise. */
const wholeNumber = (text: string, least: number): number => {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least && text.trim() !== '') return number;
  throw new RangeError(`${JSON.stringify(text)} is not a whole number from ${least} on`);
};

const readArguments = (): { seed: number; runs: number; only: string } | undefined => {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { seed: text, runs: text, only: text, help: { type: 'boolean' } } });
  if (values.help) return undefined;
  return {
    seed: wholeNumber(values.seed ?? String(Math.trunc(systemRandom.next() * 2 ** 31)), 0),
    runs: wholeNumber(values.runs ?? '100', 1),
    only: values.only ?? '',
  };
};

const fuzz = async ({ seed, runs, only }: { seed: number; runs: number; only: string }): Promise<number> => {
  process.stdout.write(`seed ${seed}, ${runs} inputs of each kind\n`);
  const root = join(import.meta.dirname, '../..');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const names = only === '' ? [] : ['--testNamePattern', only];
  const child = spawn(process.execPath, [vitest, 'run', '--project', 'tests', 'test/fuzz/fuzz.test.ts', ...names], {
    cwd: root,
    env: { ...process.env, FUZZ_SEED: String(seed), FUZZ_RUNS: String(runs) },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null]; // as Node.js calls it
  const more = `${runs === 100 ? '' : ` --runs ${runs}`}${only === '' ? '' : ` --only ${JSON.stringify(only)}`}`;
  if (code !== 0) process.stdout.write(`replay: npm run fuzz -- --seed ${seed}${more}\n`);
  return code === 0 ? 0 : 1;
};

try {
  const options = readArguments();
  if (options) process.exitCode = await fuzz(options);
  else process.stdout.write(HELP);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  process.exitCode = 2;
}
