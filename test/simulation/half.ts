// One process of the service inside a simulation: it starts, stops, and can be killed at any step.
import { createKubeClient } from '../../src/kube/http-client.ts';
import { parseSettings } from '../../src/lib/config.ts';
import type { Gate } from '../../src/lib/gate.ts';
import type { Metrics } from '../../src/lib/metrics.ts';
import type { Outside } from '../../src/backend/outside-lanes.ts';
import { plainKeyring } from '../../src/lib/envelope.ts';
import { createProbes } from '../../src/lib/probes.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { Logger } from '../../src/lib/log.ts';
import { agentParts } from '../../src/main/agent.ts';
import { backendParts } from '../../src/main/backend.ts';
import { allSettings } from '../../src/main/settings.ts';
import { createProcess } from '../../src/runtime/process.ts';
import type { Transport } from '../../src/kube/transport.ts';
import type { ProcessClock } from './clocks.ts';
import type { SimulationDatabase } from './database.ts';

/** Which half of the service. */
export type HalfName = 'backend' | 'agent';

/** What a half runs on. */
export interface HalfOptions {
  readonly half: HalfName;
  /** Its name among all that ever ran: `backend-2`. */
  readonly actor: string;
  readonly seed: number;
  readonly clock: ProcessClock;
  readonly gate: Gate;
  readonly transport: Transport;
  readonly database: SimulationDatabase;
  /** What it asks clusters and Git servers by. */
  readonly outside: Outside;
  readonly log: Logger;
}

/** A half that was started. */
export interface Half {
  readonly half: HalfName;
  readonly actor: string;
  readonly clock: ProcessClock;
  /** Stops it in order; needs steps to come to its end. */
  stop(): Promise<void>;
  /** It has ended: nothing of it goes on. `isClean` when no call of it was under way. */
  bury(isClean: boolean): Promise<void>;
  /** What its sessions are called. */
  readonly sessions: readonly string[];
}

/** Shorter than an operator's, or a schedule would be all waiting; long enough to be told from each other. */
const flags = {
  'second-look': '2s',
  redeliver: '20s',
  'retry-failed': '30s',
  resync: '60s',
  poll: '10s',
  'blocked-after': '5s',
  recheck: '5m',
};

const CHANNELS: Readonly<Record<HalfName, readonly string[]>> = {
  backend: ['operation_event', 'application_state'],
  agent: ['operation_event', 'refresh'],
};

/** Starts a half; it goes on with the steps of the world. */
export const startHalf = (options: HalfOptions): Half => {
  const { half, actor, clock, database, outside } = options;
  const followed = createFollowedMetrics((count) => database.hears(CHANNELS[half], count));
  const platform = { ...options, random: seededRandom(options.seed), metrics: followed.metrics };
  const { values: settings } = parseSettings(allSettings, { flags, environment: {} });
  const off = { host: '', port: 0, off: true };
  const probes = createProbes({ ...platform, health: off, metricsAddress: off });
  const access = { server: 'https://simulation' };
  const client = createKubeClient({ ...platform, access, transport: () => options.transport });
  const lent = database.pools.lend(options.gate);
  const listener = { ...platform, connection: { url: database.url }, name: actor };
  const pools = { options: listener, pool: lent.pool };
  const context = { platform, client, database: pools, probes, keyring: plainKeyring, settings, outside };
  const parts = half === 'backend' ? backendParts(context) : agentParts(context);
  const running = createProcess({ ...platform, parts });
  const started = running.start();
  return {
    half,
    actor,
    clock,
    async stop() {
      await running.stop();
      await started;
    },
    async bury(isClean) {
      clock.stop();
      followed.end();
      lent.end(isClean);
      await database.endSessions(actor, ...(isClean ? [] : [lent.name]));
    },
    sessions: [actor, lent.name],
  };
};

/** Metrics that nobody reads, but for what they tell of the listener. */
const createFollowedMetrics = (hears: (count: () => number) => () => void) => {
  let heard = 0;
  let deaf = (): void => undefined;
  const listening = (isListening: boolean): void => {
    deaf();
    deaf = isListening ? hears(() => heard) : () => undefined;
  };
  const metrics: Metrics = {
    counter: ({ name }) => ({
      add: () => void (name === 'sql_notifications_total' && (heard += 1)),
    }),
    gauge: ({ name }) => ({
      set(value) {
        if (name === 'sql_listener_connected') listening(value === 1);
      },
      add: () => undefined,
    }),
    histogram: () => ({ observe: () => undefined }),
    beforeScrape: () => () => undefined,
    text: async () => '',
  };
  return {
    metrics,
    end(): void {
      listening(false);
    },
  };
};
