// Runs PostgreSQL from both sources; as root in CI's containers, as an ordinary user elsewhere.
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import { eventually } from '../../test/kit/eventually.ts';
import { systemClock } from '../lib/clock.ts';
import { Fault } from '../lib/fault.ts';
import { systemRandom } from '../lib/random.ts';
import { startDatabase, type DatabaseOptions, type RunningDatabase } from './database.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const start = async (options: Partial<DatabaseOptions> = {}): Promise<RunningDatabase> => {
  const searchPath = process.env['PATH'];
  const database = await startDatabase({ clock: systemClock, random: systemRandom, searchPath, ...options });
  cleanUps.push(database.stop);
  return database;
};

/** A folder that the account PostgreSQL runs under can reach, which the user's own for temporary files may not be. */
const newFolder = async (): Promise<string> => {
  const path = await mkdtemp('/tmp/managed-gitops-test-');
  cleanUps.push(() => rm(path, { recursive: true, force: true }));
  await chmod(path, 0o755);
  return path;
};

/** The first column of the first row. */
const ask = async (url: string, text: string): Promise<unknown> => {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // a server that ends while nothing is asked is told by the next call
  try {
    await client.connect();
    return (await client.query({ text, rowMode: 'array' })).rows[0]?.[0];
  } finally {
    await client.end();
  }
};

describe.each(['system', 'package'] as const)('a database from the %s', (source) => {
  const startFrom = async (context: TestContext, directory?: string): Promise<RunningDatabase> => {
    try {
      return await start({ source, directory });
    } catch (error) {
      const missing = source === 'system' && error instanceof Fault && error.reason === 'PostgresqlNotFound';
      context.skip(missing, 'this machine has no PostgreSQL of its own');
      throw error;
    }
  };

  it('answers its superuser only, in UTC, not as root, and is gone with its folder after stop', async (context) => {
    const database = await startFrom(context);
    expect(await ask(database.url, 'select usesuper from pg_user where usename = current_user')).toBe(true);
    await expect(ask(database.url.replace(/:[0-9a-f]{32}@/, ':wrong@'), 'select 1')).rejects.toThrow('password');
    expect(await ask(database.url, 'show timezone')).toBe('UTC');
    expect(await ask(database.url, 'show server_version')).toContain(database.version);
    const data = String(await ask(database.url, 'show data_directory'));
    expect((await stat(join(data, 'postmaster.pid'))).uid).not.toBe(0);
    await database.stop();
    await expect(ask(database.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
    await expect(readFile(join(data, 'PG_VERSION'))).rejects.toThrow('ENOENT');
  });

  it('keeps the data of a named folder for the next start', async (context) => {
    const directory = join(await newFolder(), 'kept');
    const first = await startFrom(context, directory);
    await ask(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await startFrom(context, directory);
    expect(await ask(second.url, 'select answer from kept')).toBe(42);
  });
});

describe('a database', () => {
  it('breaks open sessions off when it stops, and may be stopped twice', async () => {
    const database = await start();
    const session = new pg.Client({ connectionString: database.url });
    await session.connect();
    const brokenOff = new Promise((resolve) => session.on('error', resolve));
    await Promise.all([database.stop(), database.stop()]);
    expect(String(await brokenOff)).toContain('terminating connection');
  });

  it.each(['', 'package'])(
    'ends, and leaves nothing behind, when its starter is killed (source: %j)',
    async (source) => {
      const starter = spawn(process.execPath, ['--input-type=module-typescript', '-e', STARTER, source], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const url = await new Promise<string>((resolve, reject) => {
        starter.stdout.once('data', (text) => resolve(String(text)));
        starter.once('exit', () => reject(new Error('it ended before its database was there')));
      });
      const data = String(await ask(url, 'show data_directory'));
      starter.kill('SIGKILL');
      await eventually('PostgreSQL ends', () =>
        ask(url, 'select 1').then(
          () => false,
          (error: unknown) => String(error).includes('ECONNREFUSED'),
        ),
      );
      await eventually('its folder goes', () =>
        stat(data).then(
          () => false,
          () => true,
        ),
      );
    },
  );

  it('takes settings', async () => {
    const { url } = await start({ settings: { max_connections: '17' } });
    expect(await ask(url, 'show max_connections')).toBe('17');
  });

  it('says what PostgreSQL said when it does not start', async () => {
    await expect(start({ settings: { no_such_setting: '1' } })).rejects.toMatchObject({
      kind: 'internal',
      message: expect.stringContaining('unrecognized configuration parameter "no_such_setting"'),
    });
  });

  it('refuses the data of another release in one sentence', async () => {
    const directory = await newFolder();
    await mkdir(join(directory, 'data'));
    await writeFile(join(directory, 'data', 'PG_VERSION'), '9.6\n');
    await expect(start({ directory })).rejects.toMatchObject({
      kind: 'user',
      message: expect.stringMatching(/was made by PostgreSQL 9\.6, but the one found is \d+/),
    });
  });

  it('makes a data folder anew that an earlier start left half-made', async () => {
    const directory = join(await newFolder(), 'kept');
    await mkdir(join(directory, 'data.unfinished'), { recursive: true });
    await writeFile(join(directory, 'data.unfinished', 'PG_VERSION'), '15');
    const { url } = await start({ directory });
    expect(await ask(url, 'select 1')).toBe(1);
  });
});

const STARTER = `
  import { startDatabase } from ${JSON.stringify(new URL('database.ts', import.meta.url).href)};
  import { systemClock } from ${JSON.stringify(new URL('../lib/clock.ts', import.meta.url).href)};
  import { systemRandom } from ${JSON.stringify(new URL('../lib/random.ts', import.meta.url).href)};
  console.log((await startDatabase({ clock: systemClock, random: systemRandom, source: process.argv[1] || undefined })).url);
`;
