// The agent alone, on rows that another program wrote: Applications are made and mended as the rows say.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { namespaces } from '../../src/kube/object.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../kit/agent-rows.ts';
import { orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let rows: AgentRows;
let tenant: TenantRow;
let agent: RunningHalf;
let count = 0;

const find = (name: string) => orAbsent(world.client.get(applications, { namespace: engineNamespace, name }));
const read = (name: string): Promise<Application> =>
  world.client.get(applications, { namespace: engineNamespace, name });
/** Does something to an Application, and waits until the agent has seen it. */
const seen = async <T>(change: () => Promise<T>): Promise<T> => {
  const passes = await agent.passes('application-report');
  const changed = await change();
  await eventually('the agent has seen it', async () => (await agent.passes('application-report')) > passes);
  return changed;
};
const patch = (name: string, body: unknown) =>
  seen(() => world.client.patch(applications, { namespace: engineNamespace, name }, { type: 'merge', body }));
const order = ({ id, tenant: owner }: ApplicationRows) => rows.carriedOut(owner, id);
const setSpec = ({ id }: ApplicationRows, text: string) =>
  world.database.sql(`update application set spec_field = '${text}' where application_id = '${id}'`);

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
  agent = await world.start('agent');
});
beforeEach(async () => {
  tenant = await rows.tenant(`team-${(count += 1)}`);
  await rows.permit(tenant, 'https://github.com/org/repo');
});
afterAll(() => world.stop());

/** As the original writes it: plain scalars, long texts folded, an empty status after it. */
const originalText =
  (change: Partial<Record<'path' | 'revision' | 'policy' | 'project' | 'destination', string>> = {}) =>
  (name: string): string => `fauxtypemeta:
  kind: Application
  apiversion: argoproj.io/v1alpha1
fauxobjectmeta:
  name: ${name}
  namespace: ${engineNamespace}
spec:
  source:
    repourl: https://github.com/org/repo
    path: ${change.path ?? 'app'}
    targetrevision: ${change.revision ?? '""'}
  destination:
    server: ""
    namespace: team
    name: ${change.destination ?? 'in-cluster'}
  project: ${change.project ?? 'default'}
  syncpolicy:${change.policy ?? automated}
status:
  resources: []
  sync:
    status: ""
    comparedto:
      source:
        repourl: ""
        path: ""
        targetrevision: ""
      destination:
        server: ""
        namespace: ""
        name: ""
    revision: ""
    revisions: []
  health:
    status: ""
    message: ""
  conditions: []
  operationstate: null
`;
const automated = `
    automated:
      prune: true
      selfheal: true
      allowempty: true
    syncoptions:
    - PrunePropagationPolicy=background
    retry:
      limit: -1
      backoff:
        duration: 5s
        factor: 2
        maxduration: 3m`;

describe('an Application', () => {
  it('is made as the text of the original says, with the label of its row', async () => {
    const app = await rows.application(tenant, originalText());
    expect(await order(app)).toEqual({ state: 'Completed', human_readable_state: null });
    const { metadata, spec } = await read(app.name);
    expect(metadata.labels).toEqual({ databaseID: app.id });
    expect(spec).toEqual({
      project: 'default',
      source: { repoURL: 'https://github.com/org/repo', path: 'app' },
      destination: { namespace: 'team', name: 'in-cluster' },
      syncPolicy: {
        automated: { prune: true, selfHeal: true, allowEmpty: true },
        syncOptions: ['PrunePropagationPolicy=background'],
        retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
      },
    });
  });

  it.each([
    ['a number with a leading zero', '012', '012'],
    ['a word that other readers take for a truth value', 'yes', 'yes'],
    ['a number that other readers round', '1e3', '1e3'],
    ['a text folded over two lines', 'first part\n      second part', 'first part second part'],
    ['a quoted text', `'it''s'`, "it's"],
  ])('keeps %s as the text it is', async (_what, written, meant) => {
    const app = await rows.application(tenant, originalText({ path: written }));
    await order(app);
    expect((await read(app.name)).spec.source?.path).toBe(meant);
  });

  it('without a policy, or with options only, is synced by order only', async () => {
    const none = await rows.application(tenant, originalText({ policy: ' null' }));
    const options = `
    automated: null
    syncoptions:
    - CreateNamespace=true
    retry: null`;
    const some = await rows.application(tenant, originalText({ policy: options }));
    await order(none);
    await order(some);
    expect((await read(none.name)).spec.syncPolicy).toBeUndefined();
    expect((await read(some.name)).spec.syncPolicy).toEqual({ syncOptions: ['CreateNamespace=true'] });
  });

  it('is not made while its row has no environment, and a present one is still kept right', async () => {
    const app = await rows.application(tenant, originalText(), { environment: false });
    expect((await order(app)).state).toBe('Completed');
    expect(await find(app.name)).toBeUndefined();
    await world.database.sql(
      `update application set managed_environment_id = 'environment' where application_id = '${app.id}'`,
    );
    await order(app);
    await world.database.sql(`update application set managed_environment_id = null where application_id = '${app.id}'`);
    await setSpec(app, originalText({ destination: '""' })(app.name));
    await order(app);
    expect((await read(app.name)).spec.destination).toEqual({ namespace: 'team' });
  });

  it('that somebody changed is mended by the next Operation, label included, and what is not ours is left', async () => {
    const app = await rows.application(tenant, originalText());
    await order(app);
    await patch(app.name, {
      metadata: { labels: { theirs: 'kept' }, annotations: { note: 'kept' } },
      spec: {
        source: { path: 'wrong', directory: { recurse: true } },
        syncPolicy: { automated: null },
        revisionHistoryLimit: 3,
      },
    });
    const body = { metadata: { labels: { databaseID: null } } };
    await world.client.patch(applications, { namespace: engineNamespace, name: app.name }, { type: 'merge', body });
    await order(app);
    const { metadata, spec } = await read(app.name);
    expect(metadata.labels).toEqual({ databaseID: app.id, theirs: 'kept' });
    expect(metadata.annotations).toEqual({ note: 'kept' });
    expect(spec).toMatchObject({ source: { path: 'app' }, syncPolicy: { automated: { prune: true } } });
    expect(spec).toHaveProperty('revisionHistoryLimit', 3);
  });

  it('that is right is not written, however often the agent is told', async () => {
    const app = await rows.application(tenant, originalText());
    await order(app);
    await eventually('the cache has it', async () => {
      const before = await read(app.name);
      const ended = await order(app);
      const after = await read(app.name);
      return ended.state === 'Completed' && before.metadata.resourceVersion === after.metadata.resourceVersion;
    });
    const writes = await world.quiet();
    await order(app);
    const { requests } = await world.quiet();
    expect(requests).toEqual({
      ...writes.requests,
      'create operations': (writes.requests['create operations'] ?? 0) + 1,
    });
  });

  it('whose source changes has its running sync ended; one that only gets another policy has not', async () => {
    const app = await rows.application(tenant, originalText());
    await order(app);
    const running = {
      operation: { sync: { revision: 'a'.repeat(40) } },
      status: {
        operationState: {
          phase: 'Running',
          startedAt: '2026-01-02T03:04:05Z',
          operation: { sync: { revision: 'a'.repeat(40) } },
        },
      },
    };
    await patch(app.name, running);
    await setSpec(app, originalText({ policy: ' null' })(app.name));
    await order(app);
    expect((await read(app.name)).status?.operationState?.phase).toBe('Running');
    await setSpec(app, originalText({ policy: ' null', path: 'moved' })(app.name));
    await order(app);
    const { spec, status, operation } = await read(app.name);
    expect(spec.source?.path).toBe('moved');
    expect(status?.operationState?.phase).toBe('Terminating');
    expect(operation, 'Argo CD itself takes it away').toBeDefined();
  });

  it('whose source changes before a sync was begun has the order taken back', async () => {
    const app = await rows.application(tenant, originalText());
    await order(app);
    await patch(app.name, { operation: { sync: { revision: 'a'.repeat(40) } } });
    await setSpec(app, originalText({ path: 'moved' })(app.name));
    await order(app);
    expect((await read(app.name)).operation).toBeUndefined();
  });

  it('that is being deleted by somebody is made again afterwards', async () => {
    const app = await rows.application(tenant, originalText());
    await order(app);
    await patch(app.name, { metadata: { finalizers: ['example.com/slow'] } });
    await seen(() => world.client.delete(applications, { namespace: engineNamespace, name: app.name }));
    const id = await rows.order(tenant, app.id);
    const waiting = await eventually('it waits', async () => {
      const found = await rows.ticket(id);
      return found?.human_readable_state ? found : undefined;
    });
    expect(waiting).toEqual({
      state: 'In_Progress',
      human_readable_state: `Application ${app.name} is being deleted; it is made again afterwards`,
    });
    await patch(app.name, { metadata: { finalizers: null } });
    expect((await rows.ended(id)).state).toBe('Completed');
    expect((await read(app.name)).metadata.labels).toEqual({ databaseID: app.id });
  });
});

describe('an Operation', () => {
  it('fails where the API server finds the Application invalid, with its words', async () => {
    const app = await rows.application(tenant, () => specText()('No_Name'));
    const ended = await order(app);
    expect(ended.state).toBe('Failed');
    expect(ended.human_readable_state).toMatch(/^Application\.argoproj\.io "No_Name" is invalid: metadata\.name: /);
  });

  it.each([
    ['is no YAML', '][', /^the application's row can't be read: /],
    ['is no Application', 'hello', /^the application's row can't be read: it describes no Application$/],
  ])('fails where the row %s, and leaves the Application as it is', async (_what, text, message) => {
    const app = await rows.application(tenant, originalText());
    await order(app);
    const before = await read(app.name);
    await setSpec(app, text);
    const ended = await order(app);
    expect(ended.state).toBe('Failed');
    expect(ended.human_readable_state).toMatch(message);
    expect((await read(app.name)).spec).toEqual(before.spec);
  });

  it('fails where Argo CD was made again since the row was written', async () => {
    const app = await rows.application(tenant, originalText());
    const { metadata } = await world.client.get(namespaces, { name: engineNamespace });
    await world.database.sql(`update gitopsengineinstance set namespace_uid = 'another'`);
    const ended = await order(app);
    await world.database.sql(`update gitopsengineinstance set namespace_uid = '${metadata.uid}'`);
    expect(ended.state).toBe('Failed');
    expect(ended.human_readable_state).toContain('it has been made again');
    expect(await find(app.name)).toBeUndefined();
  });

  it('fails with the words of the API server where that refuses the object', async () => {
    const app = await rows.application(tenant, () => originalText()('Not_A_Name'));
    const ended = await order(app);
    expect(ended.state).toBe('Failed');
    expect(ended.human_readable_state).toContain('Not_A_Name');
  });

  it('of another Argo CD is left alone', async () => {
    const app = await rows.application(tenant, originalText());
    await world.database.sql(`insert into gitopsengineinstance
      (gitopsengineinstance_id, namespace_name, namespace_uid, enginecluster_id)
      values ('elsewhere', 'elsewhere', 'elsewhere', 'cluster') on conflict do nothing`);
    await world.database.sql(`insert into operation (operation_id, instance_id, resource_id, resource_type, created_on,
      last_state_update, state) values ('not-ours', 'elsewhere', '${app.id}', 'Application', now(), now(), 'Waiting')`);
    await order(app);
    expect((await rows.ticket('not-ours'))?.state).toBe('Waiting');
  });
});

describe("a tenant's project", () => {
  const project = () =>
    orAbsent(world.client.get(appProjects, { namespace: engineNamespace, name: `app-project-${tenant.id}` }));

  it('permits its repositories, and its own namespace of this cluster', async () => {
    await rows.permit(tenant, 'https://github.com/org/another');
    await order(await rows.application(tenant, originalText()));
    expect((await project())?.spec).toEqual({
      sourceRepos: ['https://github.com/org/another', 'https://github.com/org/repo'],
      destinations: [{ name: 'in-cluster', namespace: tenant.namespace }],
    });
    expect((await project())?.metadata.annotations).toEqual({ username: tenant.id });
  });

  it('that somebody changed is mended, annotation included', async () => {
    const app = await rows.application(tenant, originalText());
    await order(app);
    await world.client.patch(
      appProjects,
      { namespace: engineNamespace, name: `app-project-${tenant.id}` },
      { type: 'merge', body: { metadata: { annotations: { username: 'x' } }, spec: { sourceRepos: ['*'] } } },
    );
    await eventually('it is mended', async () => {
      await order(app);
      const found = await project();
      return (
        found?.spec.sourceRepos?.join() === 'https://github.com/org/repo' &&
        found.metadata.annotations?.['username'] === tenant.id
      );
    });
  });

  it('loses a repository only when no Application uses it any more, deleting ones included', async () => {
    const own = `app-project-${tenant.id}`;
    const first = await rows.application(tenant, originalText({ project: own }));
    await order(first);
    const second = await rows.application(tenant, originalText({ project: own }));
    await order(second);
    await patch(first.name, { metadata: { finalizers: ['example.com/slow'] } });
    await world.database.sql(`delete from application where application_id = '${first.id}'`);
    await world.database.sql(`update appprojectrepository set repo_url = 'https://github.com/org/next'
      where clusteruser_id = '${tenant.id}'`);
    await setSpec(second, originalText({ project: own })(second.name).replace('org/repo', 'org/next'));
    const deleting = await rows.order(tenant, first.id);
    await order(second);
    expect((await project())?.spec.sourceRepos).toEqual(['https://github.com/org/next', 'https://github.com/org/repo']);
    await eventually('the first is being deleted', async () => (await read(first.name)).metadata.deletionTimestamp);
    await patch(first.name, { metadata: { finalizers: null } });
    await rows.ended(deleting);
    await eventually('it has shrunk', async () => (await project())?.spec.sourceRepos?.length === 1);
    expect((await project())?.spec.sourceRepos).toEqual(['https://github.com/org/next']);
  });
});
