// One run: the scenarios one after the other in one world.
import { latencies, prefixed, type Figures } from './figures.ts';
import { createFloor } from './floor.ts';
import { createMeter } from './meter.ts';
import { atOnce } from './pace.ts';
import type { Bench, Load, Scenario } from './scenario.ts';
import { createUser, type Fleet } from './user.ts';
import type { World } from './world.ts';

const WARM_UP = { deployments: 60, namespaces: 20 };
const FLOORS = 100;
/** The first requests of a connection are slower. */
const FLOORS_TO_WARM_UP = 20;

/** Runs scenarios. Gives the figures of all of them, and the floor's. */
export const runScenarios = async (
  world: World,
  options: {
    readonly scenarios: readonly Scenario[];
    readonly load: Load;
    /** Whether each SQL statement is counted too. */
    readonly profileSql: boolean;
    readonly statisticsMs: number;
    readonly say: (line: string) => void;
  },
): Promise<Figures> => {
  const { scenarios, load, profileSql, statisticsMs, say } = options;
  const user = createUser(world);
  const floor = await createFloor(world);
  let present: Fleet | undefined;
  const setFleet: Bench['setFleet'] = (fleet) => void (present = fleet);
  const fleet = async (): Promise<Fleet> => {
    if (present) return present;
    say(`creating ${load.deployments} deployments to begin with`);
    present = await user.prepare(load);
    await atOnce(present, (member) => user.create(member));
    return present;
  };
  const clear = async (): Promise<void> => {
    if (!present) return;
    say(`deleting ${present.length} deployments`);
    await atOnce(present, (member) => user.remove(member));
    present = undefined;
  };
  const bench: Bench = {
    world,
    user,
    meter: createMeter(world, { statements: profileSql, statisticsMs }),
    floor,
    load,
    fleet,
    clear,
    setFleet,
    say,
  };
  await warmUp(bench);
  let figures = await measureFloor(bench);
  for (const scenario of scenarios) {
    say(scenario.name);
    const found = prefixed(scenario.name, await scenario.run(bench));
    figures = { ...figures, ...found, ...ratios(scenario.name, found, figures) };
  }
  return figures;
};

/** A service that has just started first loads and translates its code, and opens its sessions. */
const warmUp = async ({ user, load, say }: Bench): Promise<void> => {
  say('warm-up');
  const fleet = await user.prepare({
    deployments: Math.min(load.deployments, WARM_UP.deployments),
    namespaces: Math.min(load.namespaces, WARM_UP.namespaces),
  });
  await atOnce(fleet, (member) => user.create(member));
  await atOnce(fleet, (member) => user.change(member));
  await atOnce(fleet, (member) => user.remove(member));
};

const measureFloor = async ({ floor, say }: Bench): Promise<Figures> => {
  say('floor');
  const samples: number[] = [];
  for (let count = 0; count < FLOORS_TO_WARM_UP + FLOORS; count += 1) samples.push(await floor.measure());
  return {
    ...latencies('floor', samples.slice(FLOORS_TO_WARM_UP)),
    'floor.writesPerSecond': await floor.writesPerSecond(),
  };
};

/** A scenario's latency to the Application, in floors: median by median and worst by worst. */
const ratios = (name: string, found: Figures, floor: Figures): Figures =>
  Object.fromEntries(
    ['p50', 'p90', 'p99'].flatMap((rank) => {
      const ms = found[`${name}.application.${rank}Ms`];
      return ms === undefined ? [] : [[`${name}.application.${rank}Floors`, ms / (floor[`floor.${rank}Ms`] ?? NaN)]];
    }),
  );
