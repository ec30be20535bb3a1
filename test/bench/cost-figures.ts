// A cost as figures: for each deployment, and for each process.
import type { Figures } from './figures.ts';
import type { Cost } from './meter.ts';

/** Requests that are not part of a deployment's way: told apart. */
const apart: Readonly<Record<string, RegExp>> = {
  leases: / leases$/,
  events: / events$/,
  watches: /^watch /,
};

const sumOf = (requests: Readonly<Record<string, number>>, wanted: (name: string) => boolean): number =>
  Object.entries(requests).reduce((sum, [name, count]) => sum + (wanted(name) ? count : 0), 0);

const isApart = (name: string): boolean => Object.values(apart).some((pattern) => pattern.test(name));

/** The figures of a cost that `count` deployments have caused. */
export const costFigures = (cost: Cost, count: number): Figures => {
  const { requests, memory } = cost;
  const counted = Object.keys(requests).length > 0;
  const onTheWay = sumOf(requests, (name) => !isApart(name));
  return {
    sqlPerDeployment: cost.transactions / count,
    'sql.asked': cost.ownTransactions / count,
    'sql.notifications': (cost.transactions - cost.ownTransactions) / count,
    ...(counted && {
      apiPerDeployment: (onTheWay - cost.firstStatuses) / count,
      'api.firstStatus': cost.firstStatuses / count,
      ...Object.fromEntries(
        Object.entries(apart).map(([name, pattern]) => [
          `api.${name}`,
          sumOf(requests, (request) => pattern.test(request)) / count,
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(requests)
          .filter(([name, requested]) => !isApart(name) && requested > 0)
          .map(([name, requested]) => [`api.${name}`, requested / count]),
      ),
    }),
    ...(!counted &&
      Object.fromEntries(Object.entries(cost.ownRequests).map(([name, sent]) => [`api.${name}`, sent / count]))),
    ...Object.fromEntries(
      Object.entries(cost.statements)
        .filter(([, ran]) => ran > 0)
        .toSorted(([, one], [, other]) => other - one)
        .map(([name, ran]) => [`sql.${name}`, ran / count]),
    ),
    ...Object.fromEntries(
      Object.entries(cost.cpuSeconds).map(([name, seconds]) => [
        `cpu.${name}.msPerDeployment`,
        (seconds * 1000) / count,
      ]),
    ),
    'memory.backend.rssMiB': memory.backend.rssMiB,
    'memory.backend.peakMiB': memory.backend.peakMiB,
    'memory.agent.rssMiB': memory.agent.rssMiB,
    'memory.agent.peakMiB': memory.agent.peakMiB,
  };
};
