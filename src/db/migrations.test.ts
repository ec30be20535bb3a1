// What the schema does by itself, whoever writes: here plain SQL, as the original service would send it.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../test/kit/captured-log.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { systemClock } from '../lib/clock.ts';
import { openGate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { systemRandom } from '../lib/random.ts';
import { createListener, type Listener } from './listen.ts';
import { isUniqueViolation } from './sql-error.ts';
import { statement } from './statement.ts';

let test: TestDatabase;
let listener: Listener;
let heard: string[] = [];

beforeAll(async () => {
  test = await createTestDatabase();
  await test.script(`
    insert into clustercredentials (clustercredentials_cred_id) values ('credentials');
    insert into managedenvironment (managedenvironment_id, name, clustercredentials_id)
      values ('environment', 'environment', 'credentials');
    insert into gitopsenginecluster (gitopsenginecluster_id, clustercredentials_id) values ('cluster', 'credentials');
    insert into gitopsengineinstance (gitopsengineinstance_id, namespace_name, namespace_uid, enginecluster_id)
      values ('instance', 'argocd', 'uid', 'cluster');
    insert into clusteruser (clusteruser_id, user_name) values ('user', 'namespace-uid')`);
  listener = createListener({
    connection: test.connection,
    name: 'migrations test',
    channels: ['operation', 'application_state', 'refresh'],
    onNotify: (channel, payloads) => void heard.push(...payloads.map((payload) => `${channel} ${payload}`)),
    onConnect: () => undefined,
    gate: openGate,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: createMetrics(),
    settings: { coalesceMs: 0 },
  });
  listener.start();
  await eventually('the listener listens', () => listener.connected);
});
afterAll(async () => {
  await listener.stop();
  await test.drop();
});
beforeEach(() =>
  test.script(`
    delete from operation; delete from refresh_request; delete from syncoperation; delete from application;
    insert into application (application_id, name, spec_field, engine_instance_inst_id, managed_environment_id)
      values ('application', 'gitopsdepl-1', 'spec', 'instance', 'environment')`),
);

/** What is notified by `text`; a last notification of its own says that there is no more to come. */
const notifiedBy = async (text: string): Promise<string[]> => {
  heard = [];
  await test.script(text);
  await test.script(`notify refresh, 'end'`);
  await eventually('everything has been heard', () => heard.includes('refresh end'));
  return heard.filter((line) => line !== 'refresh end');
};

const insertOperation = (id: string, extra: { dedupeKey?: string; state?: string } = {}): string => `
  insert into operation (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on,
    last_state_update, state${extra.dedupeKey ? ', dedupe_key' : ''})
  values ('${id}', 'instance', 'application', 'user', 'Application', '2026-01-31 12:00:00', '2026-01-31 12:00:00',
    '${extra.state ?? 'Waiting'}'${extra.dedupeKey ? `, '${extra.dedupeKey}'` : ''})`;

/** The original writes whole rows. */
const updateOperation = (id: string, set: { state: string; message?: string; at?: string }): string => `
  update operation set instance_id = 'instance', resource_id = 'application', resource_type = 'Application',
    operation_owner_user_id = 'user', created_on = '2026-01-31 12:00:00', gc_expiration_time = null,
    last_state_update = '${set.at ?? '2026-01-31 12:00:01'}', state = '${set.state}',
    human_readable_state = ${set.message ? `'${set.message}'` : 'null'} where operation_id = '${id}'`;

describe('an application', () => {
  it('takes its state, owner and link along when it is deleted', async () => {
    await test.script(`
      insert into applicationstate values ('application', 'blob');
      insert into applicationowner (application_owner_application_id, application_owner_user_id)
        values ('application', 'user');
      insert into deploymenttoapplicationmapping (deploymenttoapplicationmapping_uid_id, application_id)
        values ('uid', 'application');
      delete from application`);
    for (const table of ['applicationstate', 'applicationowner', 'deploymenttoapplicationmapping']) {
      expect(await test.sql(`select 1 from ${table}`), table).toEqual([]);
    }
  });

  it('goes by its state alone: nothing else that refers to something disappears with it', async () => {
    const cascades = await test.sql<{ child: string; parent: string }>(`
      select conrelid::regclass::text as child, confrelid::regclass::text as parent
      from pg_constraint where contype = 'f' and confdeltype = 'c' order by 1`);
    expect(cascades).toEqual([
      { child: 'applicationowner', parent: 'application' },
      { child: 'applicationstate', parent: 'application' },
      { child: 'deploymenttoapplicationmapping', parent: 'application' },
    ]);
    expect(await test.sql('select 1 from pg_constraint where not convalidated')).toEqual([]);
    await test.script(`insert into syncoperation (syncoperation_id, application_id, deployment_name, revision,
      desired_state) values ('sync', 'application', 'name', '', 'Running')`);
    await expect(test.sql('delete from application')).rejects.toThrow(/fk_so_app_id/);
  });
});

describe('the content hash of an application state', () => {
  const hashes = (): Promise<unknown[]> => test.sql('select content_hash from applicationstate');

  it('is forgotten when somebody writes the blob without it', async () => {
    await test.script(`insert into applicationstate values ('application', 'blob', 'hash')`);
    await test.script(`update applicationstate set argocd_application_status = 'blob'`);
    expect(await hashes()).toEqual([{ content_hash: 'hash' }]);
    await test.script(`update applicationstate set argocd_application_status = 'other'`);
    expect(await hashes()).toEqual([{ content_hash: null }]);
  });

  it('stays when it is written with the blob', async () => {
    await test.script(`insert into applicationstate values ('application', 'blob', 'hash');
      update applicationstate set argocd_application_status = 'other', content_hash = 'other hash'`);
    expect(await hashes()).toEqual([{ content_hash: 'other hash' }]);
  });
});

describe('the key of an Operation of ours', () => {
  const insert = (id: string, dedupeKey: string) => test.script(insertOperation(id, { dedupeKey }));

  it('is unique among those that wait, and only among those', async () => {
    await insert('first', 'key');
    await insert('another', 'other key');
    const twice: unknown = await insert('second', 'key').catch((error: unknown) => error);
    expect(isUniqueViolation(twice, 'operation_waiting_dedupe_key')).toBe(true);
    await test.script(updateOperation('first', { state: 'In_Progress' }));
    await insert('second', 'key');
    await test.script(updateOperation('second', { state: 'Completed' }));
    await test.script(updateOperation('first', { state: 'In_Progress', message: 'again' }));
    await insert('third', 'key');
  });

  it('lets the waiting row be found and locked by an insert', async () => {
    await insert('first', 'key');
    const { rows } = await test.database.query(
      statement<{ operation_id: string }>(
        'coalesce',
        `${insertOperation('second', { dedupeKey: 'key' })}
         on conflict (dedupe_key) where state = 'Waiting'
         do update set last_state_update = excluded.last_state_update returning operation_id`,
      ),
    );
    expect(rows).toEqual([{ operation_id: 'first' }]);
  });

  it('never stands in the way of the original: it inserts as many equal ones as it likes', async () => {
    await test.script(
      `${insertOperation('1')}; ${insertOperation('2')}; ${insertOperation('3', { dedupeKey: 'key' })}`,
    );
    expect(await test.sql('select 1 from operation')).toHaveLength(3);
  });
});

describe('a notification', () => {
  it('follows an Operation that is inserted, whoever inserts it', async () => {
    expect(await notifiedBy(insertOperation('op'))).toEqual(['operation op']);
  });

  it('follows an Operation that ends or tells something, not one that is taken or written unchanged', async () => {
    await notifiedBy(insertOperation('op'));
    const steps = [
      [updateOperation('op', { state: 'In_Progress' }), []],
      [updateOperation('op', { state: 'In_Progress', at: '2026-01-31 12:00:02' }), []],
      [updateOperation('op', { state: 'In_Progress', message: 'no route' }), ['operation op']],
      [updateOperation('op', { state: 'In_Progress', message: 'no route' }), []],
      [updateOperation('op', { state: 'Completed', message: 'no route' }), ['operation op']],
      [updateOperation('op', { state: 'Completed', message: 'no route' }), []],
      [`update operation set delivered_at = '2026-01-31', attempts = 1`, []],
      ['delete from operation', []],
    ] as const;
    for (const [text, expected] of steps) expect(await notifiedBy(text), text).toEqual(expected);
  });

  it('follows a waiting Operation that is touched', async () => {
    await notifiedBy(insertOperation('op'));
    const touched = updateOperation('op', { state: 'Waiting', at: '2026-01-31 12:00:05' });
    expect(await notifiedBy(touched)).toEqual(['operation op']);
    expect(await notifiedBy(touched)).toEqual([]);
  });

  it('follows an application state whose blob changes', async () => {
    const write = (blob: string) => `insert into applicationstate values ('application', '${blob}')
      on conflict (applicationstate_application_id)
      do update set argocd_application_status = excluded.argocd_application_status`;
    expect(await notifiedBy(write('one'))).toEqual(['application_state application']);
    expect(await notifiedBy(write('one'))).toEqual([]);
    expect(await notifiedBy(write('two'))).toEqual(['application_state application']);
    expect(await notifiedBy(`update applicationstate set content_hash = 'hash'`)).toEqual([]);
  });

  it('follows a request to refresh, and another one for the same application', async () => {
    const request = `insert into refresh_request values ('application', 'webhook', 'delivery', '2026-01-31', '2026-01-31')
      on conflict (application_id) do update set due_at = excluded.due_at`;
    expect(await notifiedBy(request)).toEqual(['refresh application']);
    expect(await notifiedBy(request)).toEqual(['refresh application']);
    expect(await test.sql('select 1 from refresh_request')).toHaveLength(1);
  });

  it('does not follow what was rolled back', async () => {
    expect(await notifiedBy(`begin; ${insertOperation('op')}; rollback`)).toEqual([]);
  });
});

describe('the indexes', () => {
  it('cover every foreign key', async () => {
    const uncovered = await test.sql(`
      select conrelid::regclass || '.' || conname as name from pg_constraint con
      where contype = 'f' and not exists (
        select 1 from pg_index where indrelid = con.conrelid and indpred is null and indkey[0] = con.conkey[1])`);
    expect(uncovered).toEqual([]);
  });
});
