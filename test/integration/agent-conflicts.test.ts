// Whoever else writes Argo CD's objects at the same time makes the agent try again: soon, and without a word.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../kit/agent-rows.ts';
import { capturedLog } from '../kit/captured-log.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let rows: AgentRows;
let tenant: TenantRow;
let app: ApplicationRows;
let agent: RunningHalf;
let lines: Record<string, unknown>[];
let before: { readonly call: string; readonly run: () => Promise<unknown> } | undefined;

const refOf = (name: string) => ({ namespace: engineNamespace, name });
/** Has somebody else be faster, once: `run` is done right before the agent's next call of this name. */
const beforeNext = (call: string, run: () => Promise<unknown>): void => {
  before = { call, run };
};
const meet = async (call: string): Promise<void> => {
  const faster = before?.call === call ? before : undefined;
  if (!faster) return;
  before = undefined;
  await faster.run();
};
const met = (client: KubeClient): KubeClient => ({
  ...client,
  async create<T extends KubeObject>(...call: Parameters<typeof client.create<T>>) {
    await meet(`create ${call[0].plural}`);
    return client.create(...call);
  },
  async patch<T extends KubeObject>(...call: Parameters<typeof client.patch<T>>) {
    await meet(`patch ${call[0].plural}`);
    return client.patch(...call);
  },
  async delete(resource, ...rest) {
    await meet(`delete ${resource.plural}`);
    return client.delete(resource, ...rest);
  },
});
const touch = (name: string, body: unknown = { metadata: { annotations: { touched: String(performance.now()) } } }) =>
  world.client.patch(applications, refOf(name), { type: 'merge', body });
const setSpec = (text: string) =>
  world.database.sql(`update application set spec_field = '${text}' where application_id = '${app.id}'`);
const order = () => rows.carriedOut(tenant, app.id);
const theirs = (name: string): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { ...refOf(name) },
  spec: { project: 'default', destination: { name: 'in-cluster', namespace: 'team' } },
});

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
});
beforeEach(async () => {
  tenant = await rows.tenant('team');
  await rows.permit(tenant, 'https://github.com/org/repo');
  app = await rows.application(tenant, specText());
  const captured = capturedLog();
  lines = captured.lines;
  agent = await world.start('agent', { client: met, log: captured.log });
});
afterEach(async () => {
  await agent.process.stop();
  expect(before, 'somebody was faster').toBeUndefined();
  expect(lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
});
afterAll(() => world.stop());

describe('an Operation is carried out all the same where somebody else', () => {
  it('made the Application first', async () => {
    beforeNext('create applications', () => world.client.create(applications, theirs(app.name)));
    expect((await order()).state).toBe('Completed');
    const { metadata, spec } = await world.client.get(applications, refOf(app.name));
    expect(metadata.labels).toEqual({ databaseID: app.id });
    expect(spec.source?.path).toBe('app');
  });

  it('changed the Application first', async () => {
    await order();
    await setSpec(specText({ path: 'moved' })(app.name));
    beforeNext('patch applications', () => touch(app.name));
    expect((await order()).state).toBe('Completed');
    expect((await world.client.get(applications, refOf(app.name))).spec.source?.path).toBe('moved');
  });

  it('deleted the Application first', async () => {
    await order();
    await setSpec(specText({ path: 'moved' })(app.name));
    beforeNext('patch applications', () => world.client.delete(applications, refOf(app.name)));
    expect((await order()).state).toBe('Completed');
    expect((await world.client.get(applications, refOf(app.name))).spec.source?.path).toBe('moved');
  });

  it('made, changed or deleted the project first', async () => {
    const name = `app-project-${tenant.id}`;
    const sourceRepos = async () => (await world.client.get(appProjects, refOf(name))).spec.sourceRepos;
    beforeNext('create appprojects', () =>
      world.client.create(appProjects, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: { ...refOf(name) },
        spec: {},
      }),
    );
    expect((await order()).state).toBe('Completed');
    expect(await sourceRepos()).toEqual(['https://github.com/org/repo']);
    await rows.permit(tenant, 'https://github.com/org/next');
    beforeNext('patch appprojects', () =>
      world.client.patch(appProjects, refOf(name), { type: 'merge', body: { spec: { sourceRepos: ['theirs'] } } }),
    );
    expect((await order()).state).toBe('Completed');
    expect(await sourceRepos()).toEqual(['https://github.com/org/next', 'https://github.com/org/repo']);
    await rows.permit(tenant, 'https://github.com/org/third');
    beforeNext('patch appprojects', () => world.client.delete(appProjects, refOf(name)));
    expect((await order()).state).toBe('Completed');
    expect(await sourceRepos()).toHaveLength(3);
  });
});
