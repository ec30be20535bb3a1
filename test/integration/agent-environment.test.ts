// The agent and managed environments: a cluster Secret is right before an Application needs it, and stays until none does.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { refreshAnnotation } from '../../src/api/labels.ts';
import { secrets } from '../../src/kube/object.ts';
import { createKeyring } from '../../src/lib/envelope.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../kit/agent-rows.ts';
import { capturedLog } from '../kit/captured-log.ts';
import { orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createKeptAnswers } from '../kit/kept-answers.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

const keyring = createKeyring([{ id: 'k1', key: Buffer.alloc(32, 7) }]);
const { log, lines } = capturedLog();
const claims = createKeptAnswers('agent-claim');
/** Writes to objects in the order in which they were sent. */
const sent: string[] = [];

let world: World;
let rows: AgentRows;
let tenant: TenantRow;

const refOf = (name: string) => ({ namespace: engineNamespace, name });
const secretOf = async (id: string) => {
  const secret = await orAbsent(world.client.get(secrets, refOf(`managed-env-${id}`)));
  if (!secret) return undefined;
  const data = Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  return { labels: secret.metadata.labels, version: secret.metadata.resourceVersion, data: Object.fromEntries(data) };
};
const find = (app: ApplicationRows) => orAbsent(world.client.get(applications, refOf(app.name)));
const destinations = async () =>
  (await orAbsent(world.client.get(appProjects, refOf(`app-project-${tenant.id}`))))?.spec.destinations;
const specOn = (environment: string) =>
  specText({ cluster: environment && `managed-env-${environment}`, project: `app-project-${tenant.id}` });
const application = (environment: string): Promise<ApplicationRows> =>
  rows.application(tenant, specOn(environment), { environment });
const made = async (environment: string): Promise<ApplicationRows> => {
  const app = await application(environment);
  expect(await rows.carriedOut(tenant, app.id)).toEqual({ state: 'Completed', human_readable_state: null });
  return app;
};
const setCredentials = (environment: string, values: string) =>
  world.database.sql(
    `update clustercredentials set ${values} where clustercredentials_cred_id = 'credentials-${environment.slice(0, 8)}'`,
  );
/** What a backend does to an application whose environment is removed. */
const withoutCluster = (app: ApplicationRows) =>
  world.database.sql(
    `update application set spec_field = '${specOn('')(app.name)}' where application_id = '${app.id}'`,
  );
const waiting = (ticket: string) =>
  eventually('it waits', async () => (await rows.ticket(ticket))?.state === 'In_Progress');

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
  await world.start('agent', {
    keyring,
    log,
    gate: claims.gate,
    client: (client) => ({
      ...client,
      create(resource, object, options) {
        sent.push(`create ${resource.plural} ${object.metadata.name}`);
        return client.create(resource, object, options);
      },
      patch(resource, ref, patch) {
        sent.push(`patch ${resource.plural} ${ref.name}`);
        return client.patch(resource, ref, patch);
      },
    }),
  });
});
beforeEach(async () => {
  tenant = await rows.tenant('team');
  await rows.permit(tenant, 'https://github.com/org/repo');
});
afterAll(() => world.stop());

describe('the cluster Secret of an environment', () => {
  it('is there, whole, before the Application that names it', async () => {
    const environment = await rows.environment(tenant, {
      token: keyring.seal('secret-token-1'),
      insecure: true,
      namespaces: 'a,b',
      clusterResources: true,
    });
    const app = await made(environment);
    expect(await secretOf(environment)).toMatchObject({
      labels: { 'argocd.argoproj.io/secret-type': 'cluster', databaseID: environment },
      data: {
        name: `managed-env-${environment}`,
        server: `https://cluster.example:6443?managedEnvironment=${environment}`,
        config: '{"bearerToken":"secret-token-1","tlsClientConfig":{"insecure":true}}',
        clusterResources: 'true',
        namespaces: 'a,b',
      },
    });
    expect(sent.filter((one) => one.includes(environment) || one.includes(app.name))).toEqual([
      `create secrets managed-env-${environment}`,
      `create applications ${app.name}`,
    ]);
    expect(await destinations()).toEqual([
      { name: `managed-env-${environment}`, namespace: '*' },
      { name: 'in-cluster', namespace: 'team' },
    ]);
  });

  it('is there before an Application is pointed at it', async () => {
    const [first, second] = [await rows.environment(tenant), await rows.environment(tenant)];
    const app = await made(first);
    const since = sent.length;
    await world.database.sql(`update application set managed_environment_id = '${second}',
      spec_field = '${specOn(second)(app.name)}' where application_id = '${app.id}'`);
    await rows.carriedOut(tenant, app.id);
    expect(sent.slice(since)).toEqual([`create secrets managed-env-${second}`, `patch applications ${app.name}`]);
    expect((await find(app))?.spec.destination.name).toBe(`managed-env-${second}`);
  });

  it('brings a credential that changed to Argo CD with the Operation of any Application that uses it', async () => {
    const environment = await rows.environment(tenant, { namespaces: 'a', clusterResources: true });
    const app = await made(environment);
    await setCredentials(
      environment,
      `serviceaccount_bearer_token = 'rotated', namespaces = null, cluster_resources = null`,
    );
    await rows.carriedOut(tenant, app.id);
    expect((await secretOf(environment))?.data).toEqual({
      name: `managed-env-${environment}`,
      server: `https://cluster.example:6443?managedEnvironment=${environment}`,
      config: '{"bearerToken":"rotated","tlsClientConfig":{"insecure":false}}',
    });
  });

  it('that changes has Argo CD look at the Applications that use it, which it would else do minutes later', async () => {
    const environment = await rows.environment(tenant);
    const app = await made(environment);
    await world.quiet();
    const refreshOf = async () => (await find(app))?.metadata.annotations?.[refreshAnnotation];
    expect(await refreshOf()).toBeUndefined();
    await setCredentials(environment, `serviceaccount_bearer_token = 'rotated'`);
    await rows.carriedOut(tenant, app.id);
    await eventually('it is asked to look', async () => (await refreshOf()) === 'normal');
  });

  it('that is right is not written again', async () => {
    const environment = await rows.environment(tenant);
    const app = await made(environment);
    const before = await secretOf(environment);
    await rows.carriedOut(tenant, app.id);
    await world.quiet();
    expect(await secretOf(environment)).toEqual(before);
  });

  it('is not made for a URL with a query, nor is the Application; the Operation says why', async () => {
    const environment = await rows.environment(tenant, { host: 'https://cluster.example?x=1' });
    const app = await application(environment);
    expect(await rows.carriedOut(tenant, app.id)).toEqual({
      state: 'Failed',
      human_readable_state: 'the Kubernetes API URL contained unsupported characters: https://cluster.example?x=1',
    });
    expect([await find(app), await secretOf(environment)]).toEqual([undefined, undefined]);
  });

  it('is not needed by an Application on the cluster of Argo CD itself', async () => {
    const app = await rows.application(tenant, specText({ project: `app-project-${tenant.id}` }));
    await rows.carriedOut(tenant, app.id);
    expect(await secretOf('environment')).toBeUndefined();
  });

  it('is never written with a token that a later change has replaced', async () => {
    const environment = await rows.environment(tenant);
    const [one, other] = [await made(environment), await made(environment)];
    await world.quiet();
    claims.close('next');
    await setCredentials(environment, `serviceaccount_bearer_token = 'middle'`);
    const early = await rows.order(tenant, one.id);
    await claims.untilKept();
    await setCredentials(environment, `serviceaccount_bearer_token = 'newest'`);
    await rows.carriedOut(tenant, other.id);
    const written = await secretOf(environment);
    claims.open();
    await rows.ended(early);
    await world.quiet();
    expect(await secretOf(environment)).toEqual(written);
    expect(written?.data.config).toContain('newest');
  });

  it('whose key is not given keeps the Application waiting, and the sealed text to itself', async () => {
    const sealed = createKeyring([{ id: 'k9', key: Buffer.alloc(32, 9) }]).seal('secret-token-9');
    const environment = await rows.environment(tenant, { token: sealed });
    const app = await application(environment);
    const ticket = await rows.order(tenant, app.id);
    await eventually('it is logged', () => lines.some((line) => JSON.stringify(line).includes('the key \\"k9\\"')));
    expect(await rows.ticket(ticket)).toEqual({ state: 'In_Progress', human_readable_state: null });
    expect(JSON.stringify(lines)).not.toContain(sealed);
    await setCredentials(environment, `serviceaccount_bearer_token = 'plain'`);
    expect((await rows.ended(ticket)).state).toBe('Completed');
  });
});

describe('an environment that is removed', () => {
  const remove = async (environment: string): Promise<string> => {
    await rows.removeEnvironment(environment);
    return rows.order(tenant, environment, 'ManagedEnvironment');
  };

  it('fails to be while its row is there, and nothing is touched', async () => {
    const environment = await rows.environment(tenant);
    await made(environment);
    const before = await secretOf(environment);
    expect(await rows.carriedOut(tenant, environment, 'ManagedEnvironment')).toEqual({
      state: 'Failed',
      human_readable_state: 'managed environment still exists in the database',
    });
    expect(await secretOf(environment)).toEqual(before);
  });

  it('has its Secret removed as soon as its last Application goes elsewhere, and the project permits it no more', async () => {
    const [environment, other] = [await rows.environment(tenant), await rows.environment(tenant)];
    const [one, two] = [await made(environment), await made(environment)];
    const ticket = await remove(environment);
    await waiting(ticket);
    await withoutCluster(one);
    await rows.carriedOut(tenant, one.id);
    expect(await secretOf(environment)).toBeDefined();
    let events = 0;
    await eventually('the user is told who is waited for', async () => {
      const body = { metadata: { labels: { event: String((events += 1)) } } };
      await world.client.patch(applications, refOf(two.name), { type: 'merge', body });
      const message = (await rows.ticket(ticket))?.human_readable_state;
      return message === `managed-env-${environment} waits for Application ${two.name}, which uses it`;
    });
    await withoutCluster(two);
    await rows.carriedOut(tenant, two.id);
    expect(await rows.ended(ticket)).toEqual({ state: 'Completed', human_readable_state: null });
    expect(await secretOf(environment)).toBeUndefined();
    expect(await destinations()).toEqual([
      { name: `managed-env-${other}`, namespace: '*' },
      { name: 'in-cluster', namespace: 'team' },
    ]);
  });

  it('keeps its Secret while Argo CD still deletes an Application there', async () => {
    const environment = await rows.environment(tenant);
    const app = await made(environment);
    await world.client.patch(applications, refOf(app.name), {
      type: 'merge',
      body: { metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io/background'] } },
    });
    await world.database.sql(`delete from application where application_id = '${app.id}'`);
    const removal = await rows.order(tenant, app.id);
    await eventually('it is being deleted', async () => (await find(app))?.metadata.deletionTimestamp);
    const ticket = await remove(environment);
    await waiting(ticket);
    await world.quiet();
    expect(await secretOf(environment)).toBeDefined();
    expect((await destinations())?.map(({ name }) => name)).toContain(`managed-env-${environment}`);
    await world.client.patch(applications, refOf(app.name), {
      type: 'merge',
      body: { metadata: { finalizers: null } },
    });
    await rows.ended(removal);
    expect((await rows.ended(ticket)).state).toBe('Completed');
    expect(await secretOf(environment)).toBeUndefined();
    expect(await destinations()).toEqual([{ name: 'in-cluster', namespace: 'team' }]);
  });

  it('is not made anew by an Application whose rows were read before', async () => {
    const environment = await rows.environment(tenant);
    const first = await made(environment);
    const second = await application(environment);
    claims.close('next');
    const early = await rows.order(tenant, second.id);
    await claims.untilKept();
    const ticket = await remove(environment);
    await Promise.all([withoutCluster(first), withoutCluster(second)]);
    await rows.carriedOut(tenant, first.id);
    await rows.ended(ticket);
    claims.open();
    expect((await rows.ended(early)).state).toBe('Completed');
    expect([await secretOf(environment), await find(second)]).toEqual([undefined, undefined]);
  });

  it('without an Application leaves nothing behind, whoever orders it', async () => {
    const environment = await rows.environment(tenant);
    const app = await made(environment);
    await rows.removeEnvironment(environment);
    await withoutCluster(app);
    await rows.carriedOut(tenant, app.id);
    const another = await rows.tenant('special-user');
    expect((await rows.carriedOut(another, environment, 'ManagedEnvironment')).state).toBe('Completed');
    expect(await secretOf(environment)).toBeUndefined();
    expect(await destinations()).toEqual([{ name: 'in-cluster', namespace: 'team' }]);
  });

  it('that never had a Secret leaves nothing to do', async () => {
    expect((await rows.carriedOut(tenant, 'never-was', 'ManagedEnvironment')).state).toBe('Completed');
  });
});

it('no token has come into a log line or a message', async () => {
  const messages = await world.database.sql('select human_readable_state from operation');
  const said = JSON.stringify([lines, messages]);
  for (const token of ['secret-token-', 'token-of-the-cluster', 'rotated', 'newest']) expect(said).not.toContain(token);
});
