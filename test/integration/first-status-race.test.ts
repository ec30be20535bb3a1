// The first status of a deployment, when the backend hears late of its own Operation.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { aDeployment, deploymentsOf, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
const ref = { namespace: 'team', name: 'app' };
beforeEach(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  await world.createNamespace(ref.namespace);
});
afterEach(() => world.stop());
const patches = () => world.api.requests()['patch gitopsdeployments/status'] ?? 0;

it('is one patch, too, when the backend hears of the Operation while the agent is at it', async () => {
  let heardMs = Infinity;
  const isTaken = async () =>
    (await world.database.sql(`select 1 from operation where state = 'Waiting'`)).length === 0;
  await world.start('backend', {
    gate: async (call, run) => {
      if (call.name !== 'notify operation_event') return run();
      await eventually('the agent has taken it', isTaken);
      return run().finally(() => (heardMs = Math.min(heardMs, performance.now())));
    },
  });
  await world.quiet();
  await world.start('agent', {
    gate: async (call, run) => {
      // A while in which the backend could say something, but well within the half second that it leaves the agent.
      if (call.name === 'agent-end-operations') {
        await eventually('it was heard', () => performance.now() - heardMs > 50);
      }
      return run();
    },
  });
  await world.apply(aDeployment(ref));
  await deployments.withReason(ref, 'Reconciling', 'WaitingForArgoCD');
  await world.quiet();
  await world.quiet();
  expect(patches()).toBe(1);
});
