// Secrets of tenants go through success, failure, rotation and deletion, and are told nobody but Argo CD.
import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentials } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/status-error.ts';
import { createKeyring, plainKeyring, type Keyring } from '../../src/lib/envelope.ts';
import { startGitHttpServer } from '../../src/sandbox/git-http-server.ts';
import { localCertificate } from '../kit/admission.ts';
import { aDeployment } from '../kit/deployments.ts';
import { eavesdrop, foundIn } from '../kit/eavesdropper.ts';
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
import { createSshKey, startGitSshServer } from '../kit/git-ssh-server.ts';
import { startRemoteCluster } from '../kit/remote-cluster.ts';
import { answerStatus, startScriptedServer } from '../kit/scripted-server.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

const searchPath = process.env['PATH'] ?? '';
const namespace = 'team-a';
const ref = (name: string) => ({ namespace, name });

/** Where secrets are kept. */
const SECRET_COLUMNS = [
  'clustercredentials.serviceaccount_bearer_token',
  'repositorycredentials.repo_cred_pass',
  'repositorycredentials.repo_cred_ssh',
  'environment_cleanup.bearer_token',
];

/** Two of everything that gives access, so that one can take the place of the other, and one that gives none. */
const startOutside = async () => {
  const folder = await makeServedFolder('app');
  const login = (password: string) => ({ username: 'git', password });
  const passwords = { first: 'canary-password-1', second: 'canary-password-2', wrong: 'canary-password-3' };
  const [goodKey, otherKey, wrongKey] = [createSshKey('ed25519'), createSshKey('ed25519'), createSshKey('ed25519')];
  const gits = [
    await startGitHttpServer(folder, { searchPath, login: login(passwords.first) }),
    await startGitHttpServer(folder, { searchPath, login: login(passwords.second) }),
  ] as const;
  const ssh = await startGitSshServer(folder, [goodKey, otherKey]);
  const clusters = [await startRemoteCluster(), await startRemoteCluster()] as const;
  const { certificate, key } = localCertificate();
  const echo = await startScriptedServer(
    ({ headers, body }, response) => {
      const message = `you said ${headers.authorization} ${body}`;
      answerStatus(response, { code: 403, reason: 'Forbidden', message });
    },
    { cert: certificate, key },
  );
  return {
    login,
    passwords,
    keys: { good: goodKey.private, other: otherKey.private, wrong: wrongKey.private },
    gitUrls: [`${gits[0].url}/app.git`, `${gits[1].url}/app.git`] as const,
    sshUrl: `ssh://git@127.0.0.1:${ssh.port}/app.git`,
    clusters,
    echo,
    async stop() {
      for (const one of [...gits, ssh, ...clusters, echo]) await one.stop();
      await rm(folder, { recursive: true });
    },
  };
};
type Outside = Awaited<ReturnType<typeof startOutside>>;

const secretsOf = ({ passwords, keys, clusters }: Outside): ReadonlyMap<string, string> =>
  new Map([
    ...Object.entries(passwords).map(([what, text]) => [`the ${what} password`, text] as const),
    ...Object.entries(keys).map(([what, text]) => [`the ${what} key`, text.split('\n')[2] ?? text] as const),
    ...clusters.map(({ token }, at) => [`the token of cluster ${at}`, token] as const),
    ...['token', 'basic', 'client-key', 'program', 'junk', 'url', 'nul', 'echoed'].map(
      (what) => [`the canary of ${what}`, `canary-of-${what}-4711`] as const,
    ),
  ]);

const environmentSays = (world: World, name: string, condition: RegExp) =>
  becomes(world, 'environment', { ...ref(name), condition });
const credentialSays = (world: World, name: string, condition: RegExp) =>
  becomes(world, 'credential', { ...ref(name), condition });

/** Environments that are connected, changed to another cluster, to a ServiceAccount, and deleted. */
const liveEnvironment = async (world: World, { clusters: [one, other] }: Outside, keyring: Keyring) => {
  await putKubeconfig(world, ref('prod'), aKubeconfig({ server: one.url, token: one.token }));
  await createEnvironment(world, ref('prod'), { apiURL: one.url });
  await environmentSays(world, 'prod', /=True Succeeded/);
  await world.apply(aDeployment({ namespace, name: 'app', destination: { environment: 'prod', namespace: 'web' } }));
  await putKubeconfig(world, ref('prod'), aKubeconfig({ server: one.url, token: 'canary-of-token-4711' }));
  await environmentSays(world, 'prod', /UnableToValidateClusterCredentials/);
  await putKubeconfig(world, ref('prod'), aKubeconfig({ server: other.url, token: other.token }));
  const change = (spec: object) =>
    world.client.patch(gitOpsDeploymentManagedEnvironments, ref('prod'), { type: 'merge', body: { spec } });
  await change({ apiURL: other.url });
  await environmentSays(world, 'prod', /=True Succeeded/);
  await change({ createNewServiceAccount: true });
  const issued = await eventually('a token is issued', async () => {
    const [row] = await world.database.sql<{ token: string }>(
      `select serviceaccount_bearer_token as token from clustercredentials where host = '${other.url}'`,
    );
    const token = row && keyring.open(row.token);
    return token === other.token ? undefined : token;
  });
  await world.quiet();
  await world.client.delete(gitOpsDeploymentManagedEnvironments, ref('prod'));
  return issued;
};

/** Environments that can not be used, each with something secret in what is wrong. */
const failingEnvironments = async (world: World, { clusters: [one], echo }: Outside) => {
  const fail = async (name: string, kubeconfig: string, spec: object = {}) => {
    await putKubeconfig(world, ref(name), kubeconfig);
    await createEnvironment(world, ref(name), { apiURL: one.url, ...spec });
    await environmentSays(world, name, /=(False|Unknown)/);
  };
  const server = one.url;
  const newServiceAccount = { createNewServiceAccount: true };
  const clientKey = Buffer.from('canary-of-client-key-4711').toString('base64');
  const echoed = aKubeconfig({ server: echo.url, token: 'canary-of-echoed-4711' });
  await fail(
    'basic',
    aKubeconfig({ server, user: { username: 'me', password: 'canary-of-basic-4711' } }),
    newServiceAccount,
  );
  await fail(
    'client-key',
    aKubeconfig({ server, user: { 'client-certificate-data': clientKey, 'client-key-data': clientKey } }),
    newServiceAccount,
  );
  await fail('program', aKubeconfig({ server, user: { exec: { command: 'sh', args: ['canary-of-program-4711'] } } }));
  await fail('junk', 'canary-of-junk-4711: [\ncanary-of-junk-4711');
  await fail('nul', aKubeconfig({ server, token: 'canary-of-nul-4711\0' }));
  await fail('echoed', echoed, { apiURL: echo.url });
  await fail('echoed-account', echoed, { apiURL: echo.url, ...newServiceAccount });
  await fail('refused', aKubeconfig({ server, token: 'canary-of-token-4711' }), { credentialsSecret: 'absent' });
};

/** Credentials that are accepted, changed, refused and deleted. */
const liveCredentials = async (world: World, { login, passwords, keys, gitUrls, sshUrl }: Outside) => {
  const make = async (name: string, repository: string, data: Readonly<Record<string, string>>) => {
    await putCredential(world, ref(name), data);
    await createCredential(world, ref(name), { repository });
  };
  const isValid = (name: string) => credentialSays(world, name, /^ErrorOccurred=False/);
  const isInvalid = (name: string) => credentialSays(world, name, /^ErrorOccurred=True/);
  await make('https', gitUrls[0], login(passwords.first));
  await isValid('https');
  await putCredential(world, ref('https'), login(passwords.wrong));
  await isInvalid('https');
  await putCredential(world, ref('https'), login(passwords.second));
  const body = { spec: { repository: gitUrls[1] } };
  await world.client.patch(gitOpsDeploymentRepositoryCredentials, ref('https'), { type: 'merge', body });
  await isValid('https');
  await make('ssh', sshUrl, { sshPrivateKey: keys.good });
  await isValid('ssh');
  await putCredential(world, ref('ssh'), { sshPrivateKey: keys.wrong });
  await isInvalid('ssh');
  await putCredential(world, ref('ssh'), { sshPrivateKey: keys.other });
  await isValid('ssh');
  await make('url', gitUrls[0].replace('//', '//git:canary-of-url-4711@'), {});
  await isInvalid('url');
  await make('unreadable', 'https://git:canary-of-url-4711@ho st/app', {});
  await isInvalid('unreadable');
  await make('nul-login', gitUrls[0], login('canary-of-nul-4711\0'));
  await isInvalid('nul-login');
  await world.quiet();
  for (const name of ['https', 'ssh']) await world.client.delete(gitOpsDeploymentRepositoryCredentials, ref(name));
};

/** What the database, and the API server, say of what they refuse quotes the whole of it. */
const refusals = async (world: World, { clusters: [one], login, passwords, gitUrls }: Outside) => {
  await world.database.script(`
    alter table clustercredentials add constraint never check (host <> '${one.url}') not valid;
    alter table repositorycredentials add constraint never check (repo_cred_url <> '${gitUrls[0]}') not valid;`);
  await putKubeconfig(world, ref('unkept'), aKubeconfig({ server: one.url, token: one.token }));
  await createEnvironment(world, ref('unkept'), { apiURL: one.url });
  await environmentSays(world, 'unkept', /UnableToCreateClusterCredentials/);
  await putCredential(world, ref('unkept-login'), login(passwords.first));
  await createCredential(world, ref('unkept-login'), { repository: gitUrls[0] });
  await eventually('it is refused', async () => {
    const { status } = await world.client.get(gitOpsDeploymentRepositoryCredentials, ref('unkept-login'));
    const reasons = status?.conditions?.map(({ reason }) => reason);
    if (reasons?.includes('DatabaseRefused')) return true;
    throw new Error(JSON.stringify(reasons));
  });
};

/** Refuses the first write of each Secret of Argo CD's, and quotes it. */
const quoting = () => {
  const refused = new Set<string>();
  const refuseOnce = (name: string, body: unknown): void => {
    if (refused.has(name)) return;
    refused.add(name);
    throw new ApiError(422, { reason: 'Invalid', message: `Secret is invalid: ${JSON.stringify(body)}` });
  };
  return (client: KubeClient): KubeClient => ({
    ...client,
    create: async (resource, object, options) => {
      if (resource.kind === 'Secret' && object.metadata.namespace === engineNamespace)
        refuseOnce(object.metadata.name, object);
      return client.create(resource, object, options);
    },
  });
};

it.each([
  ['in the clear', plainKeyring, SECRET_COLUMNS],
  ['encrypted', createKeyring([{ id: 'k1', key: Buffer.alloc(32, 7) }]), []],
] as const)('no secret is told, and the rows hold them %s', async (_how, keyring, secretColumns) => {
  const ears = eavesdrop();
  const world = await createWorld({ log: ears.log, onAnswer: ears.onAnswer });
  const outside = await startOutside();
  try {
    await ears.follow(world);
    const half = { log: ears.log, keyring };
    const halves = [
      await world.start('backend', { ...half, flags: { recheck: '1h' } }),
      await world.start('agent', { ...half, client: quoting() }),
    ];
    await world.createNamespace(namespace);
    const issued = await liveEnvironment(world, outside, keyring);
    await failingEnvironments(world, outside);
    await liveCredentials(world, outside);
    await refusals(world, outside);
    const canaries = new Map([...secretsOf(outside), ['the issued token', issued] as const]);
    const heard = await ears.heard(world, halves, secretColumns);
    expect(heard.length).toBeGreaterThan(500);
    expect(foundIn(heard, canaries)).toEqual([]);
    const everything = await ears.heard(world, halves, []);
    const kept = foundIn(everything, canaries).map((one) => one.split(' in ').at(-1));
    expect(new Set(kept)).toEqual(new Set(secretColumns));
  } finally {
    await world.stop();
    await outside.stop();
  }
});
