// Secrets at rest: with keys the database gives nothing away, and exchanging a key costs nobody anything.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { secrets } from '../../src/kube/object.ts';
import type { Keyring } from '../../src/lib/envelope.ts';
import { readKeyring } from '../../src/main/encryption.ts';
import { rotateKeys } from '../../src/main/keys.ts';
import { startGitHttpServer, type GitHttpServer } from '../../src/sandbox/git-http-server.ts';
import { capturedLog } from '../kit/captured-log.ts';
import { aDeployment, orAbsent } from '../kit/deployments.ts';
import {
  aKubeconfig,
  becomes,
  createCredential,
  createEnvironment,
  ownConditions,
  putCredential,
  putKubeconfig,
} from '../kit/environments.ts';
import { eventually } from '../kit/eventually.ts';
import { makeServedFolder } from '../kit/served-folder.ts';
import { createSshKey, startGitSshServer, type GitSshServer } from '../kit/git-ssh-server.ts';
import { serviceAccounts } from '../kit/original-remote.ts';
import { startRemoteCluster, type RemoteCluster } from '../kit/remote-cluster.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

const login = { username: 'git', password: 'canary-password' };
const sshKey = createSshKey('ed25519');
const keyLine = (name: string, byte: number): string => `${name}:${Buffer.alloc(32, byte).toString('base64')}`;
const lines = { one: keyLine('one', 1), two: keyLine('two', 2), lost: keyLine('lost', 3) };

let world: World;
let remote: RemoteCluster;
let folder: string;
let https: GitHttpServer;
let ssh: GitSshServer;
let halves: readonly RunningHalf[] = [];
const captured = capturedLog();

const sql = <R>(text: string): Promise<R[]> => world.database.sql<R>(text);
const team = (name: string) => ({ namespace: 'team', name });
const own = (condition: RegExp, name: string, kind: 'environment' | 'credential') =>
  becomes(world, kind, { ...team(name), condition });

/** The keys of a file with these lines; none without lines. */
const keysOf = async (...written: readonly string[]): Promise<Keyring> => {
  const file = join(folder, 'keys');
  await writeFile(file, written.join('\n'));
  return readKeyring({ encryptionKeyFile: written.length === 0 ? '' : file });
};

/** Starts both halves anew with these keys. */
const restart = async (keyring: Keyring): Promise<void> => {
  await Promise.all(halves.map(({ process }) => process.stop()));
  const options = { keyring, log: captured.log };
  halves = [
    await world.start('backend', { ...options, flags: { recheck: '1h' } }),
    await world.start('agent', options),
  ];
};
const allWork = async (): Promise<void> => {
  for (const name of ['given', 'made']) await own(/=True Succeeded$/, name, 'environment');
  for (const name of ['password', 'key']) await own(/^ErrorOccurred=False/, name, 'credential');
};
const operationsMade = async (): Promise<number> => {
  await eventually('every Operation is over', async () => (await sql('select 1 from operation')).length === 0);
  return (await world.quiet()).requests['create operations'] ?? 0;
};

/** All texts of the database, but for the sums of its migrations. */
const dump = async (): Promise<string> => {
  const columns = await sql<{ table: string; column: string }>(
    `select table_name as table, column_name as column from information_schema.columns
     where table_schema = 'public' and table_name <> 'managed_gitops_migrations' and data_type in ('text', 'character varying', 'json', 'jsonb')`,
  );
  const texts = await Promise.all(
    columns.map(({ table, column }) =>
      sql<{ text: string | null }>(`select "${column}"::text as text from "${table}"`),
    ),
  );
  return texts.flatMap((rows) => rows.map(({ text }) => text ?? '')).join('\n');
};

/** What Argo CD has, by the names of Secrets: the texts of all their values. */
const argoCdHas = async (): Promise<Readonly<Record<string, string>>> => {
  const labelSelector = 'argocd.argoproj.io/secret-type';
  const { items } = await world.client.list(secrets, { namespace: engineNamespace, labelSelector });
  return Object.fromEntries(
    items.map(({ metadata, data = {} }) => [
      metadata.name,
      Object.values(data)
        .map((value) => Buffer.from(value, 'base64').toString())
        .join('\n'),
    ]),
  );
};

/** The token of the ServiceAccount that was made. */
const madeToken = async (): Promise<string> => {
  const configs = Object.values(await argoCdHas()).flatMap((text) => /"bearerToken":"([^"]+)"/.exec(text)?.[1] ?? []);
  return configs.find((token) => token !== remote.token) ?? '';
};

/** What must stand nowhere in the database, whole or in base64. */
const canaries = async (): Promise<readonly string[]> => {
  const lineOfKey = sshKey.private.split('\n')[2] ?? '';
  const plain = [remote.token, await madeToken(), login.password, lineOfKey];
  return plain.flatMap((text) => [text, Buffer.from(text).toString('base64').replace(/=+$/, '')]);
};
const seenIn = async (text: string): Promise<readonly string[]> =>
  (await canaries()).filter((canary) => canary === '' || text.includes(canary));

beforeAll(async () => {
  folder = await makeServedFolder('app');
  https = await startGitHttpServer(folder, { searchPath: process.env['PATH'] ?? '', login });
  ssh = await startGitSshServer(folder, [sshKey]);
  remote = await startRemoteCluster(['web']);
  world = await createWorld();
  await world.createNamespace('team');
  const kubeconfig = aKubeconfig({ server: remote.url, token: remote.token });
  for (const [name, createNewServiceAccount] of [
    ['given', false],
    ['made', true],
  ] as const) {
    await putKubeconfig(world, team(name), kubeconfig);
    await createEnvironment(world, team(name), { apiURL: remote.url, createNewServiceAccount });
    const destination = { environment: name, namespace: 'web' };
    await world.apply(aDeployment({ namespace: 'team', name, destination }));
  }
  const repositories = {
    password: [`${https.url}/app.git`, login],
    key: [`ssh://git@127.0.0.1:${ssh.port}/app.git`, { sshPrivateKey: sshKey.private }],
  } as const;
  for (const [name, [url, data]] of Object.entries(repositories)) {
    await putCredential(world, team(name), data);
    await createCredential(world, team(name), { repository: url });
  }
});
afterAll(async () => {
  await world.stop();
  await remote.stop();
  await Promise.all([https.stop(), ssh.stop()]);
  await rm(folder, { recursive: true });
});

describe('without keys', () => {
  it('the database holds what Argo CD is given, as the original does', async () => {
    await restart(await keysOf());
    await allWork();
    await eventually('Argo CD has all four', async () => Object.keys(await argoCdHas()).length === 4);
    await eventually('both are deployed', async () => (await sql('select 1 from application')).length === 2);
    await world.quiet();
    expect(await dump()).toContain(login.password);
    expect(await madeToken()).not.toBe('');
  });
});

describe('a first key', () => {
  it('takes what was kept without it, and a rotation encrypts what nothing has written since', async () => {
    const [before, has] = [await operationsMade(), await argoCdHas()];
    // What is in this Secret does not work any more: the row is not written again by itself.
    await putCredential(world, team('password'), { password: 'changed' });
    await own(/^ErrorOccurred=True InvalidCredentials/, 'password', 'credential');
    const keyring = await keysOf(lines.one);
    await restart(keyring);
    for (const name of ['given', 'made']) await own(/=True Succeeded$/, name, 'environment');
    await world.quiet();
    expect(await dump()).toContain(login.password);
    const { count, faults } = await rotateKeys(world.database.database, keyring);
    expect([count > 0, faults]).toEqual([true, []]);
    expect(await rotateKeys(world.database.database, keyring)).toEqual({ count: 0, faults: [] });
    await putCredential(world, team('password'), login);
    await allWork();
    expect([await operationsMade(), await argoCdHas()]).toEqual([before, has]);
  });

  it('leaves no token, password or key in the database, nor a hash that one could try passwords against', async () => {
    const text = await dump();
    expect(await seenIn(text)).toEqual([]);
    expect(text.match(/^[0-9a-f]{64}$/gm)).toBeNull();
    expect(text).toContain('sealed:v1:one:');
  });

  it('leaves Argo CD with what it needs', async () => {
    const all = Object.values(await argoCdHas()).join('\n');
    for (const text of [remote.token, login.password, sshKey.private]) expect(all).toContain(text);
    expect(all).not.toContain('sealed:');
  });
});

describe('the exchange of a key', () => {
  it('goes on while the processes run, and the old key can go: no Operation, no other token, nothing written to Argo CD', async () => {
    const [before, has] = [await operationsMade(), await argoCdHas()];
    const both = await keysOf(lines.two, lines.one);
    await restart(both);
    await allWork();
    expect((await rotateKeys(world.database.database, both)).faults).toEqual([]);
    await eventually('nothing is left of the old one', async () => !(await dump()).includes('sealed:v1:one:'));
    await world.quiet();
    await restart(await keysOf(lines.two));
    await allWork();
    expect([await operationsMade(), await argoCdHas()]).toEqual([before, has]);
    expect(await seenIn(await dump())).toEqual([]);
  });
});

describe('a key that is missing', () => {
  it('loses nothing: neither row nor Argo CD changes, no token is revoked, and the log names the key and no secret', async () => {
    await world.quiet();
    const [rows, has, token] = [await secretRows(), await argoCdHas(), await madeToken()];
    captured.lines.length = 0;
    await restart(await keysOf(lines.lost));
    const met = () => captured.lines.filter((line) => JSON.stringify(line).includes('KeyMissing'));
    for (const controller of ['environment-check', 'drift']) {
      await eventually(`${controller} has met it`, async () => met().some((line) => line['controller'] === controller));
    }
    await world.quiet();
    expect([await secretRows(), await argoCdHas()]).toEqual([rows, has]);
    for (const name of ['given', 'made']) {
      const conditions = await ownConditions(world, 'environment', team(name));
      expect(conditions).toEqual(['ConnectionInitializationSucceeded=True Succeeded']);
    }
    const { items } = await remote.client.list(secrets, { namespace: 'kube-system' });
    expect(items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('argocd-manager'))).toHaveLength(
      1,
    );
    expect(token).toBe(await madeToken());
    const log = captured.lines.map((line) => JSON.stringify(line)).join('\n');
    expect(log).toContain('"two\\"');
    expect(await seenIn(log)).toEqual([]);
    expect(log).not.toContain('sealed:v1');
  });

  it('does not keep a rotation from the rest, and is named', async () => {
    // An agent that has this key would take what is written below for the team's.
    await Promise.all(halves.map(({ process }) => process.stop()));
    const [row] = await sql<{ id: string }>('select repositorycredentials_id as id from repositorycredentials limit 1');
    const lost = (await keysOf(lines.lost)).seal('text');
    const set = (value: string) =>
      sql(`update repositorycredentials set repo_cred_ssh = '${value}'
        where repositorycredentials_id = '${row?.id}'`);
    const [old] = await sql<{ ssh: string }>(
      `select coalesce(repo_cred_ssh, '') as ssh from repositorycredentials where repositorycredentials_id = '${row?.id}'`,
    );
    await set(lost);
    const { count, faults } = await rotateKeys(world.database.database, await keysOf(lines.one, lines.two));
    expect(count).toBeGreaterThan(2);
    expect(faults.map(({ reason }) => reason)).toEqual(['KeyMissing']);
    expect(faults[0]?.message).toContain('"lost"');
    await set(old?.ssh ?? '');
    expect((await rotateKeys(world.database.database, await keysOf(lines.two, lines.one))).faults).toEqual([]);
  });

  it('that is given again finds all as it was', async () => {
    const [before, has] = [await operationsMade(), await argoCdHas()];
    await restart(await keysOf(lines.two));
    await allWork();
    expect([await operationsMade(), await argoCdHas()]).toEqual([before, has]);
  });

  it('that never comes back is recovered from: what it encrypted is forgotten, and comes again from the Secrets of the teams', async () => {
    await Promise.all(halves.map(({ process }) => process.stop()));
    const before = await argoCdHas();
    await sql(`update clustercredentials set serviceaccount_bearer_token = '', input_hash = null
      where serviceaccount_bearer_token like 'sealed:v1:two:%'`);
    await sql(`update repositorycredentials set repo_cred_pass = null, repo_cred_ssh = null, input_hash = null
      where repo_cred_pass like 'sealed:v1:two:%' or repo_cred_ssh like 'sealed:v1:two:%'`);
    halves = [await world.start('backend', { keyring: await keysOf(lines.one), flags: { recheck: '1h' } })];
    await eventually('all are there again', async () =>
      (await secretRows()).every(({ text }) => text.includes(':one:')),
    );
    halves = [...halves, await world.start('agent', { keyring: await keysOf(lines.one) })];
    await allWork();
    await world.quiet();
    const now = await argoCdHas();
    expect(Object.keys(now)).toEqual(Object.keys(before));
    const token = await madeToken();
    expect(Object.values(before).join('\n')).not.toContain(token);
    const uid = (await world.client.get(gitOpsDeploymentManagedEnvironments, team('made'))).metadata.uid;
    const account = { namespace: 'kube-system', name: `argocd-manager-${uid}` };
    expect(await orAbsent(remote.client.get(serviceAccounts, account))).toBeDefined();
    expect(await seenIn(await dump())).toEqual([]);
  });
});

/** What of the rows is secret, as it is kept. */
const secretRows = () =>
  sql<{ id: string; text: string }>(
    `select clustercredentials_cred_id as id, serviceaccount_bearer_token as text from clustercredentials
       where serviceaccount_bearer_token <> 'serviceaccount_bearer_token'
     union all select repositorycredentials_id, concat(repo_cred_pass, repo_cred_ssh) from repositorycredentials
     order by 1`,
  );
