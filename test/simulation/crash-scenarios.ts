// What a team does while the service is killed.
import { applications } from '../../src/api/argocd/application.ts';
import { endlessRevision } from './crash-argocd.ts';
import { engineNamespace, type Lane } from './crash-lane.ts';
import type { Stage } from './crash-stage.ts';

/** A change, and what is there before it. */
export interface Scenario {
  /** Made while the process that will be killed is away: it dies in its next start, or at what it finds then. */
  readonly away?: true;
  prepare(stage: Stage, lane: Lane): Promise<void>;
  /** What is still missing before the change, where that is not simply that all agree. */
  awaited?(lane: Lane): Promise<readonly string[]>;
  change(stage: Stage, lane: Lane): Promise<void>;
}

const firstDeployment = (stage: Stage): Promise<void> => stage.deploy('app', 'first');
const manualDeployment = (stage: Stage): Promise<void> => stage.deploy('app', 'first', { type: 'manual' });
const deploymentElsewhere = async (stage: Stage): Promise<void> => {
  await stage.connect('prod');
  await stage.deploy('app', 'first', { environment: 'prod' });
};

/** The scenarios by name. */
export const scenarios = {
  create: { prepare: async () => undefined, change: firstDeployment },
  update: {
    prepare: firstDeployment,
    change: (stage) => stage.deploy('app', 'second'),
  },
  delete: { prepare: firstDeployment, change: (stage) => stage.remove('app') },
  sync: {
    prepare: manualDeployment,
    change: (stage) => stage.sync('sync', 'app', 'v1'),
  },
  terminate: {
    async prepare(stage) {
      await manualDeployment(stage);
      await stage.sync('sync', 'app', endlessRevision);
    },
    async awaited({ client }) {
      const { items } = await client.list(applications, {
        namespace: engineNamespace,
      });
      return items.some(({ status }) => status?.operationState?.phase === 'Running') ? [] : ['no sync is running'];
    },
    change: (stage) => stage.removeSync('sync'),
  },
  connect: { prepare: firstDeployment, change: deploymentElsewhere },
  renew: { prepare: deploymentElsewhere, change: (stage) => stage.connect('prod') },
  disconnect: {
    prepare: deploymentElsewhere,
    async change(stage) {
      await stage.remove('app');
      await stage.disconnect('prod');
    },
  },
  permit: {
    prepare: async () => undefined,
    change: (stage, { repositories }) => stage.permit('login', repositories[0]),
  },
  repoint: {
    prepare: (stage, { repositories }) => stage.permit('login', repositories[0]),
    change: (stage, { repositories }) => stage.permit('login', repositories[1]),
  },
  forbid: {
    prepare: (stage, { repositories }) => stage.permit('login', repositories[0]),
    change: (stage) => stage.forbid('login'),
  },
  start: {
    away: true,
    async prepare(stage) {
      await stage.deploy('kept', 'first');
      await stage.deploy('gone', 'first');
    },
    async change(stage) {
      await stage.deploy('kept', 'second');
      await stage.remove('gone');
    },
  },
} as const satisfies Record<string, Scenario>;

/** The name of a scenario. */
export type ScenarioName = keyof typeof scenarios;
