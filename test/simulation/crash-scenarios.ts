// What a team does while the service is killed.
import { applications } from '../../src/api/argocd/application.ts';
import { endlessRevision } from './crash-argocd.ts';
import { engineNamespace, type Lane } from './crash-lane.ts';
import type { Stage } from './crash-stage.ts';

/** A change, and what is there before it. */
export interface Scenario {
  /** Made while the process that will be killed is away: it dies in its next start, or at what it finds then. */
  readonly away?: true;
  prepare(stage: Stage): Promise<void>;
  /** What is still missing before the change, where that is not simply that all agree. */
  awaited?(lane: Lane): Promise<readonly string[]>;
  change(stage: Stage): Promise<void>;
}

const firstDeployment = (stage: Stage): Promise<void> => stage.deploy('app', 'first');
const manualDeployment = (stage: Stage): Promise<void> => stage.deploy('app', 'first', 'manual');

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
