// Argo CD's Secrets, and projects without Applications: what others change is put right, what has no row goes, with proof.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { secrets, type Secret } from '../../src/kube/object.ts';
import { isEqualJson } from '../../src/kube/patch.ts';
import type { Selection } from '../../src/kube/client.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../kit/agent-rows.ts';
import { orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type HalfOptions, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let rows: AgentRows;
let tenant: TenantRow;
let agent: RunningHalf;

const refOf = (name: string) => ({ namespace: engineNamespace, name });
const read = (name: string): Promise<Secret | undefined> => orAbsent(world.client.get(secrets, refOf(name)));
const project = () => orAbsent(world.client.get(appProjects, refOf(`app-project-${tenant.id}`)));
const start = async (flags: Record<string, string> = {}, more: HalfOptions = {}): Promise<void> => {
  agent = await world.start('agent', { flags, ...more });
};
const clusterOf = async (): Promise<{ readonly name: string; readonly id: string; readonly app: ApplicationRows }> => {
  const id = await rows.environment(tenant);
  const spec = specText({ cluster: `managed-env-${id}`, project: `app-project-${tenant.id}` });
  const app = await rows.application(tenant, spec, { environment: id });
  await rows.carriedOut(tenant, app.id);
  return { name: `managed-env-${id}`, id, app };
};
const repositoryOf = async (): Promise<{ readonly name: string; readonly id: string }> => {
  const id = await rows.credential(tenant, { url: `https://github.com/org/${systemRandom.uuid()}`, user: 'me' });
  await rows.carriedOut(tenant, id, 'RepositoryCredentials');
  return { name: `repo-cred-${id}`, id };
};
const meaning = (secret: Secret | undefined) => secret && { labels: secret.metadata.labels, data: secret.data };
const patch = (name: string, body: unknown) => world.client.patch(secrets, refOf(name), { type: 'merge', body });
/** Waits until a Secret means the same again, having changed since. */
const putRight = (before: Secret | undefined) =>
  eventually('it is put right', async () => {
    const now = await read(before?.metadata.name ?? '');
    return now?.metadata.resourceVersion !== before?.metadata.resourceVersion
      ? isEqualJson(meaning(now), meaning(before))
      : undefined;
  });

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
});
beforeEach(async () => {
  tenant = await rows.tenant('team');
  await rows.permit(tenant, 'https://github.com/org/repo');
});
afterEach(() => agent.process.stop());
afterAll(() => world.stop());

describe.each([
  ['cluster', clusterOf],
  ['repository', repositoryOf],
] as const)('a %s Secret', (_kind, make) => {
  it.each([
    ['content', { data: { name: 'eA==', more: 'eA==' } }],
    ['content, all of it,', { data: null }],
    ['id', { metadata: { labels: { databaseID: null } } }],
    ['type', { metadata: { labels: { 'argocd.argoproj.io/secret-type': null } } }],
  ])('whose %s is changed by hand is put right', async (_what, body) => {
    await start();
    const { name } = await make();
    await world.quiet();
    const before = await read(name);
    await patch(name, body);
    await putRight(before);
  });

  it('that is deleted by hand is made again', async () => {
    await start();
    const { name } = await make();
    const before = await read(name);
    await world.client.delete(secrets, refOf(name));
    await putRight(before);
  });

  it('that was changed, or deleted, while the agent was down is put right when it starts', async () => {
    await start();
    const [changed, deleted] = [await make(), await make()];
    const before = [await read(changed.name), await read(deleted.name)];
    await agent.process.stop();
    await patch(changed.name, { data: { name: 'eA==' } });
    await world.client.delete(secrets, refOf(deleted.name));
    await start();
    await putRight(before[0]);
    await putRight(before[1]);
  });
});

describe('a Secret', () => {
  it('of a cluster that no Application needs is not made', async () => {
    const environment = await rows.environment(tenant);
    await start();
    await world.quiet();
    expect(await read(`managed-env-${environment}`)).toBeUndefined();
  });

  it('of a credential of another Argo CD in the same database is neither made nor changed', async () => {
    await world.database.sql(`
      insert into gitopsengineinstance (gitopsengineinstance_id, namespace_name, namespace_uid, enginecluster_id)
      values ('instance-${tenant.id.slice(0, 8)}', 'elsewhere', '${systemRandom.uuid()}', 'cluster')`);
    const id = await rows.credential(tenant, { instanceId: `instance-${tenant.id.slice(0, 8)}` });
    await start();
    const name = `repo-cred-${id}`;
    await world.quiet();
    expect(await read(name)).toBeUndefined();
    const labels = { 'argocd.argoproj.io/secret-type': 'repository' };
    await world.client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { ...refOf(name), labels } });
    await world.quiet();
    expect((await read(name))?.data).toBeUndefined();
  });

  it('is looked for in the namespace of Argo CD only, and only where it is for Argo CD', async () => {
    const asked: Selection[] = [];
    await start(
      {},
      {
        client: (client) => ({
          ...client,
          watch(resource, options) {
            if (resource.plural === 'secrets') asked.push(options);
            return client.watch(resource, options);
          },
          list(resource, options) {
            if (resource.plural === 'secrets') asked.push(options ?? {});
            return client.list(resource, options);
          },
        }),
      },
    );
    await world.quiet();
    const selections = asked.map(({ namespace, labelSelector }) => ({ namespace, labelSelector }));
    const only = { namespace: engineNamespace, labelSelector: 'argocd.argoproj.io/secret-type' };
    expect(new Set(selections.map((one) => JSON.stringify(one)))).toEqual(new Set([JSON.stringify(only)]));
  });
});

describe('a project without Applications', () => {
  it('that is changed or deleted by hand is put right', async () => {
    await start();
    await repositoryOf();
    const before = await project();
    const ref = refOf(`app-project-${tenant.id}`);
    const body = { spec: { sourceRepos: ['*'], destinations: null }, metadata: { annotations: null } };
    await world.client.patch(appProjects, ref, { type: 'merge', body });
    await eventually(
      'it is put right',
      async () => JSON.stringify((await project())?.spec) === JSON.stringify(before?.spec),
    );
    expect((await project())?.metadata.annotations).toEqual({ username: tenant.id });
    await world.client.delete(appProjects, ref);
    await eventually(
      'it is made again',
      async () => JSON.stringify((await project())?.spec) === JSON.stringify(before?.spec),
    );
  });

  it('that was deleted while the agent was down is made again when it starts', async () => {
    await start();
    await repositoryOf();
    await agent.process.stop();
    await world.client.delete(appProjects, refOf(`app-project-${tenant.id}`));
    await start();
    await eventually('it is made again', project);
  });

  it('goes when nothing in the rows asks for it, and one of a tenant that nobody knows stays', async () => {
    const nobody = 'app-project-nobody';
    for (const name of [`app-project-${tenant.id}`, nobody]) {
      await world.client.create(appProjects, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: refOf(name),
        spec: { sourceRepos: ['https://github.com/org/repo'], destinations: [{ name: 'in-cluster', namespace: '*' }] },
      });
    }
    await rows.forbid(tenant);
    await start();
    await eventually('it is gone', async () => (await project()) === undefined);
    await world.quiet();
    expect(await orAbsent(world.client.get(appProjects, refOf(nobody)))).toBeDefined();
    await world.client.delete(appProjects, refOf(nobody));
  });
});

describe('a Secret without a row', () => {
  const soon = { 'orphan-age': '1ms', 'orphan-second-look': '100ms', resync: '100ms' };
  const orphan = async (kind: 'cluster' | 'repository', change: Partial<Secret['metadata']> = {}): Promise<string> => {
    const id = systemRandom.uuid();
    const name = kind === 'cluster' ? `managed-env-${id}` : `repo-cred-${id}`;
    const labels = { 'argocd.argoproj.io/secret-type': kind, databaseID: id };
    const metadata = { ...refOf(name), labels, ...change };
    await world.client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata, data: { name: 'eA==' } });
    return metadata.name;
  };
  const gone = (name: string) => eventually(`${name} is gone`, async () => (await read(name)) === undefined);

  it('is removed, be it of a cluster or of a repository', async () => {
    const names = [await orphan('cluster'), await orphan('repository')];
    await start(soon);
    for (const name of names) await gone(name);
  });

  it('stays when it is young, or has been seen once only', async () => {
    const name = await orphan('repository');
    await start({ ...soon, 'orphan-age': '1h' });
    await world.quiet();
    await agent.process.stop();
    await start({ ...soon, 'orphan-second-look': '10m' });
    await world.quiet();
    expect(await read(name)).toBeDefined();
    await world.client.delete(secrets, refOf(name));
  });

  it('stays when it has another label or name than ours', async () => {
    const labels = { 'argocd.argoproj.io/secret-type': 'repository' };
    const names = [
      await orphan('repository', { labels }),
      await orphan('cluster', { labels: { ...labels, databaseID: 'another' } }),
      await orphan('cluster', { name: 'my-cluster' }),
    ];
    const other = await orphan('repository');
    await start(soon);
    await gone(other);
    await world.quiet();
    for (const name of names) {
      expect(await read(name), name).toBeDefined();
      await world.client.delete(secrets, refOf(name));
    }
  });

  it('stays as long as an Application uses the cluster', async () => {
    await start(soon);
    const { name, id, app } = await clusterOf();
    await rows.removeEnvironment(id);
    const other = await orphan('cluster');
    await gone(other);
    expect(await read(name)).toBeDefined();
    const spec = specText({ cluster: '', project: `app-project-${tenant.id}` })(app.name);
    await world.database.sql(`update application set spec_field = '${spec}' where application_id = '${app.id}'`);
    await rows.carriedOut(tenant, app.id);
    await gone(name);
  });

  it('stays when the database does not know this Argo CD, as an empty or another one would not', async () => {
    const name = await orphan('repository');
    await world.database.sql(`update gitopsengineinstance set namespace_uid = 'other-' || namespace_uid`);
    await start(soon);
    await world.quiet();
    expect(await read(name)).toBeDefined();
    await world.database.sql(`update gitopsengineinstance set namespace_uid = replace(namespace_uid, 'other-', '')`);
    await gone(name);
  });

  it('stays when there are more of them than is believed', async () => {
    const names = [await orphan('repository'), await orphan('cluster')];
    await start({ ...soon, 'max-orphans': '1' });
    await world.quiet();
    for (const name of names) expect(await read(name)).toBeDefined();
    await world.client.delete(secrets, refOf(names[0] ?? ''));
    await gone(names[1] ?? '');
  });
});
