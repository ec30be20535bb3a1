// The agent's caches may lag behind what it wrote itself: no wish may be taken for done because of that.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications } from '../../src/api/argocd/application.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../kit/agent-rows.ts';
import { orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

let world: World;
let rows: AgentRows;
let held: Promise<void> | undefined;
let passedOn = 0;
let heldDeletion: Promise<void> | undefined;
let deletionsHeld = 0;

/** A client whose watches of Argo CD's objects bring nothing, and whose deletions of projects wait, while held. */
const lagging = (client: KubeClient): KubeClient => ({
  ...client,
  async *watch<T extends KubeObject>(...[resource, options]: Parameters<typeof client.watch<T>>) {
    for await (const event of client.watch(resource, options)) {
      if (resource.group === applications.group) {
        await held;
        passedOn += 1;
      }
      yield event;
    }
  },
  async delete(resource, ...rest) {
    if (resource.plural === appProjects.plural && heldDeletion) {
      deletionsHeld += 1;
      await heldDeletion;
    }
    return client.delete(resource, ...rest);
  },
});
/** Holds the watches for the length of `run`. */
const whileHeld = async (run: () => Promise<void>): Promise<void> => {
  let release = (): void => {};
  held = new Promise((resolve) => (release = resolve));
  try {
    await run();
  } finally {
    held = undefined;
    release();
  }
};
const change = async (app: ApplicationRows, path: string): Promise<void> => {
  await world.database.sql(
    `update application set spec_field = '${specText({ path })(app.name)}' where application_id = '${app.id}'`,
  );
  expect((await rows.carriedOut(app.tenant, app.id)).state).toBe('Completed');
};
const pathOf = async ({ name }: ApplicationRows) =>
  (await world.client.get(applications, { namespace: engineNamespace, name })).spec.source?.path;
const projectOf = ({ id }: TenantRow) =>
  orAbsent(world.client.get(appProjects, { namespace: engineNamespace, name: `app-project-${id}` }));
const cacheHasAll = () => {
  const before = passedOn;
  return eventually('the caches have caught up', async () => {
    await world.quiet();
    return passedOn >= before;
  });
};

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
  await world.start('agent', { client: lagging });
});
afterAll(() => world.stop());

describe('while the caches lag', () => {
  it('a change that is taken back at once is taken back in Argo CD too', async () => {
    const tenant = await rows.tenant('back');
    await rows.permit(tenant, 'https://github.com/org/repo');
    const app = await rows.application(tenant, specText({ path: 'first' }));
    await rows.carriedOut(tenant, app.id);
    await cacheHasAll();
    await whileHeld(async () => {
      await change(app, 'second');
      await change(app, 'first');
      expect(await pathOf(app)).toBe('first');
      await change(app, 'third');
      expect(await pathOf(app)).toBe('third');
    });
  });

  it('a change right after the Application was made arrives', async () => {
    const tenant = await rows.tenant('quick');
    await rows.permit(tenant, 'https://github.com/org/repo');
    const app = await rows.application(tenant, specText({ path: 'first' }));
    await whileHeld(async () => {
      await rows.carriedOut(tenant, app.id);
      await change(app, 'second');
      expect(await pathOf(app)).toBe('second');
    });
  });

  it('a repository that a project loses and gets again is permitted', async () => {
    const tenant = await rows.tenant('repository');
    await rows.permit(tenant, 'https://github.com/org/one', 'https://github.com/org/two');
    const app = await rows.application(tenant, specText());
    await rows.carriedOut(tenant, app.id);
    await cacheHasAll();
    await whileHeld(async () => {
      await rows.forbid(tenant);
      await rows.permit(tenant, 'https://github.com/org/one');
      await rows.carriedOut(tenant, app.id);
      expect((await projectOf(tenant))?.spec.sourceRepos).toHaveLength(1);
      await rows.permit(tenant, 'https://github.com/org/two');
      await rows.carriedOut(tenant, app.id);
      expect((await projectOf(tenant))?.spec.sourceRepos).toHaveLength(2);
    });
  });

  it('a project that went with its last Application is made again for the next', async () => {
    const tenant = await rows.tenant('project');
    await rows.permit(tenant, 'https://github.com/org/repo');
    const app = await rows.application(tenant, specText());
    await rows.carriedOut(tenant, app.id);
    await cacheHasAll();
    await whileHeld(async () => {
      await rows.forbid(tenant);
      await world.database.sql(`delete from application where application_id = '${app.id}'`);
      const deleting = await rows.order(tenant, app.id);
      await eventually('it is being deleted', async () => {
        const found = await world.client.get(applications, { namespace: engineNamespace, name: app.name });
        return found.metadata.deletionTimestamp;
      });
      await world.client.patch(
        applications,
        { namespace: engineNamespace, name: app.name },
        { type: 'merge', body: { metadata: { finalizers: null } } },
      );
      await rows.order(tenant, app.id);
      await rows.ended(deleting);
      expect(await projectOf(tenant)).toBeUndefined();
      await rows.permit(tenant, 'https://github.com/org/repo');
      const next = await rows.application(tenant, specText());
      await rows.carriedOut(tenant, next.id);
      expect(await projectOf(tenant)).toBeDefined();
    });
  });

  it('a project that goes just before a new Application counts on it is made again', async () => {
    const tenant = await rows.tenant('counted-on');
    await rows.permit(tenant, 'https://github.com/org/repo');
    const old = await rows.application(tenant, specText());
    await rows.carriedOut(tenant, old.id);
    await cacheHasAll();
    await rows.forbid(tenant);
    await world.database.sql(`delete from application where application_id = '${old.id}'`);
    let release = (): void => {};
    heldDeletion = new Promise((resolve) => (release = resolve));
    const deleting = await rows.order(tenant, old.id);
    await eventually('it is being deleted', async () => {
      const found = await world.client.get(applications, { namespace: engineNamespace, name: old.name });
      return found.metadata.deletionTimestamp;
    });
    await world.client.patch(
      applications,
      { namespace: engineNamespace, name: old.name },
      { type: 'merge', body: { metadata: { finalizers: null } } },
    );
    await eventually('the project is about to go', () => deletionsHeld > 0);
    await rows.permit(tenant, 'https://github.com/org/repo');
    const made = await rows.application(tenant, specText());
    const arrival = await rows.order(tenant, made.id);
    await world.quiet();
    release();
    await rows.ended(deleting);
    await rows.ended(arrival);
    expect((await projectOf(tenant))?.spec.sourceRepos).toEqual(['https://github.com/org/repo']);
  });
});
