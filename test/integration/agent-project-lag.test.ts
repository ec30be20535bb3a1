// A tenant's project goes, and shrinks, with its Applications, also where the agent has not seen yet how one went.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { operationName, redeliveredAtAnnotation, usernameAnnotation } from '../../src/api/labels.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows } from '../kit/agent-rows.ts';
import { orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

/** A client whose watches tell of some events, and of all that follow, only once the door is open. */
const telling =
  (isHeld: (type: string, plural: string) => boolean, opened: Promise<void>) =>
  (client: KubeClient): KubeClient => ({
    ...client,
    async *watch(resource, options) {
      for await (const event of client.watch(resource, options)) {
        if (isHeld(event.type, resource.plural)) await opened;
        yield event;
      }
    },
  });

const ref = ({ name }: { readonly name: string }) => ({ namespace: engineNamespace, name });

/** A tenant, and what is done with its Applications. */
const createTenant = async (rows: AgentRows, namespace: string) => {
  const tenant = await rows.tenant(namespace);
  const project = `app-project-${tenant.id}`;
  return {
    tenant,
    project: () => orAbsent(world.client.get(appProjects, ref({ name: project }))),
    async made(repository: string): Promise<ApplicationRows> {
      await rows.permit(tenant, `https://github.com/org/${repository}`);
      const app = await rows.application(tenant, specText({ repository, project }));
      await rows.carriedOut(tenant, app.id);
      return app;
    },
    async remove(app: ApplicationRows): Promise<void> {
      await world.database.sql(`delete from application where application_id = '${app.id}'`);
      const id = await rows.order(tenant, app.id);
      await eventually('it is being deleted', async () =>
        Boolean((await orAbsent(world.client.get(applications, ref(app))))?.metadata.deletionTimestamp),
      );
      await world.client.patch(applications, ref(app), { type: 'merge', body: { metadata: { finalizers: null } } });
      // Argo CD's last event is late, so that the agent looks again when its ticket is shown anew.
      const ticket = { namespace: engineNamespace, name: operationName(id) };
      let times = 0;
      await eventually('the ticket is carried out', async () => {
        times += 1;
        const body = { metadata: { annotations: { [redeliveredAtAnnotation]: String(times) } } };
        await world.client.patch(operations, ticket, { type: 'merge', body });
        return (await rows.ticket(id))?.state === 'Completed';
      });
    },
  };
};

let rows: AgentRows;
let agent: RunningHalf;
let door: PromiseWithResolvers<void>;
beforeAll(async () => {
  rows = await writeAgentRows(world);
});
beforeEach(() => {
  door = Promise.withResolvers<void>();
});
const start = async (isHeld: (type: string, plural: string) => boolean, flags = {}): Promise<void> => {
  let isStarted = false; // the first listing is heard
  const client = telling((...event) => isStarted && isHeld(...event), door.promise);
  agent = await world.start('agent', { client, flags });
  isStarted = true;
};
afterEach(async () => {
  door.resolve();
  await agent.process.stop();
});

it('a project goes with the last Application, whatever the cache still has of the others', async () => {
  await start((type) => type === 'DELETED');
  const { tenant, project, made, remove } = await createTenant(rows, 'team');
  const [one, other] = [await made('one'), await made('two')];
  await rows.forbid(tenant);
  await remove(one);
  expect(await project()).toBeDefined();
  await remove(other);
  expect(await project()).toBeUndefined();
});

it('a project loses what it was given for an Application that had gone already', async () => {
  await start((type) => type === 'DELETED');
  const { tenant, project, made, remove } = await createTenant(rows, 'other-team');
  const [, gone] = [await made('one'), await made('two')];
  await world.database.sql(
    `delete from appprojectrepository where clusteruser_id = '${tenant.id}' and repo_url like '%two'`,
  );
  await remove(gone);
  const permitted = async () => (await project())?.spec.sourceRepos;
  // Somebody changes the project; it is put right with what the cache still has.
  await world.client.patch(appProjects, ref({ name: `app-project-${tenant.id}` }), {
    type: 'merge',
    body: { spec: { sourceRepos: ['by-hand'] } },
  });
  await eventually('the project is put right', async () => (await permitted())?.includes('https://github.com/org/one'));
  await world.quiet();
  door.resolve();
  await eventually(
    'only what is used is permitted',
    async () => (await permitted())?.join() === 'https://github.com/org/one',
  );
});

it('a project that the cache has not heard of goes with the last Application', async () => {
  await start((type, plural) => type === 'ADDED' && plural === appProjects.plural);
  const { tenant, project, made, remove } = await createTenant(rows, 'team');
  const name = `app-project-${tenant.id}`;
  await world.client.create(appProjects, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name, namespace: engineNamespace, annotations: { [usernameAnnotation]: tenant.id } },
    spec: { sourceRepos: ['https://github.com/org/one'], destinations: [{ name: 'in-cluster', namespace: 'team' }] },
  });
  const app = await made('one');
  await rows.forbid(tenant);
  await remove(app);
  expect(await project()).toBeUndefined();
});

it('a project that went before its Applications were seen comes back: its rows are enough', async () => {
  await start((type, plural) => type === 'ADDED' && plural === applications.plural);
  const { project, made } = await createTenant(rows, 'team');
  await made('one');
  const before = await project();
  await world.client.delete(appProjects, ref({ name: before?.metadata.name ?? '' }));
  const after = await eventually('the project is back', project);
  expect(after.metadata.uid).not.toBe(before?.metadata.uid);
  expect(after.spec).toEqual(before?.spec);
});
