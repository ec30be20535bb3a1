// Secrets whose author means harm, or has lost the way: a condition in words, no crash, and nobody else waits.
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { managedEnvironmentSecretType, repositoryCredentialSecretType } from '../../src/api/labels.ts';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentials } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { secrets } from '../../src/kube/object.ts';
import { capturedLog } from '../kit/captured-log.ts';
import { aDeployment, deploymentsOf } from '../kit/deployments.ts';
import { aKubeconfig, becomes, createCredential, createEnvironment, ownConditions } from '../kit/environments.ts';
import { putKubeconfig } from '../kit/environments.ts';
import { eventually } from '../kit/eventually.ts';
import { startRemoteCluster, type RemoteCluster } from '../kit/remote-cluster.ts';
import { createWorld, type World } from '../kit/world.ts';

let world: World;
let remote: RemoteCluster;
let silent: Server;
const held: Socket[] = [];
const { log, lines } = capturedLog();

beforeAll(async () => {
  world = await createWorld();
  remote = await startRemoteCluster(['web']);
  silent = createServer((socket) => {
    held.push(socket.resume());
    socket.on('error', () => undefined); // it is cut off in the middle
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await world.stop();
  await remote.stop();
  for (const socket of held) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});

const MIB = 1024 * 1024;
/** Each line stands for ten of the line before. */
const laughs = (): string => {
  const names = 'abcdefghij'.split('');
  const rest = names.slice(1).map((name, at) => `${name}: &${name} [${Array(10).fill(`*${names[at]}`).join(',')}]`);
  return ['a: &a [lol]', ...rest, 'clusters: *j'].join('\n');
};
const nested = (levels: number): string => `clusters: ${'['.repeat(levels)}${']'.repeat(levels)}`;
const mapped = (levels: number): string => `clusters: ${'{a: '.repeat(levels)}1${'}'.repeat(levels)}`;

/** Values of the key `kubeconfig`. */
const kubeconfigs: Readonly<Record<string, string | Buffer>> = {
  nothing: '',
  'a mebibyte of one letter': 'x'.repeat(MIB - 1000),
  'a mebibyte of chance': randomBytes(MIB - 1000),
  'a mebibyte of brackets': '['.repeat(MIB - 1000),
  'a mebibyte of lines': '\n'.repeat(MIB - 1000),
  'a mebibyte of list entries': '- a\n'.repeat((MIB - 1000) / 4),
  'a mebibyte of a token': `users: [{name: me, user: {token: ${'x'.repeat(MIB - 2000)}}}]`,
  'a billion laughs': laughs(),
  'a thousand levels': nested(1000),
  'as many levels as are read': nested(2450),
  'mappings in mappings': mapped(1200),
  'itself inside of itself': 'clusters: &a [*a, {name: x, cluster: *a}]',
  'an alias of nothing': 'clusters: *nothing',
  'NUL bytes': 'clusters: "a\0b"\0',
  'text that is not UTF-8': Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe, 0xc3, 0x28]),
  'UTF-16': Buffer.from('clusters: []', 'utf16le'),
  'tags of other languages':
    'clusters: !!js/function "function () { return 1 }"\nusers: !!python/object/apply:os.system ["id"]',
  'keys that JavaScript knows':
    '__proto__: {clusters: []}\nconstructor: {prototype: {a: 1}}\nclusters: [{name: a, __proto__: {cluster: {}}}]',
  'other types than are meant': 'clusters: 1e999\ncontexts: {a: b}\nusers: 2020-01-01',
  'merge keys': 'a: &a {name: x}\nclusters: [{<<: *a, cluster: {server: [1]}}]',
  'two documents': 'clusters: []\n---\nclusters: []',
};

/** Data of a credential's Secret. */
const credentials: Readonly<Record<string, Readonly<Record<string, string | Buffer>>>> = {
  'a mebibyte of password': { password: 'x'.repeat(MIB - 1000) },
  'a mebibyte of key': { sshPrivateKey: randomBytes(MIB - 1000) },
  'keys that nobody asked for': Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`key-${at}`, 'x'])),
  'NUL bytes in a password': { username: 'git', password: 'a\0b' },
  'a password that is not UTF-8': { username: 'git', password: Buffer.from([0xff, 0xfe]) },
  'a user with line breaks': { username: 'git\r\nX-Evil: 1', password: 'a\nb' },
  'a key with line breaks and dashes': { sshPrivateKey: '-oProxyCommand=id\n-----BEGIN OPENSSH PRIVATE KEY-----\n' },
};

const put = (of: { namespace: string; name: string; type: string; data: Readonly<Record<string, string | Buffer>> }) =>
  world.client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: of.namespace, name: of.name },
    type: of.type,
    data: Object.fromEntries(
      Object.entries(of.data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  });
const nameOf = (what: string): string => what.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

const makeEnvironment = async (namespace: string, name: string, kubeconfig: string | Buffer) => {
  await put({ namespace, name, type: managedEnvironmentSecretType, data: { kubeconfig } });
  await createEnvironment(world, { namespace, name }, { apiURL: remote.url });
};
const makeCredential = async (namespace: string, what: string) => {
  const name = nameOf(what);
  await put({ namespace, name, type: repositoryCredentialSecretType, data: credentials[what] ?? {} });
  await createCredential(world, { namespace, name }, { repository: 'http://127.0.0.1:9/app.git' });
};

/** The neighbour: an environment that works, and a deployment. */
const makeNeighbour = async (namespace: string) => {
  await world.createNamespace(namespace);
  await putKubeconfig(world, { namespace, name: 'prod' }, aKubeconfig({ server: remote.url, token: remote.token }));
  await createEnvironment(world, { namespace, name: 'prod' }, { apiURL: remote.url });
  return world.apply(aDeployment({ namespace, name: 'app' }));
};
const versionOf = (version: string | undefined): number => Number(version ?? 'NaN');

/** Words that can stand in a terminal and a table, and quote little. */
const isDecent = (message: string): boolean => message.length < 1000 && !/\p{Cc}/u.test(message);

describe('hostile Secrets of one team', () => {
  it('all get their condition, and a neighbour is served before the last of them', async () => {
    await world.createNamespace('hostile');
    for (const [what, text] of Object.entries(kubeconfigs)) await makeEnvironment('hostile', nameOf(what), text);
    // The dearest to read, again and again.
    for (let at = 0; at < 30; at += 1) await makeEnvironment('hostile', `again-${at}`, nested(2450));
    for (const what of Object.keys(credentials)) await makeCredential('hostile', what);
    const neighbour = await makeNeighbour('neighbour');
    const backend = await world.start('backend', { log });
    const agent = await world.start('agent');
    const application = await deploymentsOf(world).deployed(neighbour);
    await becomes(world, 'environment', { namespace: 'neighbour', name: 'prod', condition: /=True Succeeded$/ });

    const told: number[] = [];
    for (const what of [...Object.keys(kubeconfigs), ...Array.from({ length: 30 }, (_, at) => `again-${at}`)]) {
      const ref = { namespace: 'hostile', name: nameOf(what) };
      const condition = await becomes(world, 'environment', { ...ref, condition: /=(False|Unknown) \w+ / });
      expect(isDecent(condition), condition).toBe(true);
      const { metadata, status } = await world.client.get(gitOpsDeploymentManagedEnvironments, ref);
      expect(status?.conditions?.map(({ reason }) => reason)).not.toContain('UnknownError');
      told.push(versionOf(metadata.resourceVersion));
    }
    for (const what of Object.keys(credentials)) {
      const ref = { namespace: 'hostile', name: nameOf(what) };
      const condition = await becomes(world, 'credential', { ...ref, condition: /^ErrorOccurred=True / });
      expect(isDecent(condition), condition).toBe(true);
      expect(await ownConditions(world, 'credential', ref)).toHaveLength(3);
    }
    expect(versionOf(application.metadata.resourceVersion)).toBeLessThan(Math.max(...told));
    expect(lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    await backend.process.stop();
    await agent.process.stop();
  });

  it('that lead to a server without an answer keep nobody else from being checked', async () => {
    await world.createNamespace('patient');
    const server = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`; // it listens on TCP
    const names = Array.from({ length: 12 }, (_, at) => `silent-${at}`);
    for (const name of names) {
      await putKubeconfig(world, { namespace: 'patient', name }, aKubeconfig({ server, token: 'x' }));
      await createEnvironment(world, { namespace: 'patient', name }, { apiURL: server });
    }
    const backend = await world.start('backend', { flags: { 'check-deadline': '10m' } });
    await eventually('a check waits', () => held.length > 0);
    await makeNeighbour('quick');
    await becomes(world, 'environment', { namespace: 'quick', name: 'prod', condition: /=True Succeeded$/ });
    for (const name of names) {
      expect(await ownConditions(world, 'environment', { namespace: 'patient', name })).toEqual([]);
    }
    await backend.process.stop();
  });
});

it('an object that names its Secret like a path finds none', async () => {
  await world.createNamespace('paths');
  const backend = await world.start('backend');
  for (const [at, secret] of [
    '../neighbour/prod',
    'neighbour/prod',
    '%2e%2e/prod',
    'x'.repeat(10_000),
    'a\0b',
  ].entries()) {
    const [environment, credential] = [`environment-${at}`, `credential-${at}`];
    await createEnvironment(
      world,
      { namespace: 'paths', name: environment },
      { apiURL: remote.url, credentialsSecret: secret },
    );
    await createCredential(
      world,
      { namespace: 'paths', name: credential },
      { repository: 'https://example.com/a', secret },
    );
    await becomes(world, 'environment', { namespace: 'paths', name: environment, condition: /SecretNotFound/ });
    await becomes(world, 'credential', { namespace: 'paths', name: credential, condition: /SecretNotFound/ });
  }
  const objects = await world.client.list(gitOpsDeploymentRepositoryCredentials, { namespace: 'paths' });
  expect(objects.items).toHaveLength(5);
  await backend.process.stop();
});
