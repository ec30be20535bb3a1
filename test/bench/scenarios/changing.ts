// Deployments that are there are changed, reported on, deleted, or left alone.
import { applicationNameFor } from '../../../src/api/labels.ts';
import { costFigures } from '../cost-figures.ts';
import { latencies } from '../figures.ts';
import { atOnce, atRate, forTime } from '../pace.ts';
import type { Bench, Scenario } from '../scenario.ts';
import { at } from '../user.ts';
import { statusSight } from '../eyes.ts';
import { countLeft } from '../left.ts';

/** Every deployment gets another path. */
export const update: Scenario = {
  name: 'update',
  summary: 'changes the path of all deployments at once',
  inAll: true,
  async run(bench) {
    const fleet = await bench.fleet();
    let samples: number[] = [];
    const cost = await bench.meter.around(
      async () => (samples = await atOnce(fleet, (member) => bench.user.change(member))),
    );
    return {
      changed: fleet.length,
      ...latencies('application', samples),
      perSecond: (fleet.length * 1000) / cost.ms,
      ...costFigures(cost, fleet.length),
    };
  },
};

/** Argo CD has news. */
export const status: Scenario = {
  name: 'status',
  summary: 'changes the status of --rate Applications a second',
  inAll: true,
  async run(bench) {
    const { world, load } = bench;
    const fleet = await bench.fleet();
    const report = async (index: number): Promise<void> => {
      const name = applicationNameFor(at(fleet, index).uid);
      const application = world.applications.get(`${world.argocdNamespace}/${name}`);
      if (!application) throw new Error(`${name} is gone`);
      const revision = await world.argoCd.report(application);
      await world.sights.seen(statusSight(name, revision));
    };
    const goesOn = forTime(load.forMs, load.rate);
    world.takeStatusLatencies();
    let count = 0;
    const cost = await bench.meter.around(async () => {
      const pace = { perSecond: load.rate, goesOn, signal: world.signal };
      const samples = await atRate(pace, async (index) => ({ seen: report(index).then(() => 0) }));
      count = samples.length;
    });
    return { reported: count, ...latencies('status', world.takeStatusLatencies()), ...costFigures(cost, count) };
  },
};

/** Everything is deleted. */
export const removal: Scenario = {
  name: 'delete',
  summary: 'deletes all deployments at once',
  inAll: true,
  async run(bench) {
    const fleet = await bench.fleet();
    let samples: number[] = [];
    const cost = await bench.meter.around(
      async () => (samples = await atOnce(fleet, (member) => bench.user.remove(member))),
    );
    bench.setFleet(undefined);
    return {
      deleted: fleet.length,
      ...latencies('gone', samples),
      perSecond: (fleet.length * 1000) / cost.ms,
      left: await countLeft(bench.world),
      ...costFigures(cost, fleet.length),
    };
  },
};

/** Nobody wants anything. */
export const idle: Scenario = {
  name: 'idle',
  summary: 'looks on for the time of --for while nothing happens',
  inAll: true,
  async run(bench: Bench) {
    await bench.fleet();
    const cost = await bench.meter.idle(bench.load.forMs);
    const seconds = cost.ms / 1000;
    const requests = Object.entries(cost.requests).filter(([name, count]) => count > 0 && !name.endsWith(' leases'));
    return {
      sqlPerSecond: cost.transactions / seconds,
      apiPerSecond: requests.reduce((sum, [, count]) => sum + count, 0) / seconds,
      ...Object.fromEntries(
        Object.entries(cost.cpuSeconds).map(([name, used]) => [`cpu.${name}.percent`, (100 * used) / seconds]),
      ),
      'memory.backend.rssMiB': cost.memory.backend.rssMiB,
      'memory.agent.rssMiB': cost.memory.agent.rssMiB,
    };
  },
};
