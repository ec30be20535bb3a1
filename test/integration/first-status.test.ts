// The first status of a new deployment: one patch that says what counts, and not late.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { conditionOf, aDeployment, deploymentsOf, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type HalfOptions, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
const ref = { namespace: 'team', name: 'app' };

beforeEach(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  await world.createNamespace(ref.namespace);
});
afterEach(() => world.stop());

/** Starts a backend, and waits until it has looked at everything, which it does once more at its start. */
const startBackend = async (options: HalfOptions = {}): Promise<void> => {
  await world.start('backend', options);
  await world.quiet();
};
const patches = () => world.api.requests()['patch gitopsdeployments/status'] ?? 0;

describe('the first status of a new deployment', () => {
  it('is one patch when the agent answers at once, and tells what the agent has done', async () => {
    const haveEnded = async () =>
      (await world.database.sql(`select 1 from operation where state not in ('Completed', 'Failed')`)).length === 0;
    await startBackend({
      gate: async (call, run) => {
        if (call.name === 'operation-subjects') await eventually('the agent has answered', haveEnded);
        return run();
      },
    });
    await world.start('agent');
    await world.apply(aDeployment(ref));
    await deployments.withReason(ref, 'Reconciling', 'WaitingForArgoCD');
    await world.quiet();
    await world.quiet(); // longer than the half second in which it would say more
    expect(patches()).toBe(1);
  });

  it('says after half a second that the agent is waited for, when there is none', async () => {
    await startBackend();
    const startMs = performance.now();
    await world.apply(aDeployment(ref));
    const shown = await deployments.withReason(ref, 'Reconciling', 'OperationPending');
    const tookMs = performance.now() - startMs;
    expect(tookMs).toBeGreaterThan(400);
    expect(tookMs).toBeLessThan(5_000);
    expect(conditionOf(shown, 'Ready')?.status).toBe('False');
    await world.quiet();
    expect(patches()).toBe(1);
    await world.start('agent');
    await deployments.withReason(ref, 'Reconciling', 'WaitingForArgoCD');
  });

  it('tells a fault of the spec at once', async () => {
    await startBackend();
    await world.apply(aDeployment({ ...ref, path: '/' }));
    await eventually('it is told', async () => conditionOf(await deployments.get(ref), 'Stalled'), 400);
    await world.quiet();
    expect(patches()).toBe(1);
  });
});
