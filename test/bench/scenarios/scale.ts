// Does a deployment cost more when there are many?
import { costFigures } from '../cost-figures.ts';
import { latencies, prefixed, type Figures } from '../figures.ts';
import type { Cost } from '../meter.ts';
import { atOnce, atRate, forTime } from '../pace.ts';
import type { Bench, Scenario } from '../scenario.ts';
import { at, type Fleet } from '../user.ts';

const DEPLOYMENTS_PER_NAMESPACE = 10;

/** Creates so many more at once. */
const grow = async (bench: Bench, deployments: number): Promise<{ readonly fleet: Fleet; readonly cost: Cost }> => {
  const { user, meter } = bench;
  const namespaces = Math.ceil(deployments / DEPLOYMENTS_PER_NAMESPACE);
  const fleet = await user.prepare({ deployments, namespaces });
  const cost = await meter.around(() => atOnce(fleet, (member) => user.create(member)));
  return { fleet, cost };
};

/** The first tenth is measured, the last tenth, and the size of both halves at the end. */
export const scale: Scenario = {
  name: 'scale',
  summary: 'creates --scale-to deployments, ten in a namespace, and compares the cost of the last tenth with the first',
  inAll: false,
  async run(bench) {
    const { user, world, load } = bench;
    await bench.clear();
    const tenth = Math.ceil(load.scaleTo / 10);
    await grow(bench, Math.ceil(tenth / 5)); // the first of a new process cost more
    const first = await grow(bench, tenth);
    for (let step = 2; step < 10; step += 1) {
      bench.say(`${step * tenth} of ${load.scaleTo}`);
      const namespaces = Math.ceil(tenth / DEPLOYMENTS_PER_NAMESPACE);
      await atOnce(await user.prepare({ deployments: tenth, namespaces }), (member) => user.create(member));
    }
    const last = await grow(bench, tenth);
    const { memory } = last.cost;
    bench.say('changes with all of them there');
    const pace = { perSecond: load.rate, goesOn: forTime(load.forMs, load.rate), signal: world.signal };
    const samples = await atRate(pace, (index) => user.change(at(last.fleet, index)));
    const few = perDeployment(first.cost, tenth);
    const many = perDeployment(last.cost, tenth);
    return {
      deployments: world.applications.size,
      ...latencies('application', samples),
      memoryMiB: memory.backend.rssMiB + memory.agent.rssMiB,
      'memory.backend.rssMiB': memory.backend.rssMiB,
      'memory.agent.rssMiB': memory.agent.rssMiB,
      ...prefixed('few', few),
      ...prefixed('many', many),
      'ratio.cpu': (many['cpuMs'] ?? NaN) / (few['cpuMs'] ?? NaN),
      'ratio.sql': (many['sql'] ?? NaN) / (few['sql'] ?? NaN),
      'ratio.api': (many['api'] ?? NaN) / (few['api'] ?? NaN),
    };
  },
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
