// Statuses are compared with what the cache has, and that may be from before the last of our own writes.
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { aDeployment, deploymentsOf, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let backend: RunningHalf;
let held: Promise<void> | undefined;
const ref = { namespace: 'team', name: 'app' };

/** What the deployment says while nobody plays Argo CD, and while an Operation is open. */
const [waits, pending] = ['WaitingForArgoCD', 'OperationPending'];

/** A client whose watch of GitOpsDeployments brings nothing while it is held. */
const lagging = (client: KubeClient): KubeClient => ({
  ...client,
  async *watch<T extends KubeObject>(...[resource, options]: Parameters<typeof client.watch<T>>) {
    for await (const event of client.watch(resource, options)) {
      if (resource.plural === gitOpsDeployments.plural) await held;
      yield event;
    }
  },
});

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  await world.createNamespace(ref.namespace);
  backend = await world.start('backend', { client: lagging });
});
afterAll(() => world.stop());

it('a status goes back to what it was when what it waited for ends before the cache has seen that it waited', async () => {
  const agent = await world.start('agent');
  await world.apply(aDeployment(ref));
  await deployments.withReason(ref, 'Reconciling', waits);
  await world.quiet();
  await agent.process.stop();

  const gate = Promise.withResolvers<void>();
  held = gate.promise;
  onTestFinished(() => gate.resolve());
  // Another program orders what is there already: the deployment itself stays as it is.
  await world.database.sql(`
    insert into operation (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on,
      last_state_update, state, dedupe_key)
    select 'again', a.engine_instance_inst_id, a.application_id, w.application_owner_user_id, 'Application',
      now() at time zone 'UTC', now() at time zone 'UTC', 'In_Progress', 'again'
    from application a join applicationowner w on w.application_owner_application_id = a.application_id`);
  await deployments.withReason(ref, 'Reconciling', pending);
  const passes = await backend.passes('deployment');
  await world.database.sql(`update operation set state = 'Completed' where operation_id = 'again'`);
  await eventually('a pass has seen it', async () => (await backend.passes('deployment')) > passes);
  gate.resolve();
  const { status } = await deployments.withReason(ref, 'Reconciling', waits);
  expect(status?.conditions?.some(({ reason }) => reason === pending)).toBe(false);
});
