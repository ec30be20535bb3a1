// No text that a tenant can write reaches what is another tenant's: every field of every kind, with every way to point there.
import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { applicationNameFor } from '../../src/api/labels.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { isNotFound } from '../../src/kube/status-error.ts';
import { startGitHttpServer, type GitHttpServer } from '../../src/sandbox/git-http-server.ts';
import { aDeployment, deploymentsOf } from '../kit/deployments.ts';
import {
  aKubeconfig,
  becomes,
  createCredential,
  createEnvironment,
  putCredential,
  putKubeconfig,
} from '../kit/environments.ts';
import { eventually } from '../kit/eventually.ts';
import { makeServedFolder } from '../kit/served-folder.ts';
import { startRemoteCluster, type RemoteCluster } from '../kit/remote-cluster.ts';
import { specTexts } from '../kit/spec-fields.ts';
import {
  attacksOn,
  isTold,
  lookAt,
  makeAttacks,
  reached,
  type Possessions,
  type ReferenceField,
} from '../kit/tenant-references.ts';
import { createWorld, engineNamespace, type HalfOptions, type World } from '../kit/world.ts';

const [VICTIM, ATTACKER] = ['victim', 'attacker'];
const searchPath = process.env['PATH'] ?? '';
const PASSWORD = 'canary-of-the-victims-password';
const ownLogin = { username: 'git', password: 'canary-of-the-attackers-password' };

let world: World;
let clusters: Readonly<Record<string, RemoteCluster>>;
let servers: Readonly<Record<string, GitHttpServer>>;
let folder: string;

beforeEach(async () => {
  folder = await makeServedFolder('app');
  world = await createWorld();
  clusters = { [VICTIM]: await startRemoteCluster(['web']), [ATTACKER]: await startRemoteCluster(['web']) };
  servers = {
    [VICTIM]: await startGitHttpServer(folder, { searchPath, login: { username: 'git', password: PASSWORD } }),
    [ATTACKER]: await startGitHttpServer(folder, { searchPath, login: ownLogin }),
  };
});
afterEach(async () => {
  await world.stop();
  for (const one of [...Object.values(clusters), ...Object.values(servers)]) await one.stop();
  await rm(folder, { recursive: true });
});

const clusterOf = (tenant: string): { readonly url: string; readonly token: string } =>
  clusters[tenant] ?? { url: '', token: '' };
const repositoryOf = (tenant: string): string => `${servers[tenant]?.url}/app.git`;

/** What both have: things of both names that the other has as well, and for the victim some that only it has. */
const settle = async (tenant: string, names: readonly string[]): Promise<void> => {
  await world.createNamespace(tenant);
  const { url, token } = clusterOf(tenant);
  for (const name of names) {
    await putKubeconfig(world, { namespace: tenant, name: `${name}-kubeconfig` }, aKubeconfig({ server: url, token }));
    const credentialsSecret = `${name}-kubeconfig`;
    await createEnvironment(world, { namespace: tenant, name }, { apiURL: url, credentialsSecret });
    const login = tenant === VICTIM ? { username: 'git', password: PASSWORD } : ownLogin;
    await putCredential(world, { namespace: tenant, name: `${name}-login` }, login);
    const repository = repositoryOf(tenant);
    await createCredential(world, { namespace: tenant, name }, { repository, secret: `${name}-login` });
    const destination = { environment: name, namespace: 'web' };
    await world.apply(aDeployment({ namespace: tenant, name, type: 'manual', destination }));
    await becomes(world, 'environment', { namespace: tenant, name, condition: /=True Succeeded$/ });
    await becomes(world, 'credential', { namespace: tenant, name, condition: /^ErrorOccurred=False / });
    await eventually('it is deployed', async () => {
      const deployment = await deploymentsOf(world).get({ namespace: tenant, name });
      return deployment && (await deploymentsOf(world).application(deployment));
    });
  }
  await world.quiet();
};

/** Each field with text, and why it names no object, where it does not. */
const fields: Readonly<Record<string, string | ReferenceField['specs']>> = {
  'GitOpsDeployment spec.source.repoURL':
    'a URL; with which credential it is read is the business of Argo CD, by project',
  'GitOpsDeployment spec.source.path': 'a folder inside of the repository',
  'GitOpsDeployment spec.source.targetRevision': 'a revision of the repository',
  'GitOpsDeployment spec.syncPolicy.syncOptions[]': 'one of two words',
  'GitOpsDeployment spec.type': 'one of two words',
  'GitOpsDeployment spec.destination.environment': (environment) => [
    deploymentTo({ environment, namespace: 'web' }),
    deploymentTo({ environment }),
  ],
  'GitOpsDeployment spec.destination.namespace': (namespace) => [
    deploymentTo({ namespace }),
    deploymentTo({ namespace, environment: 'both' }),
  ],
  'GitOpsDeploymentSyncRun spec.gitopsDeploymentName': (gitopsDeploymentName) => [
    { gitopsDeploymentName, revisionID: 'main' },
  ],
  'GitOpsDeploymentSyncRun spec.revisionID': 'a revision of the repository',
  'GitOpsDeploymentManagedEnvironment spec.apiURL': 'a URL; the credentials for it are the own',
  'GitOpsDeploymentManagedEnvironment spec.credentialsSecret': (credentialsSecret) =>
    [false, true].map((createNewServiceAccount) => ({
      apiURL: clusterOf(VICTIM).url,
      credentialsSecret,
      createNewServiceAccount,
      allowInsecureSkipTLSVerify: true,
    })),
  'GitOpsDeploymentManagedEnvironment spec.namespaces[]': (namespace) => [
    {
      apiURL: clusterOf(ATTACKER).url,
      credentialsSecret: 'both-kubeconfig',
      namespaces: [namespace],
      allowInsecureSkipTLSVerify: true,
    },
  ],
  'GitOpsDeploymentRepositoryCredential spec.repository': 'a URL; the credential for it is the own',
  'GitOpsDeploymentRepositoryCredential spec.secret': (secret) => [{ repository: repositoryOf(VICTIM), secret }],
  'Operation spec.operationID': (operationID) => [{ operationID }],
};
const deploymentTo = (destination: object): object => ({
  type: 'manual',
  source: { repoURL: 'https://github.com/org/attack', path: 'app' },
  destination,
});

it('every field that can hold text is known, and said to name an object or not', () => {
  expect(Object.keys(fields).toSorted()).toEqual(specTexts().toSorted());
});

/** Every way to write something that is the victim's. */
const pointers = async (): Promise<Readonly<Record<string, string>>> => {
  const [row] = await world.database.sql<Record<string, string>>(`
    select u.clusteruser_id as user, u.user_name as namespace_uid, a.application_id as application,
      a.managed_environment_id as environment, m.deploymenttoapplicationmapping_uid_id as deployment_uid,
      (select api_resource_uid from apicrtodatabasemapping where db_relation_key = a.managed_environment_id) as environment_uid,
      (select repositorycredentials_id from repositorycredentials where repo_cred_user_id = u.clusteruser_id limit 1) as credential,
      (select clustercredentials_id from managedenvironment e where e.managedenvironment_id = a.managed_environment_id) as token_row
    from clusteruser u
    join deploymenttoapplicationmapping m on m.namespace_uid = u.user_name and m.name = 'only-there'
    join application a on a.application_id = m.application_id
    where u.display_name = '${VICTIM}'`);
  const ids = row ?? {};
  const names = ['only-there', 'only-there-kubeconfig', 'only-there-login'];
  return {
    'the namespace': VICTIM,
    'the namespace of Argo CD': engineNamespace,
    'the cluster itself': 'in-cluster',
    'a name in both': 'both',
    'a Secret in both': 'both-kubeconfig',
    'a login in both': 'both-login',
    ...Object.fromEntries(
      names.flatMap((name) => [
        [`${name}, by name`, name],
        [`${name}, by path`, `${VICTIM}/${name}`],
        [`${name}, one up`, `../${VICTIM}/${name}`],
        [`${name}, as in a URL`, `..%2F${VICTIM}%2F${name}`],
        [`${name}, as the API has it`, `../../${VICTIM}/secrets/${name}`],
        [`${name}, as a host`, `${name}.${VICTIM}`],
      ]),
    ),
    ...Object.fromEntries(Object.entries(ids).map(([what, id]) => [`the id of its ${what}`, id])),
    'the name of its cluster in Argo CD': `managed-env-${ids['environment']}`,
    'the name of its Secret in Argo CD': `repo-cred-${ids['credential']}`,
    'the name of its project in Argo CD': `app-project-${ids['user']}`,
    'the name of its Application': applicationNameFor(ids['deployment_uid'] ?? ''),
  };
};

/** Ids that are in the rows before there is anybody else, but for those of Argo CD's own rows. */
const possessions = async (): Promise<Possessions> => {
  const { rows } = await lookAt(world);
  const shared = new Set<string>();
  const ids = new Set<string>();
  for (const [key, row] of rows) {
    const isShared = /^(gitopsengine|kubernetestodbresourcemapping .*Gitops)/.test(`${key} ${JSON.stringify(row)}`);
    for (const value of Object.values(row)) {
      if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(String(value))) (isShared ? shared : ids).add(String(value));
    }
  }
  const own = new Set([...ids].filter((id) => !shared.has(id)));
  return { ids: own, secrets: [PASSWORD, clusterOf(VICTIM).token], namespace: VICTIM };
};

/** Lets an attacker write everything, and says what it has reached. */
const runMatrix = async (options: HalfOptions, only = /./) => {
  await world.start('backend', { flags: { recheck: '1h' }, ...options });
  await world.start('agent');
  await settle(VICTIM, ['only-there', 'both']);
  const victim = await possessions();
  const values = await pointers();
  const before = await lookAt(world);
  await settle(ATTACKER, ['both']);
  const references = Object.entries(fields).flatMap(([field, specs]) =>
    typeof specs === 'string' || !only.test(field) ? [] : [{ field, specs }],
  );
  const attacks = attacksOn(references, values, ATTACKER);
  await makeAttacks(world, attacks);
  for (const attack of attacks) {
    await eventually(`${attack.field}: ${attack.what} is looked at`, () => isTold(world, attack));
  }
  await world.quiet();
  const found = reached({ before, after: await lookAt(world) }, victim, ATTACKER);
  return { size: { fields: references.length, values: Object.keys(values).length, objects: attacks.length }, found };
};

it('no reference of any kind reaches what is another tenant’s', async () => {
  const { size, found } = await runMatrix({});
  process.stdout.write(`references of ${size.fields} fields, ${size.values} values each: ${size.objects} objects\n`);
  expect(found).toEqual([]);
  expect(size.fields).toBeGreaterThan(5);
  expect(size.objects).toBeGreaterThan(200);
});

it('a lookup that does not mind the namespace would be found', async () => {
  /** Finds a Secret by its name in any namespace. */
  const withHole = (client: KubeClient): KubeClient => ({
    ...client,
    async get(resource, ref, options) {
      try {
        return await client.get(resource, ref, options);
      } catch (error) {
        if (!isNotFound(error) || resource.kind !== 'Secret' || ref.namespace !== ATTACKER) throw error;
        return client.get(resource, { ...ref, namespace: VICTIM }, options);
      }
    },
  });
  const { found } = await runMatrix({ client: withHole }, /spec\.(credentialsSecret|secret)$/);
  expect(found).toContainEqual(expect.stringMatching(/holds a secret of the victim's/));
});
