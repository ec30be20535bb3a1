// Our agent beside the original's backend: it acts on that backend's rows and objects, and writes what that backend reads.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appProjects } from '../../../src/api/argocd/app-project.ts';
import { applications } from '../../../src/api/argocd/application.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../../kit/agent-rows.ts';
import { eventually } from '../../kit/eventually.ts';
import { originalSpecField } from '../../kit/original-texts.ts';
import { createWorld, engineNamespace, type World } from '../../kit/world.ts';
import { secrets } from '../../../src/kube/object.ts';
import { copyToOriginal, oddKeys, readOriginalStatus } from './original-half.ts';

const repoURL = 'https://github.com/org/repo';
const spec =
  (cluster = 'in-cluster', project = `app-project-${tenant.id}`) =>
  (name: string): string =>
    originalSpecField({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace: engineNamespace },
      spec: {
        source: { repoURL, path: 'app', targetRevision: 'main' },
        destination: { name: cluster, namespace: 'team' },
        project,
        syncPolicy: {
          automated: { prune: true, selfHeal: true, allowEmpty: true },
          syncOptions: ['PrunePropagationPolicy=background'],
          retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
        },
      },
    });

let world: World;
let rows: AgentRows;
let tenant: TenantRow;
let application: ApplicationRows;

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
  tenant = await rows.tenant('team');
  await rows.permit(tenant, repoURL);
  application = await rows.application(tenant, spec());
  await world.start('agent', { flags: { compat: 'original' } });
});
afterAll(() => world.stop());

const object = () => world.client.get(applications, { namespace: engineNamespace, name: application.name });

/** What Argo CD and the original's agent find in a Secret. */
const secret = async (name: string) => {
  const { metadata, type, data = {} } = await world.client.get(secrets, { namespace: engineNamespace, name });
  const texts = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  return { labels: metadata.labels, annotations: metadata.annotations, type, data: Object.fromEntries(texts) };
};

describe('our agent and the backend of the original', () => {
  it('an Operation ends as Completed, without a message', async () => {
    expect(await rows.carriedOut(tenant, application.id)).toEqual({ state: 'Completed', human_readable_state: null });
  });

  it('the Application bears the name and the label of its row, and is what spec_field says', async () => {
    const made = await object();
    expect(made.metadata.labels).toEqual({ databaseID: application.id });
    expect(made.spec).toMatchObject({
      source: { repoURL, path: 'app', targetRevision: 'main' },
      destination: { name: 'in-cluster', namespace: 'team' },
      project: `app-project-${tenant.id}`,
      syncPolicy: { syncOptions: ['PrunePropagationPolicy=background'], retry: { limit: -1 } },
    });
  });

  it("the AppProject has the owner's repositories, in-cluster as its last destination, and the owner's name", async () => {
    const project = await world.client.get(appProjects, {
      namespace: engineNamespace,
      name: `app-project-${tenant.id}`,
    });
    expect(project.metadata.annotations).toMatchObject({ username: tenant.id });
    expect(project.spec.sourceRepos).toEqual([repoURL]);
    expect(project.spec.destinations?.at(-1)).toMatchObject({ name: 'in-cluster' });
  });

  it('the reported status is what the original decodes', async () => {
    const status = {
      health: { status: 'Healthy' },
      sync: {
        status: 'Synced',
        revision: 'c0ffee',
        comparedTo: { source: { repoURL, path: 'app' }, destination: { name: 'in-cluster', namespace: 'team' } },
      },
      resources: [{ version: 'v1', kind: 'ConfigMap', namespace: 'team', name: 'yes', status: 'Synced' }],
      conditions: [{ type: 'SyncError', message: 'one\ntwo: "three"', lastTransitionTime: '2026-01-31T12:00:00Z' }],
    };
    await world.client.patch(
      applications,
      { namespace: engineNamespace, name: application.name },
      { type: 'merge', body: { status } },
    );
    const blob = await eventually('it is stored', async () => {
      const [row] = await world.database.sql<{ status: Buffer | null }>(
        `select argocd_application_status as status from applicationstate where applicationstate_application_id = '${application.id}'`,
      );
      const read = row?.status && readOriginalStatus(row.status);
      return JSON.stringify(read).includes('c0ffee') && read;
    });
    expect(oddKeys(blob)).toEqual([]);
    expect(blob).toMatchObject({
      health: { status: 'Healthy', message: '' },
      sync: {
        status: 'Synced',
        revision: 'c0ffee',
        comparedto: {
          source: { repourl: repoURL, path: 'app', targetrevision: '' },
          destination: { namespace: 'team' },
        },
      },
      resources: [
        { group: '', version: 'v1', kind: 'ConfigMap', namespace: 'team', name: 'yes', status: 'Synced', health: null },
      ],
      conditions: [{ type: 'SyncError', message: 'one\ntwo: "three"', lasttransitiontime: '2026-01-31T12:00:00Z' }],
      operationstate: null,
    });
  });

  it("every row fits the original's schema", async () => {
    expect(await copyToOriginal(world.database)).toMatchObject({ application: 1, applicationstate: 1, operation: 1 });
  });

  it('an Operation about a row that is gone removes the Application, and the AppProject once nothing is left', async () => {
    await rows.forbid(tenant);
    await world.database.sql(`delete from applicationstate`);
    await world.database.sql(`delete from applicationowner`);
    await world.database.sql(`delete from application where application_id = '${application.id}'`);
    const id = await rows.order(tenant, application.id);
    await eventually('it is being deleted', async () => (await object()).metadata.deletionTimestamp);
    const name = application.name;
    const body = { metadata: { finalizers: null } };
    await world.client.patch(applications, { namespace: engineNamespace, name }, { type: 'merge', body });
    expect(await rows.ended(id)).toMatchObject({ state: 'Completed' });
    const { items } = await world.client.list(appProjects, { namespace: engineNamespace });
    expect(items.map((project) => project.metadata.name)).not.toContain(`app-project-${tenant.id}`);
  });
});

describe("environments and credentials in the original's rows", () => {
  beforeAll(async () => {
    tenant = await rows.tenant('second-team');
    await rows.permit(tenant, repoURL);
  });

  it("an environment is a cluster Secret that the original's agent would not change, and comes first in the AppProject", async () => {
    const [second, first] = [
      await rows.environment(tenant, { insecure: true, namespaces: 'one,two', clusterResources: true }),
      await rows.environment(tenant),
    ];
    const deployed = [second, first].map((id) =>
      rows.application(tenant, spec(`managed-env-${id}`), { environment: id }),
    );
    for (const { id } of await Promise.all(deployed)) {
      expect(await rows.carriedOut(tenant, id)).toEqual({ state: 'Completed', human_readable_state: null });
    }
    expect(await secret(`managed-env-${second}`)).toEqual({
      labels: { 'argocd.argoproj.io/secret-type': 'cluster', databaseID: second },
      annotations: undefined,
      type: 'Opaque',
      data: {
        name: `managed-env-${second}`,
        server: `https://cluster.example:6443?managedEnvironment=${second}`,
        config: '{"bearerToken":"token-of-the-cluster","tlsClientConfig":{"insecure":true}}',
        clusterResources: 'true',
        namespaces: 'one,two',
      },
    });
    expect((await secret(`managed-env-${first}`)).data).toEqual({
      name: `managed-env-${first}`,
      server: `https://cluster.example:6443?managedEnvironment=${first}`,
      config: '{"bearerToken":"token-of-the-cluster","tlsClientConfig":{"insecure":false}}',
    });
    const ref = { namespace: engineNamespace, name: `app-project-${tenant.id}` };
    expect((await world.client.get(appProjects, ref)).spec.destinations).toEqual([
      { name: `managed-env-${second}`, namespace: '*' },
      { name: `managed-env-${first}`, namespace: '*' },
      { name: 'in-cluster', namespace: '*' },
    ]);
  });

  it("a credential is a repository Secret that the original's agent would read as its own", async () => {
    const other = await rows.tenant('other-team');
    await rows.application(other, spec('in-cluster', 'default'));
    const id = await rows.credential(other, {
      url: 'https://github.com/Org/Private.git',
      normalizedUrl: 'https://github.com/org/private',
      user: 'me',
      password: 'pass',
      ssh: 'KEY',
      secret: 'my-secret',
    });
    expect(await rows.carriedOut(other, id, 'RepositoryCredentials')).toMatchObject({ state: 'Completed' });
    expect(await secret(`repo-cred-${id}`)).toEqual({
      labels: { 'argocd.argoproj.io/secret-type': 'repository', databaseID: id },
      annotations: { 'managed-by': 'argocd.argoproj.io' },
      type: 'Opaque',
      data: {
        name: 'my-secret',
        url: 'https://github.com/Org/Private.git',
        username: 'me',
        password: 'pass',
        sshPrivateKey: 'KEY',
      },
    });
  });

  it('a credential of a tenant with a project of its own is for that project alone', async () => {
    const id = await rows.credential(tenant, { url: 'https://github.com/org/mine' });
    await rows.carriedOut(tenant, id, 'RepositoryCredentials');
    expect((await secret(`repo-cred-${id}`)).data).toEqual({
      name: 'my-secret',
      url: 'https://github.com/org/mine',
      project: `app-project-${tenant.id}`,
    });
    await world.database.sql(`delete from appprojectrepository where repo_url = 'https://github.com/org/mine'`);
    await world.database.sql(`delete from repositorycredentials where repositorycredentials_id = '${id}'`);
    expect(await rows.carriedOut(tenant, id, 'RepositoryCredentials')).toMatchObject({ state: 'Completed' });
    await expect(secret(`repo-cred-${id}`)).rejects.toThrow('not found');
  });

  it('an environment that is removed takes its Secret with it, once its Application has no destination', async () => {
    const environment = await rows.environment(tenant);
    const app = await rows.application(tenant, spec(`managed-env-${environment}`), { environment });
    await rows.carriedOut(tenant, app.id);
    await rows.removeEnvironment(environment);
    const text = spec('')(app.name).replaceAll("'", "''");
    await world.database.sql(`update application set spec_field = '${text}' where application_id = '${app.id}'`);
    const tickets = [await rows.order(tenant, app.id), await rows.order(tenant, environment, 'ManagedEnvironment')];
    for (const ticket of tickets) expect(await rows.ended(ticket)).toMatchObject({ state: 'Completed' });
    const { spec: corrected } = await world.client.get(applications, { namespace: engineNamespace, name: app.name });
    expect(corrected.destination).toEqual({ namespace: 'team' });
    await expect(secret(`managed-env-${environment}`)).rejects.toThrow('not found');
  });
});
