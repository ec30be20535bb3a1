import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { capturedLog, silentLog } from '../../test/kit/captured-log.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { systemClock } from '../lib/clock.ts';
import { openGate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { migrate, type MigrationReport } from './migrate.ts';
import { readMigrations } from './migrations.ts';
import { checkSchema, readOrigin } from './schema.ts';
import { statement } from './statement.ts';

/** Runs with an empty database. */
const withEmpty = async (run: (test: TestDatabase) => Promise<void>): Promise<void> => {
  const test = await createTestDatabase({ migrated: false });
  try {
    await run(test);
  } finally {
    await test.drop();
  }
};

/** Runs with a copy of the migrations that may be changed. */
const withFolder = async (
  run: (folder: URL, write: (file: string, text: string) => Promise<void>) => Promise<void>,
): Promise<void> => {
  const path = await mkdtemp(join(tmpdir(), 'migrations-'));
  try {
    await cp(new URL('migrations/', import.meta.url), path, { recursive: true });
    const folder = pathToFileURL(`${path}/`);
    await run(folder, (file, text) => writeFile(new URL(file, folder), text));
  } finally {
    await rm(path, { recursive: true });
  }
};

const migrateIt = (
  test: TestDatabase,
  options: Partial<Parameters<typeof migrate>[0]> = {},
): Promise<MigrationReport> =>
  migrate({
    connection: test.connection,
    name: 'migrate test',
    gate: openGate,
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
    ...options,
  });

/** What the original leaves behind: its schema at its last version, and some rows. */
const makeOriginal = async (test: TestDatabase): Promise<void> => {
  const [first] = await readMigrations();
  await test.script(first?.text ?? '');
  await test.script(`
    insert into clustercredentials (clustercredentials_cred_id) values ('credentials');
    insert into gitopsenginecluster (gitopsenginecluster_id, clustercredentials_id) values ('cluster', 'credentials');
    insert into gitopsengineinstance (gitopsengineinstance_id, namespace_name, namespace_uid, enginecluster_id)
      values ('instance', 'argocd', 'uid', 'cluster');
    insert into application (application_id, name, spec_field, engine_instance_inst_id)
      values ('application', 'gitopsdepl-1', 'spec', 'instance');
    insert into applicationstate values ('application', 'blob');
    insert into operation (operation_id, instance_id, resource_id, resource_type, created_on, last_state_update, state)
      values ('operation', 'instance', 'application', 'Application', '2026-01-31', '2026-01-31', 'Waiting')`);
};

describe('migrating an empty database', () => {
  it('applies everything, and the second time nothing', async () => {
    await withEmpty(async (test) => {
      const names = (await readMigrations()).map(({ name }) => name);
      expect(await migrateIt(test)).toEqual({ applied: names });
      expect(await migrateIt(test)).toEqual({ applied: [] });
      expect(await readOrigin(test.database)).toBe('created');
      await checkSchema(test.database, { log: silentLog });
    });
  });

  it('leaves the mark by which the original knows its schema', async () => {
    await withEmpty(async (test) => {
      await migrateIt(test);
      expect(await test.sql('select version, dirty from schema_migrations')).toEqual([{ version: 20, dirty: false }]);
    });
  });

  it('is done by one of two that start together, while the other waits and says so', async () => {
    await withEmpty(async (test) => {
      const { log, lines } = capturedLog();
      const reports = await Promise.all([migrateIt(test, { log }), migrateIt(test, { log }), migrateIt(test, { log })]);
      expect(reports.map(({ applied }) => applied.length).toSorted((a, b) => a - b)).toEqual([
        0,
        0,
        (await readMigrations()).length,
      ]);
      expect(lines.filter(({ msg }) => String(msg).startsWith('waiting'))).toHaveLength(2);
    });
  });

  it('ends without doing anything when it is told to while it waits for another', async () => {
    await withEmpty(async (test) => {
      const { log, lines } = capturedLog();
      const stopping = new AbortController();
      let migrating: Promise<unknown> = Promise.resolve();
      await test.database.transaction('holds the lock', async (tx) => {
        await tx.query(statement('', 'select pg_advisory_xact_lock(7315902001)'));
        migrating = migrateIt(test, { log, signal: stopping.signal });
        await eventually('it waits', () => lines.some(({ msg }) => String(msg).startsWith('waiting')));
        stopping.abort(new Error('enough'));
        await expect(migrating).rejects.toThrow('enough');
      });
      expect(await test.sql(`select to_regclass('managed_gitops_migrations') as book`)).toEqual([{ book: null }]);
    });
  });

  it('is undone when it is told to end in the middle of a migration', async () => {
    await withEmpty(async (test) => {
      await withFolder(async (folder, write) => {
        await write('0001_slow.sql', 'create table half (); select pg_sleep(600);');
        const stopping = new AbortController();
        const migrating = migrateIt(test, { folder, signal: stopping.signal });
        migrating.catch(() => undefined); // seen below
        await eventually('it is at it', async () => {
          const slow = `select 1 from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`;
          return (await test.sql(slow)).length > 0;
        });
        stopping.abort(new Error('enough'));
        await expect(migrating).rejects.toThrow('enough');
        expect(await test.sql(`select to_regclass('half') as half`)).toEqual([{ half: null }]);
      });
    });
  });

  it('undoes a migration that fails, keeps those before it, and goes on from there', async () => {
    await withEmpty(async (test) => {
      await withFolder(async (folder, write) => {
        await write('0900_broken.sql', 'create table half (); select nonsense;');
        await expect(migrateIt(test, { folder })).rejects.toThrow(/0900_broken: SQLSTATE 42703.*nonsense/);
        expect(await test.sql(`select to_regclass('half') as half`)).toEqual([{ half: null }]);
        await write('0900_broken.sql', 'create table half ();');
        expect(await migrateIt(test, { folder })).toEqual({ applied: ['0900_broken'] });
      });
    });
  });

  it('lets those at work on a table go first', async () => {
    await withEmpty(async (test) => {
      await migrateIt(test);
      await withFolder(async (folder, write) => {
        await write('0900_column.sql', 'alter table clusteruser add column age int;');
        const { log, lines } = capturedLog();
        const read = statement('read', 'select clusteruser_id from clusteruser');
        let migrating: Promise<unknown> = Promise.resolve();
        await test.database.transaction('reads', async (tx) => {
          await tx.query(read);
          migrating = migrateIt(test, { folder, log, settings: { lockMs: 20, pauseMs: 20 } });
          await eventually('it lets go', () => lines.some(({ msg }) => msg === 'a table is in use: trying again'));
          await test.database.query(read);
        });
        expect(await migrating).toEqual({ applied: ['0900_column'] });
      });
    });
  });
});

describe('a database that the original made', () => {
  it('is adopted with its rows, and both know it', async () => {
    await withEmpty(async (test) => {
      await makeOriginal(test);
      const { log, lines } = capturedLog();
      const { applied } = await migrateIt(test, { log });
      expect(applied).toEqual((await readMigrations()).slice(1).map(({ name }) => name));
      expect(lines[0]).toMatchObject({ msg: 'adopted the database of the original service' });
      expect(await readOrigin(test.database)).toBe('adopted');
      expect(await test.sql('select operation_id, state, dedupe_key from operation')).toEqual([
        { operation_id: 'operation', state: 'Waiting', dedupe_key: null },
      ]);
      expect(await test.sql('select version, dirty from schema_migrations')).toEqual([{ version: 20, dirty: false }]);
      expect(await migrateIt(test)).toEqual({ applied: [] });
    });
  });

  it('ends with the same schema as one that we made', async () => {
    const schema = `select c.relname, pg_get_constraintdef(con.oid) as definition, con.conname, con.convalidated
      from pg_constraint con join pg_class c on c.oid = con.conrelid where connamespace = 'public'::regnamespace
      order by c.relname, con.conname`;
    await withEmpty(async (made) => {
      await migrateIt(made);
      await withEmpty(async (adopted) => {
        await makeOriginal(adopted);
        await migrateIt(adopted);
        expect(await adopted.sql(schema)).toEqual(await made.sql(schema));
      });
    });
  });

  it('gets its cascades whatever its foreign keys are called', async () => {
    await withEmpty(async (test) => {
      await makeOriginal(test);
      await test.sql(`alter table applicationstate
        rename constraint applicationstate_applicationstate_application_id_fkey to "Another Name"`);
      await migrateIt(test);
      await test.sql('delete from application');
      expect(await test.sql('select * from applicationstate')).toEqual([]);
    });
  });

  it.each([
    [
      'another version',
      'update schema_migrations set version = 19',
      /says version 19; only version 20 .* run the orig/,
    ],
    ['a migration that broke off', 'update schema_migrations set dirty = true', /left half-way \(dirty\).* mend it/],
    ['no version', 'delete from schema_migrations', /says no version/],
    ['a column missing', 'alter table operation drop column state', /lacks operation\.state:/],
    ['a table missing', 'drop table syncoperation', /lacks syncoperation\.syncoperation_id, /],
    [
      'no record of its version',
      'drop table schema_migrations',
      /has the tables .*operation.*but no schema_migrations/,
    ],
  ])('is refused with %s, untouched and told what to do', async (_case, change, message) => {
    await withEmpty(async (test) => {
      await makeOriginal(test);
      await test.sql(change);
      const error: unknown = await migrateIt(test).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ kind: 'user', reason: 'SchemaUnknown' });
      expect((error as Error).message).toMatch(message); // just seen to be a fault
      expect(await test.sql(`select to_regclass('managed_gitops_migrations') as book`)).toEqual([{ book: null }]);
    });
  });
});

describe('a database that another release migrated', () => {
  it('is refused when a migration has other content than the one applied', async () => {
    await withEmpty(async (test) => {
      await migrateIt(test);
      await withFolder(async (folder) => {
        await appendFile(new URL('0002_operation_intent.sql', folder), '-- changed\n');
        await expect(migrateIt(test, { folder })).rejects.toThrow(/migration 0002_operation_intent was applied/);
        await expect(checkSchema(test.database, { log: silentLog, folder })).rejects.toThrow(/0002_operation_intent/);
      });
    });
  });

  it('is worked on by an older one, unless a migration says that it must not be', async () => {
    await withEmpty(async (test) => {
      await withFolder(async (folder, write) => {
        await write('0900_addition.sql', 'create table addition ();');
        await migrateIt(test, { folder });
        expect(await migrateIt(test)).toEqual({ applied: [] });
        await checkSchema(test.database, { log: silentLog });

        await write('0901_removal.sql', '-- breaking: the column they read is gone\ndrop table addition;');
        await migrateIt(test, { folder });
        const refused = { reason: 'SchemaTooNew', message: expect.stringContaining('the column they read is gone') };
        await expect(migrateIt(test)).rejects.toMatchObject(refused);
        await expect(checkSchema(test.database, { log: silentLog })).rejects.toMatchObject(refused);
        await checkSchema(test.database, { log: silentLog, folder });
      });
    });
  });

  it('is waited for while it lacks migrations, and they are named', async () => {
    await withEmpty(async (test) => {
      await expect(checkSchema(test.database, { log: silentLog })).rejects.toMatchObject({
        kind: 'waiting',
        reason: 'SchemaNotReady',
        message: expect.stringContaining('lacks 0001_original_schema, 0002_operation_intent'),
      });
      await migrateIt(test);
      await withFolder(async (folder, write) => {
        await write('0900_addition.sql', 'create table addition ();');
        await expect(checkSchema(test.database, { log: silentLog, folder })).rejects.toThrow(/lacks 0900_addition:/);
      });
    });
  });
});
