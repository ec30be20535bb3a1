// What something costs: SQL transactions, API requests, CPU and memory, from a quiet moment to the next quiet moment.
import { sleep, systemClock } from '../../src/lib/clock.ts';
import type { RequestCounts } from './embedded-cluster.ts';
import { usageOf, type Usage } from './usage.ts';
import { benchAgent, type World } from './world.ts';

/** The processes that are looked at. */
export type ProcessName = 'backend' | 'agent' | 'apiserver' | 'postgresql' | 'driver';

/** What was used between two moments. */
export interface Cost {
  /** From the start until the work had ended, in milliseconds. */
  readonly ms: number;
  /** As PostgreSQL counts them: single statements too, and what it does itself to bring notifications to listeners. */
  readonly transactions: number;
  /** As the processes count them: what they have asked for. */
  readonly ownTransactions: number;
  /** The service's requests by name (`create operations`), as the API server counts them. Empty where it can't be asked. */
  readonly requests: Readonly<Record<string, number>>;
  /** The service's requests by process and method (`backend.POST`), as the processes count them, everything included. */
  readonly ownRequests: Readonly<Record<string, number>>;
  readonly cpuSeconds: Readonly<Partial<Record<ProcessName, number>>>;
  /** At the end. */
  readonly memory: Readonly<Record<'backend' | 'agent', Usage>>;
  /** GitOpsDeployment statuses that were written before Argo CD had said anything. */
  readonly firstStatuses: number;
  /** How often each statement ran, by `<process>.<statement>`. Empty unless asked for. */
  readonly statements: Readonly<Record<string, number>>;
}

/** Measures costs. */
export interface Meter {
  /** Runs something, and gives what it cost until everything was quiet again. */
  around(run: () => Promise<unknown>): Promise<Cost>;
  /** Looks on while nothing is asked of the service, and gives what it uses all the same. */
  idle(forMs: number): Promise<Cost>;
}

/** Nothing is asked for this long: then all is done. Longer than the delays with which the service gathers work. */
const QUIET_MS = 1_500;
const LOOK_EVERY_MS = 50;

/** How much is measured, and how patiently. */
export interface MeterOptions {
  /** Whether the statements are told apart. */
  readonly statements: boolean;
  /** How long the sessions of PostgreSQL are given to tell what they have counted. */
  readonly statisticsMs: number;
}

/** Creates the meter of a world. */
export const createMeter = (world: World, options: MeterOptions): Meter => {
  const gathered = (): Promise<void> => sleep(systemClock, options.statisticsMs, world.signal);
  const read = async () => ({
    statements: options.statements ? await countsOf(world, STATEMENT) : {},
    ownRequests: await countsOf(world, REQUEST),
    own: Object.values(await countsOf(world, TRANSACTION)).reduce((sum, count) => sum + count, 0),
    transactions: await world.database.transactions(),
    requests: ofService(await world.cluster.requests()),
    cpu: cpuOf(world),
  });
  let settledAt = '';
  const begin = async () => {
    if ((await workOf(world)) !== settledAt) {
      await quiet(world);
      await gathered();
    }
    world.takeFirstStatuses();
    return { ...(await read()), atMs: systemClock.monotonicMs() };
  };
  type Reading = Awaited<ReturnType<typeof read>>;
  const costOf = (before: Reading, after: Reading, ms: number): Cost => ({
    ms,
    transactions: after.transactions - before.transactions,
    ownTransactions: after.own - before.own,
    requests: difference(after.requests, before.requests),
    ownRequests: difference(after.ownRequests, before.ownRequests),
    cpuSeconds: difference(after.cpu, before.cpu),
    memory: { backend: usageOf(world.services.backend.pid), agent: usageOf(world.services.agent.pid) },
    firstStatuses: world.takeFirstStatuses(),
    statements: difference(after.statements, before.statements),
  });
  return {
    async around(run) {
      const before = await begin();
      await run();
      const ms = systemClock.monotonicMs() - before.atMs;
      await quiet(world);
      const after = await read();
      await gathered();
      settledAt = await workOf(world);
      return costOf(before, { ...after, transactions: await world.database.transactions() }, ms);
    },
    async idle(forMs) {
      await world.postgresql.setAutovacuum(false);
      const before = await begin();
      await sleep(systemClock, forMs, world.signal);
      const cost = costOf(before, await read(), systemClock.monotonicMs() - before.atMs);
      await world.postgresql.setAutovacuum(true);
      return cost;
    },
  };
};

/** Waits until neither the service nor Argo CD has anything left to do. */
const quiet = async (world: World): Promise<void> => {
  let last = '';
  let sinceMs = systemClock.monotonicMs();
  while (systemClock.monotonicMs() - sinceMs < QUIET_MS) {
    const now = `${world.argoCd.busy} ${await workOf(world)}`;
    if (now !== last) [last, sinceMs] = [now, systemClock.monotonicMs()];
    await sleep(systemClock, LOOK_EVERY_MS, world.signal);
  }
};

/** All that changes while there is work. Leases are renewed and watches opened also when there is none. */
const workOf = async (world: World): Promise<string> => {
  const requests = Object.entries(ofService(await world.cluster.requests()));
  return JSON.stringify([world.eventsSeen(), requests.filter(([name]) => !/ leases$|^watch /.test(name))]);
};

const ofService = (counts: RequestCounts = {}): Record<string, number> => {
  const sum: Record<string, number> = {};
  for (const [client, requests] of Object.entries(counts)) {
    if (client === benchAgent) continue;
    for (const [name, count] of Object.entries(requests)) sum[name] = (sum[name] ?? 0) + count;
  }
  return sum;
};

/** What the processes have counted themselves, by `<process>.<label>`. */
const countsOf = async ({ services }: World, counter: RegExp): Promise<Record<string, number>> => {
  const sums: Record<string, number> = {};
  for (const [name, service] of Object.entries(services)) {
    for (const [, label, count] of (await service.metrics()).matchAll(counter)) {
      sums[`${name}.${label}`] = (sums[`${name}.${label}`] ?? 0) + Number(count);
    }
  }
  return sums;
};

const REQUEST = /^rest_client_requests_total\{code=".*?",method="(.*?)"\} (\d+)$/gm;
const TRANSACTION = /^sql_transactions_total\{outcome="(.*?)"\} (\d+)$/gm;
const STATEMENT = /^sql_statement_duration_seconds_count\{statement="(.*?)"\} (\d+)$/gm;

const cpuOf = ({ cluster, services, postgresql }: World): Partial<Record<ProcessName, number>> => ({
  backend: usageOf(services.backend.pid).cpuSeconds,
  agent: usageOf(services.agent.pid).cpuSeconds,
  ...(cluster.pid !== undefined && { apiserver: usageOf(cluster.pid).cpuSeconds }),
  postgresql: postgresql.cpuSeconds(),
  driver: usageOf(process.pid).cpuSeconds,
});

const difference = <K extends string>(
  after: Readonly<Partial<Record<K, number>>>,
  before: Readonly<Partial<Record<K, number>>>,
): Record<K, number> => {
  const entries = Object.entries<number>(after as Record<K, number>); // what is not there is left out
  return Object.fromEntries(
    entries.map(([name, count]) => [name, count - (before[name as K] ?? 0)]), // it came from `after`
  ) as Record<K, number>; // the same keys
};
