// Some make trouble: do the others feel it? Each scenario compares two stretches of one run.
import { applicationNameFor } from '../../../src/api/labels.ts';
import { sleep, systemClock } from '../../../src/lib/clock.ts';
import { prepareFlood } from '../flood.ts';
import { latencies, percentile, type Figures } from '../figures.ts';
import { atOnce, atRate, forTime } from '../pace.ts';
import type { Bench, Scenario } from '../scenario.ts';
import { at, type Fleet, type User } from '../user.ts';
import type { World } from '../world.ts';

/** Quiet tenants; each changes its deployments in turn, one a second. Enough of them that a p99 is not a single sample. */
const QUIET = { deployments: 40, namespaces: 10 };
/** What is measured first is else slower than what is measured second. */
const WARM_UP_MS = 5_000;
const STUCK = { deployments: 20, namespaces: 20 };

const compared = (name: string, alone: readonly number[], beside: readonly number[]): Figures => ({
  ...latencies('alone', alone),
  ...latencies(name, beside),
  'ratio.p50': percentile(beside, 0.5) / percentile(alone, 0.5),
  'ratio.p99': percentile(beside, 0.99) / percentile(alone, 0.99),
});

/** One tenant creates a great many at once. */
export const noisy: Scenario = {
  name: 'noisy',
  summary: 'one tenant creates --flood deployments at once while ten others each change one a second',
  inAll: true,
  async run(bench) {
    const { world, user, floor, load } = bench;
    const quiet = await user.prepare(QUIET);
    await atOnce(quiet, (member) => user.create(member));
    const perSecond = QUIET.namespaces;
    const change = (goesOn: (index: number) => boolean): Promise<number[]> =>
      atRate({ perSecond, goesOn, signal: world.signal }, (index) => user.change(at(quiet, index)));
    await change(forTime(WARM_UP_MS, perSecond));
    const alone = await change(forTime(load.forMs, perSecond));

    bench.say(`flood of ${load.flood}`);
    const flood = await user.prepare({ deployments: load.flood, namespaces: 1 });
    await using neighbour = await prepareFlood(world, flood, load.floodAtOnce);
    const startMs = systemClock.monotonicMs();
    let over = false;
    const flooding = neighbour.begin().finally(() => (over = true));
    const goesOn = (index: number): boolean => index < perSecond || !over;
    const [beside, floors] = await Promise.all([
      change(goesOn),
      atRate({ perSecond: 2, goesOn, signal: world.signal }, async () => {
        const ms = await floor.measure();
        return { seen: Promise.resolve(ms) };
      }),
      flooding,
    ]);
    const seconds = (systemClock.monotonicMs() - startMs) / 1000;
    await removeAll(world, user, [...quiet, ...flood]);
    return {
      ...compared('beside', alone, beside),
      ...latencies('floorBeside', floors),
      'flood.created': flood.length,
      'flood.perSecond': flood.length / seconds,
    };
  },
};

/** Some deletions can't end, because somebody's finalizer holds their Applications. */
export const stuck: Scenario = {
  name: 'stuck',
  summary: 'changes deployments at --rate a second, first alone, then beside 20 deletions that cannot end',
  inAll: true,
  async run(bench) {
    const { world, user, load } = bench;
    const fleet = await bench.fleet();
    const held = await user.prepare(STUCK);
    await atOnce(held, (member) => user.create(member));
    const change = (forMs: number): Promise<number[]> =>
      atRate({ perSecond: load.rate, goesOn: forTime(forMs, load.rate), signal: world.signal }, (index) =>
        user.change(at(fleet, index)),
      );
    await change(WARM_UP_MS);
    const alone = await change(load.forMs);
    await Promise.all(applicationsOf(world, held).map((application) => world.argoCd.hold(application)));
    const removed = held.map((member) => user.remove(member));
    await untilDeleting(bench, held);
    const beside = await change(load.forMs);
    const stillHeld = applicationsOf(world, held).length;
    await Promise.all(applicationsOf(world, held).map((application) => world.argoCd.release(application)));
    for (const sent of removed) await (await sent).seen;
    return { held: stillHeld, ...compared('beside', alone, beside) };
  },
};

const applicationsOf = (world: World, fleet: Fleet) =>
  fleet.flatMap(({ uid }) => world.applications.get(`${world.argocdNamespace}/${applicationNameFor(uid)}`) ?? []);

const LOOK_EVERY_MS = 50;

const untilDeleting = async ({ world }: Bench, fleet: Fleet): Promise<void> => {
  while (applicationsOf(world, fleet).some(({ metadata }) => metadata.deletionTimestamp === undefined)) {
    await sleep(systemClock, LOOK_EVERY_MS, world.signal);
  }
};

const removeAll = async (world: World, user: User, fleet: Fleet): Promise<void> => {
  await atOnce(fleet, (member) => user.remove(member));
  world.takeStatusLatencies();
};
