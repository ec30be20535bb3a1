// Nothing that the agent is told is lost, whatever it is at; and what is settled does not wake it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applications } from '../../src/api/argocd/application.ts';
import { statement } from '../../src/db/statement.ts';
import type { Gate } from '../../src/lib/gate.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../kit/agent-rows.ts';
import { eventually } from '../kit/eventually.ts';
import { createKeptAnswers } from '../kit/kept-answers.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type HalfOptions, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let rows: AgentRows;
let tenant: TenantRow;
let app: ApplicationRows;
let agent: RunningHalf | undefined;

const start = async (options: HalfOptions = {}): Promise<RunningHalf> => (agent = await world.start('agent', options));
const sql = (text: string) => world.database.sql(text);

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
});
beforeEach(async () => {
  tenant = await rows.tenant('team');
  await rows.permit(tenant, 'https://github.com/org/repo');
  app = await rows.application(tenant, specText());
});
afterEach(() => agent?.process.stop());
afterAll(() => world.stop());

const lockRow = statement('lock-row', 'select 1 from operation where operation_id = $1 for update');
/** Holds an Operation's row, as whoever notes something in it does, for the length of `run`. */
const whileRowIsHeld = (id: string, run: () => Promise<unknown>) =>
  world.database.database.transaction('holds a row', async (tx) => {
    await tx.query(lockRow, [id]);
    await run();
  });

describe('an Operation whose row somebody holds', () => {
  it('is taken when it is let go, though nothing tells of that', async () => {
    const ticket = await rows.order(tenant, app.id);
    await whileRowIsHeld(ticket, async () => {
      const { passes } = await start();
      await eventually('it was skipped', async () => (await passes('operation')) > 0);
      expect((await rows.ticket(ticket))?.state).toBe('Waiting');
    });
    expect((await rows.ended(ticket)).state).toBe('Completed');
  });

  it('is taken also where another one of its resource was carried out meanwhile, or failed', async () => {
    for (const [text, state] of [
      [specText()(app.name), 'Completed'],
      ['hello', 'Failed'],
    ] as const) {
      await sql(`update application set spec_field = '${text}' where application_id = '${app.id}'`);
      const held = await rows.order(tenant, app.id);
      const free = await rows.order(tenant, app.id);
      await whileRowIsHeld(held, async () => {
        await start();
        expect((await rows.ended(free)).state).toBe(state);
        expect((await rows.ticket(held))?.state).toBe('Waiting');
      });
      expect((await rows.ended(held)).state).toBe(state);
      await agent?.process.stop();
    }
  });
});

describe('while open Operations are looked up', () => {
  it('another notification of the same one is not lost', async () => {
    const lookUps = createKeptAnswers('agent-open-operations');
    await start({ gate: lookUps.gate });
    await world.quiet();
    lookUps.close();
    await sql(`insert into operation
      (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on, last_state_update, state)
      values ('again', '${rows.instanceId}', '${app.id}', '${tenant.id}', 'Application', now(), now(), 'Completed')`);
    await lookUps.untilKept();
    const heard = lookUps.ended('notify operation_event');
    await sql(`update operation set state = 'Waiting' where operation_id = 'again'`);
    await eventually('it is heard', () => lookUps.ended('notify operation_event') > heard);
    lookUps.open();
    expect((await rows.ended('again')).state).toBe('Completed');
  });

  it('what nobody was told of, because the connection broke, is not lost', async () => {
    const lookUps = createKeptAnswers('agent-open-operations');
    lookUps.close();
    await start({ gate: lookUps.gate });
    await lookUps.untilKept();
    await sql(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'listen %'`);
    const refreshes = lookUps.ended('refresh-due');
    const [ticket] = await world.database.sql<{ operation_id: string }>(`insert into operation
      (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on, last_state_update, state)
      values ('unheard', '${rows.instanceId}', '${app.id}', '${tenant.id}', 'Application', now(), now(), 'Waiting')
      returning operation_id`);
    await eventually('everything is looked at anew', () => lookUps.ended('refresh-due') > refreshes);
    lookUps.open();
    expect((await rows.ended(ticket?.operation_id ?? '')).state).toBe('Completed');
  });

  it('a failure of that makes it look again', async () => {
    let fails = false;
    const gate: Gate = (call, run) => {
      if (!fails || call.name !== 'agent-open-operations') return run();
      fails = false;
      return Promise.reject(new Error('refused by the test'));
    };
    await start({ gate });
    await world.quiet();
    fails = true;
    expect((await rows.carriedOut(tenant, app.id)).state).toBe('Completed');
    expect(fails).toBe(false);
  });
});

describe('an Application', () => {
  it('whose Operation has failed wakes nobody when it changes', async () => {
    const { passes } = await start();
    await rows.carriedOut(tenant, app.id);
    await sql(`update application set spec_field = 'hello' where application_id = '${app.id}'`);
    expect((await rows.carriedOut(tenant, app.id)).state).toBe('Failed');
    await world.quiet();
    const before = { operation: await passes('operation'), report: await passes('application-report') };
    await world.client.patch(
      applications,
      { namespace: engineNamespace, name: app.name },
      { type: 'merge', body: { metadata: { annotations: { touched: 'yes' } } } },
    );
    await eventually('it is seen', async () => (await passes('application-report')) > before.report);
    await world.quiet();
    expect(await passes('operation')).toBe(before.operation);
  });
});
