// One schedule from its seed: users act while things fail; then all is calm, and everything has to agree.
import { silentLog } from '../kit/captured-log.ts';
import type { Logger } from '../../src/lib/log.ts';
import { seededRandom, type Random } from '../../src/lib/random.ts';
import { createLies } from './bug.ts';
import type { SimulationDatabase } from './database.ts';
import type { HalfName } from './half.ts';
import { disagreements } from './oracle.ts';
import { makeGood } from './script-outside.ts';
import { createUser, type User } from './script.ts';
import { createSimulatedWorld, type SimulatedWorld } from './world.ts';

/** What became of a schedule. */
export interface ScheduleResult {
  readonly seed: number;
  /** What is wrong, one sentence each. */
  readonly wrongs: readonly string[];
  /** What users did, and what befell the processes. */
  readonly story: readonly string[];
  /** The last calls, in their order. */
  readonly trace: readonly string[];
  readonly steps: number;
  readonly virtualMs: number;
  readonly faults: Readonly<Record<string, number>>;
}

/** How a schedule is run. */
export interface ScheduleOptions {
  readonly seed: number;
  readonly database: SimulationDatabase;
  readonly bug?: boolean;
  readonly log?: Logger;
}

const SHORTEST_MS = 20_000;
const LONGEST_MS = 120_000;
/** Within this the world has to come to rest: many times the longest backoff and resync together. */
const CONVERGES_WITHIN_MS = 30 * 60_000;
/** Between two looks at whether it has. */
const LOOK_MS = 70_000;
/** A resync of each half, in which nothing may be written. */
const QUIET_MS = 70_000;

/** Runs the schedule of a seed. */
export const runSchedule = async (options: ScheduleOptions): Promise<ScheduleResult> => {
  const { seed, database, bug = false, log = silentLog } = options;
  const random = seededRandom(seed * 64);
  const faultyMs = SHORTEST_MS + random.next() * (LONGEST_MS - SHORTEST_MS);
  const world = await createSimulatedWorld({ seed, database, log, faultyMs, bug: bug ? createLies(seed) : undefined });
  const story: string[] = [];
  const tell = (text: string): void => void story.push(`${(world.clock.monotonicMs() / 1000).toFixed(3)} ${text}`);
  try {
    const user = createUser({ ...world, random });
    await live(world, { user, random, tell, faultyMs });
    const wrongs = await comeToRest(world, tell);
    return {
      seed,
      wrongs: [...world.recorder.wrongs, ...wrongs],
      story,
      trace: world.stepper.trace,
      steps: world.stepper.steps,
      virtualMs: world.clock.monotonicMs(),
      faults: world.faults.counts,
    };
  } finally {
    await world.stop();
  }
};

interface Life {
  readonly user: User;
  readonly random: Random;
  readonly tell: (text: string) => void;
  readonly faultyMs: number;
}

const halfNames: readonly HalfName[] = ['backend', 'agent'];

/** The time in which users act and things fail. */
const live = async (world: SimulatedWorld, life: Life): Promise<void> => {
  const { clock, stepper, faults } = world;
  const { user, random, tell, faultyMs } = life;
  const gate = stepper.gateOf('users');
  const events = createEvents(life);
  for (const half of halfNames) world.start(half);
  let acting: Promise<void> | undefined;
  const act = async (): Promise<void> => {
    for (let left = Math.floor(random.next() * 4); left >= 0; left -= 1) {
      const thinks = Math.floor(random.next() * 12);
      for (let turn = 0; turn < thinks; turn += 1) await gate({ to: 'api', name: 'think' }, async () => undefined);
      await gate({ to: 'api', name: 'act' }, async () => tell(await user.act()));
    }
    acting = undefined;
  };
  while (clock.monotonicMs() < faultyMs || acting) {
    const nowMs = clock.monotonicMs();
    if (!acting && events.actsAt(nowMs)) acting = act();
    for (const befall of events.befallsAt(nowMs)) tell(await befall(world));
    await stepper.step();
  }
  faults.stop();
  world.argoCd.calm();
  await stepper.idle(); // what is done at once, past all gates, is done between two steps
  await makeGood(world);
  for (const half of halfNames) {
    world.halves.get(half)?.clock.jump(0);
    world.start(half);
  }
  tell('calm');
};

const goOn = async ({ clock, stepper }: SimulatedWorld, ms: number): Promise<void> => {
  for (const untilMs = clock.monotonicMs() + ms; clock.monotonicMs() < untilMs;) await stepper.step();
};

/** Waits until all agree, and then that nothing is written any more. Says what does not agree in the end. */
const comeToRest = async (world: SimulatedWorld, tell: (text: string) => void): Promise<readonly string[]> => {
  const { clock, stepper, database, recorder } = world;
  const look = async (): Promise<readonly string[]> => {
    await stepper.idle();
    return disagreements(world);
  };
  const untilMs = clock.monotonicMs() + CONVERGES_WITHIN_MS;
  let told = '';
  for (;;) {
    await goOn(world, LOOK_MS);
    const wrongs = await look();
    if (recorder.wrongs.length > 0 || (wrongs.length > 0 && clock.monotonicMs() > untilMs)) return wrongs;
    if (wrongs.length === 0) break;
    if (wrongs.join() !== told) tell(`not yet: ${wrongs.join('; ')}`);
    told = wrongs.join();
  }
  tell('agreed');
  const before = { rows: await database.fingerprint(), requests: world.writes };
  await goOn(world, QUIET_MS);
  await stepper.idle();
  const after = { rows: await database.fingerprint(), requests: world.writes };
  const writes = [
    ...(before.rows === after.rows
      ? []
      : [`rows were written although all agreed: ${difference(before.rows, after.rows)}`]),
    ...(before.requests === after.requests
      ? []
      : [`${after.requests - before.requests} requests wrote although all agreed`]),
  ];
  return [...writes, ...(await look())];
};

/** The lines of one text that the other has not, and the other way round. */
const difference = (before: string, after: string): string => {
  const [were, are] = [before.split('\n'), after.split('\n')];
  const gone = were.filter((line) => !are.includes(line)).map((line) => `-${line}`);
  const come = are.filter((line) => !were.includes(line)).map((line) => `+${line}`);
  return [...gone, ...come].join(', ');
};

/** When users act, and when processes are ended, started again, or have their clocks moved. */
const createEvents = ({ random, faultyMs }: Life) => {
  const times = (most: number): number[] =>
    Array.from({ length: Math.floor(random.next() * (most + 1)) }, () => random.next() * faultyMs).toSorted(
      (one, other) => one - other,
    );
  const acts = [100, ...times(12)];
  const befalls = times(4).map((atMs) => ({ atMs, run: createBefall(random) }));
  return {
    actsAt(nowMs: number): boolean {
      const [next] = acts;
      if (next === undefined || next > nowMs) return false;
      acts.shift();
      return true;
    },
    befallsAt(nowMs: number): readonly Befall[] {
      const due = befalls.filter(({ atMs }) => atMs <= nowMs);
      befalls.splice(0, due.length);
      return due.map(({ run }) => run);
    },
  };
};

/** Something that happens to a process; says what. */
type Befall = (world: SimulatedWorld) => Promise<string>;

const LONGEST_AWAY_MS = 30_000;
const FARTHEST_JUMP_MS = 300_000;

const createBefall = (random: Random): Befall => {
  const half = halfNames[Math.floor(random.next() * 2)] ?? 'backend';
  const kind = random.next();
  const awayMs = random.next() < 0.5 ? 0 : random.next() * LONGEST_AWAY_MS;
  const jumpMs = Math.round((random.next() * 2 - 1) * FARTHEST_JUMP_MS);
  return async (world) => {
    if (kind < 0.5) return end(world, half, { how: 'kill', awayMs });
    if (kind < 0.65) return end(world, half, { how: 'stop', awayMs });
    if (kind < 0.8) {
      world.halves.get(half)?.clock.jump(jumpMs);
      return `the clock of ${half} jumps by ${jumpMs} ms`;
    }
    const running = world.halves.get(half);
    if (!running) return `no ${half}`;
    await world.stepper.idle();
    await world.database.endSessions(...running.sessions);
    return `the sessions of ${running.actor} are ended`;
  };
};

const end = async (
  world: SimulatedWorld,
  half: HalfName,
  { how, awayMs }: { readonly how: 'stop' | 'kill'; readonly awayMs: number },
): Promise<string> => {
  await world.end(half, how);
  world.clock.after(awayMs, () => world.start(half));
  return `${how} ${half}, away for ${Math.round(awayMs)} ms`;
};
