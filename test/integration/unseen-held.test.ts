// Deletions that are never seen, one after the other: each is one that is missing, not one more.
import { afterAll, beforeAll, it } from 'vitest';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import { aDeployment, deploymentsOf } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type World } from '../kit/world.ts';

let world: World;
const names = ['first', 'second'];
const isOurs = (resource: ResourceType): boolean => resource.plural === gitOpsDeployments.plural;
/** A client that neither lists nor watches any deployment, so that no deletion is ever seen. */
const seesNoDeployment = (client: KubeClient): KubeClient => ({
  ...client,
  list: async (resource, options) => {
    const list = await client.list(resource, options);
    return isOurs(resource) ? { ...list, items: [] } : list;
  },
  async *watch<T extends KubeObject>(...[resource, options]: Parameters<typeof client.watch<T>>) {
    for await (const event of client.watch(resource, options)) {
      if (!isOurs(resource) || event.type === 'BOOKMARK' || event.type === 'ERROR') yield event;
    }
  },
});

beforeAll(async () => {
  world = await createWorld();
  await world.start('agent');
  await world.createNamespace('team');
  const backend = await world.start('backend');
  for (const name of names)
    await deploymentsOf(world).deployed(await world.apply(aDeployment({ namespace: 'team', name })));
  await world.quiet();
  await backend.process.stop();
});
afterAll(() => world.stop());

it('a deletion that was not seen is believed while what an earlier one deployed is still being deleted', async () => {
  const flags = { 'max-unseen-deletions': '1', resync: '100ms' };
  await world.start('backend', { flags, client: seesNoDeployment });
  for (const name of names) {
    await world.client.delete(gitOpsDeployments, { namespace: 'team', name });
    await eventually(`the rows of ${name} are removed`, async () => {
      const rows = await world.database.sql(`select 1 from deploymenttoapplicationmapping where name = '${name}'`);
      return rows.length === 0;
    });
  }
});
