// The agent and credentials: a repository Secret is what its row says, for the tenant's Applications alone, and goes with it.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applications } from '../../src/api/argocd/application.ts';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { refreshAnnotation } from '../../src/api/labels.ts';
import { secrets } from '../../src/kube/object.ts';
import { ApiError } from '../../src/kube/status-error.ts';
import { createKeyring } from '../../src/lib/envelope.ts';
import { writeAgentRows, type AgentRows, type TenantRow } from '../kit/agent-rows.ts';
import { capturedLog } from '../kit/captured-log.ts';
import { orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

const keyring = createKeyring([{ id: 'k1', key: Buffer.alloc(32, 7) }]);
const { log, lines } = capturedLog();
const url = 'https://github.com/org/private';

let world: World;
let rows: AgentRows;
let tenant: TenantRow;
/** What the API server says to Secrets that are written, if it refuses them. */
let refusal: string | undefined;

const refOf = (name: string) => ({ namespace: engineNamespace, name });
const read = (id: string) => orAbsent(world.client.get(secrets, refOf(`repo-cred-${id}`)));
const dataOf = async (id: string) =>
  Object.fromEntries(
    Object.entries((await read(id))?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
const project = () => orAbsent(world.client.get(appProjects, refOf(`app-project-${tenant.id}`)));
const order = (id: string, owner = tenant) => rows.carriedOut(owner, id, 'RepositoryCredentials');
const completed = { state: 'Completed', human_readable_state: null };
const set = (id: string, values: string) =>
  world.database.sql(`update repositorycredentials set ${values} where repositorycredentials_id = '${id}'`);
const remove = async (id: string): Promise<void> => {
  await rows.forbid(tenant);
  await world.database.sql(`delete from repositorycredentials where repositorycredentials_id = '${id}'`);
};
const patch = (id: string, body: unknown) =>
  world.client.patch(secrets, refOf(`repo-cred-${id}`), { type: 'merge', body });

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
  const refused = async (resource: { readonly plural: string }): Promise<void> => {
    if (refusal && resource.plural === 'secrets') throw new ApiError(422, { reason: 'Invalid', message: refusal });
  };
  await world.start('agent', {
    keyring,
    log,
    client: (client) => ({
      ...client,
      create: (resource, ...call) => refused(resource).then(() => client.create(resource, ...call)),
      patch: (resource, ...call) => refused(resource).then(() => client.patch(resource, ...call)),
    }),
  });
});
beforeEach(async () => {
  tenant = await rows.tenant('team');
});
afterAll(() => world.stop());

describe('the repository Secret of a credential', () => {
  it('has user and password, opened, and is for the project of its tenant alone', async () => {
    const id = await rows.credential(tenant, { user: 'me', password: keyring.seal('secret-password') });
    expect(await order(id)).toEqual(completed);
    const { metadata } = (await read(id)) ?? {};
    expect(metadata?.labels).toEqual({ 'argocd.argoproj.io/secret-type': 'repository', databaseID: id });
    expect(metadata?.annotations).toEqual({ 'managed-by': 'argocd.argoproj.io' });
    expect(await dataOf(id)).toEqual({
      name: 'my-secret',
      url,
      username: 'me',
      password: 'secret-password',
      project: `app-project-${tenant.id}`,
    });
  });

  it('has a changed key under the name that Argo CD reads, and nothing of what was there before', async () => {
    const id = await rows.credential(tenant, { user: 'me', password: 'secret-password', ssh: 'secret-key-1' });
    await order(id);
    await patch(id, { data: { ssh: Buffer.from('old').toString('base64') } });
    await set(id, `repo_cred_ssh = '${keyring.seal('secret-key-2')}', repo_cred_pass = null, repo_cred_user = null`);
    await order(id);
    expect(await dataOf(id)).toEqual({
      name: 'my-secret',
      url,
      sshPrivateKey: 'secret-key-2',
      project: `app-project-${tenant.id}`,
    });
  });

  it('that is right is not written again, whatever its name is beside that of the Secret of the user', async () => {
    const id = await rows.credential(tenant, { user: 'me', password: 'secret-password' });
    await order(id);
    await world.quiet();
    const before = await read(id);
    await order(id);
    await order(id);
    await world.quiet();
    expect(await read(id)).toEqual(before);
  });

  it('that somebody emptied or relabelled is made right by the next Operation', async () => {
    const id = await rows.credential(tenant, { user: 'me', password: 'secret-password' });
    await order(id);
    const before = await dataOf(id);
    const labels = { databaseID: null, 'argocd.argoproj.io/secret-type': null, theirs: 'kept' };
    await patch(id, { data: null, metadata: { labels, annotations: null } });
    await order(id);
    expect(await dataOf(id)).toEqual(before);
    expect((await read(id))?.metadata).toMatchObject({
      labels: { 'argocd.argoproj.io/secret-type': 'repository', databaseID: id, theirs: 'kept' },
      annotations: { 'managed-by': 'argocd.argoproj.io' },
    });
  });

  it('is for everybody where Applications are in the default project, and follows them when that changes', async () => {
    const inProject = (name: string) => specText({ repository: 'private', project: name });
    const app = await rows.application(tenant, inProject('default'));
    const id = await rows.credential(tenant);
    await order(id);
    expect(await dataOf(id)).toEqual({ name: 'my-secret', url });
    await rows.carriedOut(tenant, app.id);
    const move = async (name: string): Promise<void> => {
      await world.database.sql(
        `update application set spec_field = '${inProject(name)(app.name)}' where application_id = '${app.id}'`,
      );
      await rows.carriedOut(tenant, app.id);
    };
    await move(`app-project-${tenant.id}`);
    await eventually('it is for the project alone', async () => (await dataOf(id))['project'] !== undefined);
    await move('default');
    await eventually('it is for everybody', async () => (await dataOf(id))['project'] === undefined);
    await world.database.sql(`delete from application where application_id = '${app.id}'`);
  });

  it.each([
    ['make', undefined, 'unable to create Argo CD Repository secret'],
    ['change', 'secret-password-2', 'unable to update Argo CD Private Repository secret'],
  ])('that the API server refuses to %s fails, and says nothing of its content', async (_verb, changed, message) => {
    const id = await rows.credential(tenant, { password: 'secret-password' });
    if (changed) await order(id);
    await set(id, `repo_cred_pass = 'secret-password-2'`);
    refusal = 'data: Invalid value: secret-password-2';
    expect(await order(id)).toEqual({ state: 'Failed', human_readable_state: message });
    refusal = undefined;
    expect(await order(id)).toEqual(completed);
  });

  it('lets a tenant without Applications have a project that permits the repository', async () => {
    const id = await rows.credential(tenant);
    await order(id);
    expect((await project())?.spec).toEqual({
      sourceRepos: [url],
      destinations: [{ name: 'in-cluster', namespace: 'team' }],
    });
    expect((await project())?.metadata.annotations).toEqual({ username: tenant.id });
  });

  it("changes the project of the credential's tenant, whoever orders it", async () => {
    const special = await rows.tenant('special-user');
    const id = await rows.credential(tenant);
    await order(id, special);
    expect((await project())?.spec.sourceRepos).toEqual([url]);
    const { items } = await world.client.list(appProjects, { namespace: engineNamespace });
    expect(items.map(({ metadata }) => metadata.name)).not.toContain(`app-project-${special.id}`);
  });
});

describe('Argo CD, which by itself would go on with what it was told before,', () => {
  const inProjectOf = ({ id }: TenantRow) => specText({ repository: 'private', project: `app-project-${id}` });
  const refreshOf = async ({ name }: { readonly name: string }) =>
    (await world.client.get(applications, refOf(name))).metadata.annotations?.[refreshAnnotation];
  const looked = async (app: { readonly name: string }): Promise<void> => {
    await eventually('it is asked to look', async () => (await refreshOf(app)) === 'normal');
    await world.client.patch(applications, refOf(app.name), {
      type: 'merge',
      body: { metadata: { annotations: { [refreshAnnotation]: null } } },
    });
  };

  it("looks again at the Applications that read a repository, and at nobody else's, when its Secret comes, changes and goes", async () => {
    const app = await rows.application(tenant, inProjectOf(tenant));
    const other = await rows.tenant('stranger');
    const stranger = await rows.application(other, inProjectOf(other));
    await rows.carriedOut(tenant, app.id);
    await rows.carriedOut(other, stranger.id);
    const id = await rows.credential(tenant, { password: 'secret-password' });
    await order(id);
    await looked(app);
    await set(id, `repo_cred_pass = 'secret-password-2'`);
    await order(id);
    await looked(app);
    await order(id);
    expect(await world.database.sql('select 1 from refresh_request'), 'nothing has changed').toEqual([]);
    await remove(id);
    await order(id);
    await looked(app);
    expect(await refreshOf(stranger)).toBeUndefined();
  });
});

describe('a credential whose row is gone', () => {
  it('has every Secret with its label and type removed, and the project with the last repository', async () => {
    const id = await rows.credential(tenant);
    const other = await rows.credential(tenant, { url: 'https://github.com/org/other' });
    await order(id);
    await order(other);
    const labels = { 'argocd.argoproj.io/secret-type': 'repository', databaseID: id };
    await world.client.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...refOf(`copy-${id}`), labels },
    });
    await world.client.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...refOf(`cluster-${id}`), labels: { ...labels, 'argocd.argoproj.io/secret-type': 'cluster' } },
    });
    await remove(id);
    await rows.permit(tenant, 'https://github.com/org/other');
    expect(await order(id)).toEqual(completed);
    const left = (await world.client.list(secrets, { namespace: engineNamespace })).items.map(
      ({ metadata }) => metadata.name,
    );
    expect(left).not.toContain(`repo-cred-${id}`);
    expect(left).not.toContain(`copy-${id}`);
    expect(left).toEqual(expect.arrayContaining([`cluster-${id}`, `repo-cred-${other}`]));
    expect((await project())?.spec.sourceRepos).toEqual(['https://github.com/org/other']);
    await remove(other);
    await order(other);
    expect([await read(other), await project()]).toEqual([undefined, undefined]);
  });

  it('has its Secret removed also when that has lost its labels', async () => {
    const id = await rows.credential(tenant);
    await order(id);
    await remove(id);
    await patch(id, { metadata: { labels: null } });
    await world.quiet();
    expect(await order(id)).toEqual(completed);
    expect(await read(id)).toBeUndefined();
  });

  it('that never had one leaves nothing to do', async () => {
    expect(await order('never-was')).toEqual(completed);
  });

  it('keeps its repository in the project as long as an Application uses it', async () => {
    const id = await rows.credential(tenant);
    await order(id);
    const app = await rows.application(
      tenant,
      specText({ repository: 'private', project: `app-project-${tenant.id}` }),
    );
    await rows.carriedOut(tenant, app.id);
    await remove(id);
    expect(await order(id)).toEqual(completed);
    expect((await project())?.spec.sourceRepos).toEqual([url]);
  });
});

it('no password or key has come into a log line or a message', async () => {
  const messages = await world.database.sql('select human_readable_state from operation');
  const said = JSON.stringify([lines, messages]);
  for (const secret of ['secret-password', 'secret-key']) expect(said).not.toContain(secret);
});
