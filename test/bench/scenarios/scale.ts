// Does a deployment cost more when there are many?
import { costFigures } from '../cost-figures.ts';
import { latencies, prefixed, type Figures } from '../figures.ts';
import type { Cost } from '../meter.ts';
import { atOnce, atRate, forTime } from '../pace.ts';
import type { Bench, Scenario } from '../scenario.ts';
import { at, type Fleet } from '../user.ts';

const DEPLOYMENTS_PER_NAMESPACE = 10;

/** The first tenth is measured, the last tenth, and the size of both halves at the end. */
export const scale: Scenario = {
  name: 'scale',
  summary: 'creates --scale-to deployments, ten in a namespace, and compares the cost of the last tenth with the first',
  inAll: false,
  async run(bench) {
    const { user, meter, load, say } = bench;
    await bench.clear();
    const tenth = Math.ceil(load.scaleTo / 10);
    const fleets: Fleet[] = [];
    const grow = async (deployments = tenth): Promise<void> => {
      const namespaces = Math.ceil(deployments / DEPLOYMENTS_PER_NAMESPACE);
      const fleet = await user.prepare({ deployments, namespaces });
      fleets.push(fleet);
      await atOnce(fleet, (member) => user.create(member));
      say(`${fleets.flat().length} deployments`);
    };
    await grow(Math.ceil(tenth / 5)); // the first of a new process cost more
    const first = await meter.around(() => grow());
    for (let step = 2; step < 10; step += 1) await grow();
    const last = await meter.around(() => grow());
    bench.setFleet(fleets.flat());
    say('changes with all of them there');
    return {
      deployments: fleets.flat().length,
      ...latencies('application', await change(bench, fleets.flat())),
      memoryMiB: last.memory.backend.rssMiB + last.memory.agent.rssMiB,
      peakMiB: last.memory.backend.peakMiB + last.memory.agent.peakMiB,
      'memory.backend.rssMiB': last.memory.backend.rssMiB,
      'memory.agent.rssMiB': last.memory.agent.rssMiB,
      ...compared(perDeployment(first, tenth), perDeployment(last, tenth)),
    };
  },
};

const change = ({ user, world, load }: Bench, fleet: Fleet): Promise<number[]> => {
  const pace = { perSecond: load.rate, goesOn: forTime(load.forMs, load.rate), signal: world.signal };
  return atRate(pace, (index) => user.change(at(fleet, index)));
};

const compared = (few: Figures, many: Figures): Figures => {
  const ratio = (name: string): number => (many[name] ?? NaN) / (few[name] ?? NaN);
  return {
    ...prefixed('few', few),
    ...prefixed('many', many),
    'ratio.cpu': ratio('cpuMs'),
    'ratio.sql': ratio('sql'),
    'ratio.api': ratio('api'),
  };
};

const perDeployment = (cost: Cost, count: number): Figures => {
  const figures = costFigures(cost, count);
  const cpu = (name: string): number => figures[`cpu.${name}.msPerDeployment`] ?? NaN;
  return {
    cpuMs: cpu('backend') + cpu('agent'),
    sql: figures['sqlPerDeployment'] ?? NaN,
    api: figures['apiPerDeployment'] ?? NaN,
    perSecond: (count * 1000) / cost.ms,
  };
};
