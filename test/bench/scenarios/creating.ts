// Deployments are created, at a rate or all at once.
import { latencies, type Figures } from '../figures.ts';
import type { Cost } from '../meter.ts';
import { atOnce, atRate } from '../pace.ts';
import type { Bench, Scenario } from '../scenario.ts';
import { costFigures } from '../cost-figures.ts';
import type { Fleet } from '../user.ts';

const create = async (
  bench: Bench,
  send: (fleet: Fleet) => Promise<number[]>,
): Promise<{ readonly cost: Cost; readonly figures: Figures }> => {
  const { world, user, load } = bench;
  const fleet = await user.prepare(load);
  world.takeStatusLatencies();
  let samples: number[] = [];
  const cost = await bench.meter.around(async () => (samples = await send(fleet)));
  bench.setFleet(fleet);
  const figures = {
    created: fleet.length,
    ...latencies('application', samples),
    ...latencies('status', world.takeStatusLatencies()),
    perSecond: (fleet.length * 1000) / cost.ms,
    ...costFigures(cost, fleet.length),
  };
  return { cost, figures };
};

/** New deployments at a steady rate. */
export const steady: Scenario = {
  name: 'steady',
  summary: 'creates the deployments at --rate a second, spread over the namespaces',
  inAll: true,
  async run(bench) {
    const { user, load, world } = bench;
    const options = { perSecond: load.rate, signal: world.signal };
    const { figures } = await create(bench, (fleet) => atRate(fleet, options, (member) => user.create(member)));
    return figures;
  },
};

/** New deployments all at once. */
export const burst: Scenario = {
  name: 'burst',
  summary: 'creates all deployments at once',
  inAll: true,
  async run(bench) {
    const { figures } = await create(bench, (fleet) => atOnce(fleet, (member) => bench.user.create(member)));
    return figures;
  },
};
