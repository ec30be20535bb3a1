// `npm run test:faults`: runs schedules of users' actions and faults from seeds, and says which of them end badly.
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startDatabase } from '../../src/sandbox/database.ts';
import { noVacuum } from '../kit/database-server.ts';
import type { ScheduleResult } from './schedule.ts';
import { createScheduleRunner } from './schedules.ts';

const HELP = `Usage: npm run test:faults -- [--seeds N] [--seed S] [--bug] [--story] [--trace]

Runs schedules: users create, change and delete GitOpsDeployments while API server, watches, database and processes
fail; then all is calm, and objects, rows and Applications have to agree. Everything random comes from the seed.

  --seeds N   how many schedules; 100, or 1 with --seed
  --seed S    the first seed; 1
  --bug       switches on a deliberate bug, which the oracle has to find
  --story     tells what users did and what befell the processes
  --trace     also tells the calls, in their order, and what the service logged

Exit code: 0 when all ended well, 1 when one did not, 2 when the command was not understood.
`;

const values = ((): ReturnType<typeof readArguments> => {
  try {
    return readArguments();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
})();

function readArguments() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { seeds: text, seed: text, bug: flag, story: flag, trace: flag, help: flag };
  const { values: given } = parseArgs({ options });
  const first = numberIn('seed', given.seed ?? '1');
  return { ...given, first, count: numberIn('seeds', given.seeds ?? (given.seed === undefined ? '100' : '1')) };
}

function numberIn(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a number, not ${JSON.stringify(text)}`);
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const describe = (result: ScheduleResult): void => {
  const { seed, wrongs, story, trace } = result;
  const [first = '', ...others] = wrongs;
  if (wrongs.length > 0) {
    say(`seed ${seed} failed: ${first}${others.length > 0 ? ` (and ${others.length} more)` : ''}`);
    say(`  replay: npm run test:faults -- --seed ${seed} --story${values.bug ? ' --bug' : ''}`);
  }
  if (values.trace) for (const line of trace) say(`  ${line}`);
  if (values.story || values.trace)
    for (const line of [...story, ...wrongs.map((text) => `wrong: ${text}`)]) say(`  ${line}`);
};

/** What all schedules together have seen. */
const createTotal = () => {
  const total = { schedules: 0, failed: 0, steps: 0, virtualMs: 0 };
  const faults = new Map<string, number>();
  return {
    total,
    add(result: ScheduleResult): void {
      total.schedules += 1;
      total.failed += result.wrongs.length > 0 ? 1 : 0;
      total.steps += result.steps;
      total.virtualMs += result.virtualMs;
      for (const [fault, times] of Object.entries(result.faults)) faults.set(fault, (faults.get(fault) ?? 0) + times);
    },
    faults: () => [...faults].toSorted(([one], [other]) => (one < other ? -1 : 1)),
  };
};

const run = async (): Promise<number> => {
  const { first, count } = values;
  const log = createLogger({ level: values.trace ? 'debug' : 'silent' });
  const server = await startDatabase({
    clock: systemClock,
    random: systemRandom,
    searchPath: process.env['PATH'],
    settings: noVacuum,
  });
  const runner = await createScheduleRunner(server.url);
  const { total, add, faults } = createTotal();
  const startMs = performance.now();
  try {
    await runner.run({ first, count }, { bug: values.bug, log }, (result) => {
      describe(result);
      add(result);
    });
  } finally {
    await runner.stop();
    await server.stop();
  }
  const seconds = Math.round((performance.now() - startMs) / 1000);
  say(
    `${total.schedules} schedules from seed ${first}: ${total.failed} failed; ` +
      `${total.steps} calls, ${Math.round(total.virtualMs / 60_000)} virtual minutes, in ${seconds} s`,
  );
  say(
    `injected: ${faults()
      .map(([fault, times]) => `${fault} ${times}`)
      .join(', ')}`,
  );
  return total.failed > 0 ? 1 : 0;
};

if (values.help) process.stdout.write(HELP);
else process.exitCode = await run();
