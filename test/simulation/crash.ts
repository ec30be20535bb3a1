// `npm run test:crash`: kills the service at every call it makes, and sees that it makes good each time.
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startDatabase } from '../../src/sandbox/database.ts';
import { createGround, type Ground } from './crash-lane.ts';
import { parseTarget, runCrashPlan, targetText, type CrashPlan, type Outcome } from './crash-run.ts';
import { scenarios, type ScenarioName } from './crash-scenarios.ts';
import { halves, type Half } from './crash-crew.ts';

const scenarioNames = Object.keys(scenarios) as ScenarioName[]; // they are its keys
const halfNames = Object.keys(halves) as Half[]; // they are its keys
/** Every call of `all` is one of `both` too, so that it is left out unless it is named. */
const usualHalves = halfNames.filter((half) => half !== 'all');

const HELP = `Kills the service with SIGKILL before and after every call it makes, starts it again, and sees that everything agrees.

npm run test:crash -- [options]
  --scenario <name>  only ${scenarioNames.join(', ')}; may be given several times
  --half <name>      what dies: ${halfNames.join(', ')}; may be given several times; all but the last unless given
  --only <point>     only this kill point, such as 'backend: sql commit #1 after'; needs one --scenario and one --half
  --lanes <n>        trials side by side, 6 unless given
  --help             this text

Ends with 1 when something did not converge, and says how to see it again.
`;

/** What is wrong with the command line. */
class Misuse extends Error {}

interface Wish {
  readonly scenarios: readonly ScenarioName[];
  readonly halves: readonly Half[];
  readonly only: CrashPlan['only'];
  readonly lanes: number;
}

/** Reads the command line; undefined when help is asked for. @throws Misuse */
const readWish = (args: readonly string[]): Wish | undefined => {
  const { scenario, half, only, lanes, help } = parse(args);
  if (help) return undefined;
  const wish = {
    scenarios: oneOf('--scenario', scenario, scenarioNames),
    halves: oneOf('--half', half ?? usualHalves, halfNames),
    only: only === undefined ? undefined : parseTarget(only),
    lanes: Number(lanes),
  };
  if (only !== undefined && !wish.only) {
    throw new Misuse(`--only must be a kill point such as 'backend: sql commit #1 after', not '${only}'`);
  }
  if (wish.only && (wish.scenarios.length !== 1 || wish.halves.length !== 1)) {
    throw new Misuse('--only needs one --scenario and one --half');
  }
  if (!Number.isInteger(wish.lanes) || wish.lanes < 1 || wish.lanes > 32) {
    throw new Misuse(`--lanes must be a whole number from 1 to 32, not '${lanes}'`);
  }
  return wish;
};

const parse = (args: readonly string[]) => {
  const several = { type: 'string', multiple: true } as const;
  const options = {
    scenario: several,
    half: several,
    only: { type: 'string' },
    lanes: { type: 'string', default: '6' },
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new Misuse((error as Error).message); // parseArgs throws nothing else
  }
};

const oneOf = <T extends string>(flag: string, given: readonly string[] | undefined, names: readonly T[]) => {
  const wrong = given?.find((one) => !names.some((name) => name === one));
  if (wrong !== undefined) throw new Misuse(`${flag} must be one of ${names.join(', ')}, not '${wrong}'`);
  return names.filter((name) => given?.includes(name) ?? true);
};

const write = (text: string): void => void process.stdout.write(`${text}\n`);

/** What died, and how it is seen again. */
const failureText = (half: Half, { scenario, target, result }: Outcome): string =>
  'error' in result
    ? [
        `FAILED ${scenario}, ${half}, killed at ${targetText(target)}: ${result.error}`,
        `  again: npm run test:crash -- --scenario ${scenario} --half ${half} --only '${targetText(target)}'`,
        ...result.log.split('\n').map((line) => `  | ${line}`),
      ].join('\n')
    : '';

/** One line for a scenario and half, and one for each kill point that was not reached. */
const summaryOf = (half: Half, scenario: ScenarioName, outcomes: readonly Outcome[]): string => {
  const mine = outcomes.filter((outcome) => outcome.scenario === scenario);
  const trials = mine.flatMap(({ result }) => ('error' in result ? [] : [result]));
  const died = trials.filter(({ reached }) => reached);
  const calls = new Set(mine.map(({ target }) => targetText(target).replace(/ (before|after)$/, '')));
  const slowest = Math.max(0, ...died.map(({ afterMs }) => afterMs));
  const slow = mine.find(({ result }) => 'afterMs' in result && result.afterMs === slowest);
  const missed = mine.filter(({ result }) => 'reached' in result && !result.reached);
  return [
    `${scenario.padEnd(10)} ${half.padEnd(8)} N = ${String(calls.size).padStart(3)} calls: ` +
      `killed ${died.length} times and converged, ${mine.length - trials.length} failed, ` +
      `${missed.length} not reached; slowest ${(slowest / 1000).toFixed(1)} s` +
      (slow ? ` (${targetText(slow.target)})` : ''),
    ...missed.map(({ target }) => `  not reached, converged: ${targetText(target)}`),
  ].join('\n');
};

/** Overwrites the last line of a terminal; anything else shows none. */
const showProgress = (text: string): void => void (process.stderr.isTTY && process.stderr.write(`\r${text}\r`));

/** Runs what is wished for. True when all of it converged. */
const runWish = async (ground: Ground, wish: Wish): Promise<boolean> => {
  let converged = true;
  for (const half of wish.halves) {
    let tried = 0;
    const outcomes = await runCrashPlan(ground, { ...wish, half }, (outcome) => {
      showProgress(`${half}: ${(tried += 1)} kill points tried`);
      if ('reached' in outcome.result) return;
      converged = false;
      write(failureText(half, outcome));
    });
    for (const scenario of wish.scenarios) write(summaryOf(half, scenario, outcomes));
  }
  return converged;
};

const main = async (args: readonly string[]): Promise<number> => {
  const wish = readWish(args);
  if (!wish) {
    process.stdout.write(HELP);
    return 0;
  }
  const startMs = performance.now();
  const platform = { clock: systemClock, random: systemRandom };
  const searchPath = process.env['PATH'];
  const database = await startDatabase({
    ...platform,
    searchPath,
    settings: { max_connections: '500' },
  });
  try {
    await using ground = await createGround(database.url);
    const converged = await runWish(ground, wish);
    write(
      `${converged ? 'All converged' : 'NOT all converged'}, after ${Math.round((performance.now() - startMs) / 1000)} s.`,
    );
    return converged ? 0 : 1;
  } finally {
    await database.stop();
  }
};

/** What went wrong first, where giving things back went wrong as well. */
const firstOf = (error: unknown): unknown => (error instanceof SuppressedError ? firstOf(error.suppressed) : error);

const complaintOf = (error: unknown): string => {
  if (error instanceof Misuse) return `${error.message} (--help tells more)`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error); // a defect: its stack helps
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`test:crash: ${complaintOf(firstOf(error))}\n`);
  process.exitCode = 1;
}
