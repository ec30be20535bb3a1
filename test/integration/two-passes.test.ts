// Two backends at the same deployment, stepped call by call: whatever comes between what, it happens once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { createCurrentRows } from '../../src/backend/current-rows.ts';
import { createLaneIndex } from '../../src/backend/lane-index.ts';
import { createAbsences } from '../../src/backend/absences.ts';
import type { DeploymentContext } from '../../src/backend/deployments/context.ts';
import { createGather } from '../../src/backend/deployments/gather.ts';
import { laneKey } from '../../src/backend/lane.ts';
import { createDeploymentReconciler } from '../../src/backend/deployments/reconcile.ts';
import { createStatusReporter } from '../../src/backend/deployments/status.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { namespaces, type Namespace } from '../../src/kube/object.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { seededRandom, systemRandom } from '../../src/lib/random.ts';
import { openDatabase } from '../../src/main/platform.ts';
import { createController } from '../../src/runtime/controller.ts';
import { createStore, type Store } from '../../src/runtime/store.ts';
import { silentLog } from '../kit/captured-log.ts';
import { aDeployment, conditionOf } from '../kit/deployments.ts';
import { createStepGate, lockWaits, type StepGate } from '../kit/gate.ts';
import { createVirtualClock, type VirtualClock } from '../kit/virtual-clock.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

/** What both backends see of the cluster; filled by hand, so that no watch decides who sees what when. */
interface Caches {
  readonly deployments: Store<GitOpsDeployment>;
  readonly namespaces: Store<Namespace>;
}

/** Backends behind one gate, at one deployment. */
interface Race {
  readonly gate: StepGate;
  readonly clock: VirtualClock;
  readonly deployment: GitOpsDeployment;
  /** Brings the caches up to date, as watches would. */
  see(): Promise<void>;
  stop(): Promise<void>;
}

/** A replica's deployment lanes, as the backend wires them, and how to end them. */
const startBackend = (
  name: string,
  { gate, clock, caches }: { gate: StepGate; clock: VirtualClock; caches: Caches },
) => {
  const random = { next: seededRandom(1).next, uuid: systemRandom.uuid }; // the same pauses each time, but new ids
  const platform = { clock, random, gate: gate.of(name), log: silentLog, metrics: createMetrics() };
  const client = createKubeClient({ ...platform, access: parseKubeconfig(world.api.kubeconfig) });
  const { pool } = openDatabase(platform, world.database.connection, name);
  const plan = { projectIsolation: true, retryFailedMs: 600_000 };
  const context: DeploymentContext = {
    ...platform,
    ...caches,
    client,
    db: pool,
    absences: createAbsences(platform, { secondLookMs: 10_000, maxUnseenDeletions: 10, kind: 'GitOpsDeployment' }),
    laneIndex: createLaneIndex(),
    currentRows: createCurrentRows(() => undefined),
    engineNamespace,
    plan,
    lost: new AbortController().signal,
  };
  const status = createStatusReporter({ ...context, standardConditions: true, announce: () => undefined });
  const steps = { gather: createGather(context), status, settled: () => undefined };
  const controller = createController({
    ...platform,
    name: 'deployment',
    concurrency: 1,
    reconcile: createDeploymentReconciler(context, steps),
  });
  controller.start();
  const stop = async (): Promise<void> => {
    await controller.stop();
    await pool.stop();
    client.close();
  };
  return { controller, stop };
};

let made = 0;
const newDeployment = async (): Promise<GitOpsDeployment> => {
  const namespace = `race-${(made += 1)}`;
  await world.createNamespace(namespace);
  return world.apply(aDeployment({ namespace }));
};

const startRace = async (
  seed: number,
  { replicas = ['A', 'B'], deployment }: { readonly replicas?: string[]; readonly deployment?: GitOpsDeployment } = {},
): Promise<Race> => {
  const raced = deployment ?? (await newDeployment());
  const gate = createStepGate({ seed, blocked: lockWaits(world.database) });
  const clock = createVirtualClock();
  const caches = {
    deployments: createStore<GitOpsDeployment>({ log: silentLog }),
    namespaces: createStore<Namespace>({ log: silentLog }),
  };
  const see = async (): Promise<void> => {
    caches.namespaces.replace((await world.client.list(namespaces)).items);
    caches.deployments.replace((await world.client.list(gitOpsDeployments)).items);
  };
  await see();
  const backends = replicas.map((replica) => startBackend(replica, { gate, clock, caches }));
  const namespaceUid = caches.namespaces.get(raced.metadata.namespace ?? '')?.metadata.uid ?? '';
  for (const { controller } of backends)
    controller.enqueue(laneKey('deployment', { namespaceUid, name: raced.metadata.name }));
  await gate.idle();
  return {
    gate,
    clock,
    deployment: raced,
    see,
    async stop() {
      gate.open();
      await Promise.all(backends.map((backend) => backend.stop()));
    },
  };
};

/** Lets calls through in the order of the seed until every pass has ended, retries included. */
const run = async ({ gate, clock, see }: Race): Promise<void> => {
  for (;;) {
    await gate.idle();
    if (gate.waiting().length > 0) gate.releaseSeeded();
    else if (clock.nextInMs === undefined) return;
    else {
      await see();
      await gate.advance(clock, clock.nextInMs);
    }
  }
};

/** Runs a race to its end and returns what it released and how many rows each table has gained. */
const outcomeOf = async (race: Race): Promise<{ calls: readonly string[]; rows: Record<string, number> }> => {
  const before = await countRows();
  await run(race);
  await race.stop();
  const after = await countRows();
  const gained = Object.entries(after).map(([table, count]) => [table, count - (before[table] ?? 0)] as const);
  return { calls: race.gate.released, rows: Object.fromEntries(gained.filter(([, count]) => count !== 0)) };
};

const countRows = async (): Promise<Record<string, number>> => {
  const tables = await world.database.sql<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  );
  const counts = tables.map(({ name }) => `select '${name}' as name, count(*)::int as count from ${name}`);
  const rows = await world.database.sql<{ name: string; count: number }>(counts.join(' union all '));
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
};

const readyReason = async ({ deployment: { metadata } }: Race): Promise<string | undefined> => {
  const ref = { namespace: metadata.namespace ?? '', name: metadata.name };
  return conditionOf(await world.client.get(gitOpsDeployments, ref), 'Ready')?.reason;
};

describe('two passes over one new deployment', () => {
  it('take it for new side by side and write one after the other: who comes second finds it done', async () => {
    const race = await startRace(1);
    const { gate } = race;
    const of = (actor: string) => gate.waiting().flatMap(({ by, name }) => (by === actor ? [name] : []));
    const step = async (actor: string, name: string): Promise<void> => {
      gate.release((call) => call.by === actor && call.name === name);
      await gate.idle();
    };
    const before = await countRows();
    for (const actor of ['A', 'B']) await step(actor, 'GET namespaces');
    expect([of('A'), of('B')]).toEqual([['begin'], ['begin']]);
    expect(await countRows()).toEqual(before);

    for (const name of ['begin', 'tenant-lock']) await step('A', name);
    for (const name of ['begin', 'tenant-lock']) await step('B', name);
    expect(gate.waiting()).toMatchObject([{ by: 'A', name: 'deployment-facts' }]);
    while (of('A')[0] !== 'commit') {
      expect(of('B'), `while A waits for ${of('A')[0]}`).toEqual([]);
      await step('A', of('A')[0] ?? '');
    }
    await step('A', 'commit');

    expect(of('B')).toEqual(['deployment-facts']);
    const written = await countRows();
    expect(written).toMatchObject({ clusteruser: 1, application: 1, deploymenttoapplicationmapping: 1, operation: 1 });
    await step('B', 'deployment-facts');
    expect(of('B')).toEqual(['commit']);
    await run(race);
    await race.stop();
    expect(await countRows()).toEqual(written);
    expect(await readyReason(race)).toBe('OperationPending');
  });
});

describe('two passes over one new deployment, in an order that a seed chooses', () => {
  let alone: Awaited<ReturnType<typeof outcomeOf>>;
  beforeAll(async () => {
    await outcomeOf(await startRace(1, { replicas: ['A'] })); // makes the rows of the Argo CD that serves everyone
    alone = await outcomeOf(await startRace(1, { replicas: ['A'] }));
  });

  it('leave the rows that one pass alone leaves, and one status', async () => {
    const orders = new Set<string>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const race = await startRace(seed);
      const { calls, rows } = await outcomeOf(race);
      expect(rows, `seed ${seed}: ${calls.join(', ')}`).toEqual(alone.rows);
      expect(await readyReason(race), `seed ${seed}`).toBe('OperationPending');
      orders.add(calls.join());
    }
    expect(orders.size).toBeGreaterThan(15);
  }, 60_000);

  it('make the same calls in the same order when the seed is the same', async () => {
    const first = await outcomeOf(await startRace(4));
    const second = await outcomeOf(await startRace(4));
    expect(second.calls).toEqual(first.calls);
    expect(first.calls.length).toBeGreaterThan(alone.calls.length);
  });
});

describe('two passes over one changed deployment, in an order that a seed chooses', () => {
  it('write the change once, and tell the agent once', async () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const before = await startRace(seed, { replicas: ['A'] });
      await outcomeOf(before);
      await world.database.script(`update operation set state = 'Completed'`); // as the agent would
      const { namespace = '' } = before.deployment.metadata;
      const deployment = await world.apply(aDeployment({ namespace, path: 'changed' }));
      const { calls, rows } = await outcomeOf(await startRace(seed, { deployment }));
      expect(rows, `seed ${seed}: ${calls.join(', ')}`).toEqual({ operation: 1 });
      const written = calls.filter((call) => call.endsWith('application-update'));
      expect(written, `seed ${seed}`).toHaveLength(1);
    }
  }, 60_000);
});
