// `managed-gitops keys rotate`, as an operator runs it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createKeyring, type Keyring } from '../../src/lib/envelope.ts';
import { createTestDatabase, type TestDatabase } from '../kit/database.ts';
import { managedGitops, temporaryFolder, type Ended } from './command.ts';

const key = (id: string, byte: number) => ({ id, key: Buffer.alloc(32, byte) });
const line = (id: string, byte: number): string => `${id}:${key(id, byte).key.toString('base64')}\n`;

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

const put = (id: string, token: string) =>
  test.sql(`insert into clustercredentials (clustercredentials_cred_id, host, serviceaccount_bearer_token)
    values ('${id}', 'https://one.example', '${token}')`);
const tokens = async (keyring: Keyring): Promise<readonly string[]> => {
  const rows = await test.sql<{ token: string }>(
    'select serviceaccount_bearer_token as token from clustercredentials order by clustercredentials_cred_id',
  );
  expect(rows.filter(({ token }) => keyring.isStale(token))).toEqual([]);
  return rows.map(({ token }) => keyring.open(token));
};
const rotate = async (keys: string): Promise<Ended> => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'keys'), keys, { mode: 0o600 });
  const environment = { MANAGED_GITOPS_DATABASE_URL: test.connection.url };
  const args = ['keys', 'rotate', '--encryption-key-file=keys'];
  await using running = managedGitops(args, { folder: folder.path, environment });
  return await running.whenEnded; // before the scope ends, and the program with it
};

it(
  'encrypts what is plain or under another key with the first one, says how much, and does so once',
  { timeout: 60_000 },
  async () => {
    await put('1', 'canary-token');
    await put('2', createKeyring([key('old', 1)]).seal('canary-other'));
    const keys = line('new', 2) + line('old', 1);
    const { code, errors } = await rotate(keys);
    expect(code).toBe(0);
    expect(errors).toContain('"count":2');
    expect(errors).not.toContain('canary');
    expect(await tokens(createKeyring([key('new', 2)]))).toEqual(['canary-token', 'canary-other']);
    expect((await rotate(keys)).errors).toContain('"count":0');
  },
);

it('tells which key is missing and what to do, after it has done the rest', { timeout: 60_000 }, async () => {
  const lost = createKeyring([key('lost', 3)]).seal('canary-lost');
  await put('0', lost);
  const { code, errors } = await rotate(line('newest', 4) + line('new', 2));
  expect(code).toBe(1);
  expect(errors).toMatch(/"lost", which is not given/);
  expect(errors).not.toContain(lost.slice(20));
  await test.sql(`delete from clustercredentials where clustercredentials_cred_id = '0'`);
  expect(await tokens(createKeyring([key('newest', 4)]))).toEqual(['canary-token', 'canary-other']);
});
