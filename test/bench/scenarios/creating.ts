// Deployments are created, at a rate or all at once.
import { latencies, type Figures } from '../figures.ts';
import { atOnce, atRate } from '../pace.ts';
import type { Bench, Scenario } from '../scenario.ts';
import { costFigures } from '../cost-figures.ts';
import { at, type Fleet } from '../user.ts';

const create = async (bench: Bench, send: (fleet: Fleet) => Promise<number[]>): Promise<Figures> => {
  const { world, user, load } = bench;
  await bench.clear();
  const fleet = await user.prepare(load);
  world.takeStatusLatencies();
  let samples: number[] = [];
  const cost = await bench.meter.around(async () => (samples = await send(fleet)));
  bench.setFleet(fleet);
  return {
    created: fleet.length,
    ...latencies('application', samples),
    ...latencies('status', world.takeStatusLatencies()),
    perSecond: (fleet.length * 1000) / cost.ms,
    ...costFigures(cost, fleet.length),
  };
};

/** New deployments at a steady rate. */
export const steady: Scenario = {
  name: 'steady',
  summary: 'creates the deployments at --rate a second, spread over the namespaces',
  inAll: true,
  async run(bench) {
    const { user, load, world } = bench;
    return create(bench, (fleet) => {
      const goesOn = (index: number): boolean => index < fleet.length;
      return atRate({ perSecond: load.rate, goesOn, signal: world.signal }, (index) => user.create(at(fleet, index)));
    });
  },
};

/** New deployments all at once. */
export const burst: Scenario = {
  name: 'burst',
  summary: 'creates all deployments at once',
  inAll: true,
  async run(bench) {
    return create(bench, (fleet) => atOnce(fleet, (member) => bench.user.create(member)));
  },
};
