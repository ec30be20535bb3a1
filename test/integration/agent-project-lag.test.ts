// A tenant's project goes with its last Application, also where the agent has missed how another one went.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications } from '../../src/api/argocd/application.ts';
import type { KubeClient, WatchEvent } from '../../src/kube/client.ts';
import { writeAgentRows, type ApplicationRows } from '../kit/agent-rows.ts';
import { orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

/** A client whose watches don't tell of deletions, until the next listing. */
const withoutDeletions = (client: KubeClient): KubeClient => ({
  ...client,
  async *watch(resource, options) {
    for await (const event of client.watch(resource, options)) if (!isDeletion(event)) yield event;
  },
});

const isDeletion = ({ type }: WatchEvent<unknown>): boolean => type === 'DELETED';

it('a project goes with the last Application, whatever the cache still has of the others', async () => {
  const rows = await writeAgentRows(world);
  const tenant = await rows.tenant('team');
  await rows.permit(tenant, 'https://github.com/org/one');
  await world.start('agent', { client: withoutDeletions });
  const ref = ({ name }: { readonly name: string }) => ({ namespace: engineNamespace, name });
  const project = { name: `app-project-${tenant.id}` };
  const made = async (): Promise<ApplicationRows> => {
    const app = await rows.application(tenant, specText({ repository: 'one', project: project.name }));
    await rows.carriedOut(tenant, app.id);
    return app;
  };
  const remove = async (app: ApplicationRows): Promise<void> => {
    await world.database.sql(`delete from application where application_id = '${app.id}'`);
    const id = await rows.order(tenant, app.id);
    await eventually('it is being deleted', async () =>
      Boolean((await orAbsent(world.client.get(applications, ref(app))))?.metadata.deletionTimestamp),
    );
    await world.client.patch(applications, ref(app), { type: 'merge', body: { metadata: { finalizers: null } } });
    // Argo CD's last event is lost, so that the agent looks again when its ticket is shown anew.
    await eventually('the ticket is carried out', async () => {
      await world.database.sql(`update operation set human_readable_state = now()::text where operation_id = '${id}'`);
      return (await rows.ticket(id))?.state === 'Completed';
    });
  };
  const [one, other] = [await made(), await made()];
  await rows.forbid(tenant);
  await remove(one);
  expect(await orAbsent(world.client.get(appProjects, ref(project)))).toBeDefined();
  await remove(other);
  expect(await orAbsent(world.client.get(appProjects, ref(project)))).toBeUndefined();
});
