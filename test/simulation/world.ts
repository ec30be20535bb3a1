// The world of one schedule: API server, database, Argo CD's stand-in, both halves, all in this process, in virtual time.
import { argoKinds } from '../../src/api/argocd/kinds.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { customResourceDefinition } from '../../src/api/crd.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import { resourcePath } from '../../src/kube/path.ts';
import { openGate } from '../../src/lib/gate.ts';
import type { Logger } from '../../src/lib/log.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { seededRandom, type Random } from '../../src/lib/random.ts';
import { createApi } from '../../src/sandbox/apiserver/api.ts';
import { createVirtualClock, type VirtualClock } from '../kit/virtual-clock.ts';
import { createArgoCd, type ArgoCd } from './argo-cd.ts';
import type { Bug } from './bug.ts';
import { createProcessClock } from './clocks.ts';
import type { SimulationDatabase } from './database.ts';
import { faultySql } from './faults-sql.ts';
import { createFaults, type Faults } from './faults-plan.ts';
import { createFaultyTransport, createPlainTransport, type Bystanders } from './faulty-api.ts';
import { startHalf, type Half, type HalfName } from './half.ts';
import type { OutsideView } from './environment-oracle.ts';
import type { OracleView } from './oracle.ts';
import { accountKey, createSimulatedOutside, type SimulatedOutside } from './outside.ts';
import { createRecorder, type PresentObjects, type Recorder } from './recorder.ts';
import { teams } from './script-names.ts';
import { createStepper, type Stepper } from './stepper.ts';

/** A world, and what a schedule does with it. */
export interface SimulatedWorld extends OracleView {
  /** Sees and does everything at once, past all faults. */
  readonly client: KubeClient;
  readonly database: SimulationDatabase;
  readonly clock: VirtualClock;
  readonly stepper: Stepper;
  readonly faults: Faults;
  readonly recorder: Recorder;
  readonly argoCd: ArgoCd;
  readonly outside: SimulatedOutside;
  readonly halves: ReadonlyMap<HalfName, Half>;
  /** Starts a half, unless it runs. */
  start(half: HalfName): void;
  /** Ends a half, in order or by force, and returns when nothing of it is left. */
  end(half: HalfName, how: 'stop' | 'kill'): Promise<void>;
  /** How many requests of the service wrote something, Leases aside. */
  readonly writes: number;
  stop(): Promise<void>;
}

/** What a world is made from. */
export interface WorldOptions {
  readonly seed: number;
  readonly database: SimulationDatabase;
  readonly log: Logger;
  /** For how long faults come. Milliseconds. */
  readonly faultyMs: number;
  /** Makes the service break its promises, so that the oracle has something to find. */
  readonly bug: Bug | undefined;
}

const crds = [...ownKinds, ...argoKinds].map(customResourceDefinition);
const engineNamespace = 'gitops-service-argocd';
const TOKEN = 'simulation';

/** Creates a world in which no half runs yet. The database is emptied first. */
export const createSimulatedWorld = async (options: WorldOptions): Promise<SimulatedWorld> => {
  const { seed, database, log, bug } = options;
  const chance = (use: number): Random => seededRandom(seed * 64 + use);
  const clock = createVirtualClock();
  const api = createApi({
    clock,
    random: chance(1),
    log,
    token: TOKEN,
    crds,
    namespaces: [engineNamespace, ...teams],
  });
  const server = { api, token: TOKEN };
  const connect = (use: number): KubeClient =>
    createKubeClient({
      clock,
      log,
      random: chance(use),
      gate: openGate,
      metrics: createMetrics(),
      access: { server: 'https://simulation' },
      transport: () => createPlainTransport(server),
    });
  const client = connect(2);
  const stepper = createStepper({ random: chance(3), clock, ...database });
  const faults = createFaults(chance(4), clock, options.faultyMs);
  const outside = createSimulatedOutside(faults, (account) => recorder.accountRemoved(account));
  const recorder = createRecorder(presentIn(server), () => `${(clock.monotonicMs() / 1000).toFixed(3)} s`);
  await database.reset((row) => recorder.row(row));
  const argoCd = createArgoCd({
    client,
    namespace: engineNamespace,
    clock,
    random: chance(5),
    gate: stepper.gateOf('argo-cd'),
    synced: recorder.synced,
  });
  const endWatch = watchApplications(server, (name) => argoCd.changed(name));
  const bystanders = bystandersOf(recorder, bug);
  const halves = createHalves({ ...options, clock, server, stepper, faults, outside, bystanders });
  return {
    client,
    database,
    engineNamespace,
    outsideView: () => viewOf(outside, database),
    clock,
    stepper,
    faults,
    recorder,
    argoCd,
    outside,
    halves: halves.running,
    start: halves.start,
    end: halves.end,
    get writes() {
      return countWrites(api.requests());
    },
    async stop() {
      for (const half of halves.running.keys()) await halves.end(half, 'kill');
      endWatch();
      api.stop();
    },
  };
};

const viewOf = async ({ accounts }: SimulatedOutside, { sql }: SimulationDatabase): Promise<OutsideView> => {
  const told = await sql<{ host: string; account: string }>(
    'select host, service_account as account from simulation_accounts',
  );
  const known = new Set(told.map(({ host, account }) => accountKey(host, account)));
  return { accounts, keyOf: accountKey, nameOf: (token) => token, spare: 0, known };
};

interface Server {
  readonly api: ReturnType<typeof createApi>;
  readonly token: string;
}

const request = (path: string, query: Readonly<Record<string, string>> = {}) => ({
  method: 'GET',
  path,
  query: new URLSearchParams(query),
  accept: 'application/json',
  contentType: '',
  authorization: `Bearer ${TOKEN}`,
  body: Buffer.of(),
});

const presentIn =
  ({ api }: Server): PresentObjects =>
  <T extends KubeObject>(resource: ResourceType<T>): readonly T[] => {
    const { body } = api.respond(request(resourcePath(resource, {})));
    return (JSON.parse(String(body)) as { items: T[] }).items; // the API server lists that kind
  };

const watchApplications = ({ api }: Server, changed: (name: string) => void): (() => void) => {
  const path = resourcePath(applications, { namespace: engineNamespace });
  const { body } = api.respond(request(path, { watch: 'true' }));
  if (typeof body === 'string') throw new Error(`Applications can't be watched: ${body}`);
  const open = (): (() => void) =>
    body({
      write(line) {
        const { object } = JSON.parse(line) as { object: KubeObject }; // a line of a watch
        changed(object.metadata.name);
        return true;
      },
      end: () => undefined,
    });
  return open();
};

const bystandersOf = (recorder: Recorder, bug: Bug | undefined): Bystanders => ({
  before: (made) => recorder.request(made),
  denies: (made) => bug?.denies(made) ?? false,
  falsify: (actor, line) => bug?.falsify(actor, line) ?? line,
});

const countWrites = (requests: Readonly<Record<string, number>>): number =>
  Object.entries(requests)
    .filter(([name]) => /^(create|update|patch|delete) (?!leases)/.test(name))
    .reduce((sum, [, count]) => sum + count, 0);

type HalvesOptions = WorldOptions &
  Pick<SimulatedWorld, 'clock' | 'stepper' | 'faults' | 'outside'> & {
    readonly server: Server;
    readonly bystanders: Bystanders;
  };

const createHalves = (options: HalvesOptions) => {
  const { seed, database, log, clock, server, stepper, faults, outside, bystanders } = options;
  const running = new Map<HalfName, Half>();
  let started = 0;

  const start = (half: HalfName): void => {
    if (running.has(half)) return;
    started += 1;
    const actor = `${half}-${started}`;
    const itsClock = createProcessClock(clock);
    const gate = stepper.gateOf(actor);
    running.set(
      half,
      startHalf({
        half,
        actor,
        seed: seed * 64 + 8 + started,
        clock: itsClock,
        gate: faultySql(gate, faults),
        transport: createFaultyTransport({ ...server, actor, gate, clock: itsClock, faults, bystanders }),
        database,
        outside: outside.reachedBy(gate),
        log: log.with({ component: actor }),
      }),
    );
  };
  const end = async (name: HalfName, how: 'stop' | 'kill'): Promise<void> => {
    const half = running.get(name);
    if (!half) return;
    if (how === 'stop') await stopInSteps(half, stepper);
    await stepper.idle();
    await half.bury(stepper.drop(half.actor) === 0);
    running.delete(name);
  };
  return { running, start, end };
};

/** More than any stop takes. */
const MOST_STEPS = 20_000;

const stopInSteps = async (half: Half, stepper: Stepper): Promise<void> => {
  let stopped = false;
  const stopping = half.stop().finally(() => (stopped = true));
  for (let step = 0; !stopped; step += 1) {
    if (step > MOST_STEPS) throw new Error(`${half.actor} does not stop`);
    await stepper.step();
  }
  await stopping;
};
