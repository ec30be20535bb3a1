// What Argo CD says of its Applications reaches the rows, once for each difference; wishes for a look reach Argo CD.
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applications } from '../../src/api/argocd/application.ts';
import { refreshAnnotation } from '../../src/api/labels.ts';
import { requestRefreshes } from '../../src/db/queries/application-state.ts';
import { MAX_STORED_BYTES, readStatus, type StoredStatus } from '../../src/domain/application-status.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../kit/agent-rows.ts';
import { eventually } from '../kit/eventually.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let rows: AgentRows;
let tenant: TenantRow;
let agent: RunningHalf;
let app: ApplicationRows;

const patch = (body: unknown) =>
  world.client.patch(applications, { namespace: engineNamespace, name: app.name }, { type: 'merge', body });
const report = (status: unknown) => patch({ status });
const stored = async (): Promise<{ bytes: Buffer; status: StoredStatus; version: string } | undefined> => {
  const [row] = await world.database.sql<{ bytes: Buffer; version: string }>(
    `select argocd_application_status as bytes, xmin::text as version from applicationstate
    where applicationstate_application_id = '${app.id}'`,
  );
  return row && { ...row, status: readStatus(row.bytes) };
};
const storedWhere = (what: string, holds: (status: StoredStatus) => boolean) =>
  eventually(what, async () => {
    const found = await stored();
    return found && holds(found.status) ? found : undefined;
  });
const comparedTo = (name: string) => ({
  source: { repoURL: 'https://github.com/org/repo', path: 'app' },
  destination: { name, namespace: 'team' },
});

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
  tenant = await rows.tenant('team');
  agent = await world.start('agent');
});
beforeEach(async () => {
  app = await rows.application(tenant, specText());
  await rows.carriedOut(tenant, app.id);
});
afterAll(() => world.stop());

describe('the status of an Application', () => {
  it('is stored, and stored again where it changes: an operation appears, goes, and appears', async () => {
    await report({ health: { status: 'Healthy' }, sync: { status: 'Synced', comparedTo: comparedTo('in-cluster') } });
    const { status } = await storedWhere('healthy', ({ health }) => health.status === 'Healthy');
    expect(status.sync.comparedTo.destination).toEqual({ server: '', namespace: 'team', name: 'in-cluster' });
    const operationState = { phase: 'Running', startedAt: '2026-01-02T03:04:05Z', operation: { sync: {} } };
    await report({ operationState });
    await storedWhere('running', (one) => one.operationState?.phase === 'Running');
    await report({ operationState: null });
    await storedWhere('no operation', (one) => one.operationState === undefined);
    await report({ operationState });
    await storedWhere('running again', (one) => one.operationState?.startedAt === '2026-01-02T03:04:05Z');
  });

  it('is not written for a comparison that found nothing new', async () => {
    await report({ health: { status: 'Healthy' }, reconciledAt: '2026-01-02T03:04:05Z' });
    const before = await storedWhere('healthy', ({ health }) => health.status === 'Healthy');
    const passes = await agent.passes('application-report');
    await report({ reconciledAt: '2026-01-02T03:09:05Z' });
    await eventually('it was looked at', async () => (await agent.passes('application-report')) > passes);
    await world.quiet();
    expect((await stored())?.version).toBe(before.version);
  });

  it('names an environment by the id of its row', async () => {
    await report({ sync: { status: 'Synced', comparedTo: comparedTo('managed-env-1234') } });
    const { status } = await storedWhere('compared', ({ sync }) => sync.status === 'Synced');
    expect(status.sync.comparedTo.destination.name).toBe('1234');
  });

  it('is written over what another agent stored, even where that is as old as ours', async () => {
    await report({ health: { status: 'Healthy' } });
    await storedWhere('healthy', ({ health }) => health.status === 'Healthy');
    await world.database.sql(`update applicationstate set argocd_application_status = null
      where applicationstate_application_id = '${app.id}'`);
    await agent.process.stop();
    agent = await world.start('agent');
    await storedWhere('healthy again', ({ health }) => health.status === 'Healthy');
  });

  it('that is too large loses its lists, and fits', async () => {
    const random = seededRandom(1);
    const resources = Array.from({ length: 20_000 }, () => ({
      kind: 'ConfigMap',
      name: random.uuid(),
      status: 'Synced',
    }));
    await report({ health: { status: 'Degraded' }, resources });
    const { bytes, status } = await storedWhere('degraded', ({ health }) => health.status === 'Degraded');
    expect(bytes.length).toBeLessThanOrEqual(MAX_STORED_BYTES);
    expect(status.resources).toEqual([]);
  });

  it('has lower-cased names, nothing left out and times as text, as the other half reads it', async () => {
    await report({
      health: { status: 'Healthy' },
      operationState: { phase: 'Succeeded', startedAt: '2026-01-02T03:04:05Z', operation: { sync: { dryRun: true } } },
    });
    const { bytes } = await storedWhere('succeeded', (one) => one.operationState?.phase === 'Succeeded');
    const text = gunzipSync(bytes).toString();
    for (const line of ['repourl: ""', 'targetrevision: ""', 'dryrun: true', 'finishedat: null', 'syncresult: null']) {
      expect(text).toContain(line);
    }
    expect(text).toMatch(/startedat: "2026-01-02T03:04:05Z"/);
  });

  it('without a row goes nowhere, and hurts nobody', async () => {
    await world.database.sql(`delete from application where application_id = '${app.id}'`);
    const passes = await agent.passes('application-report');
    await report({ health: { status: 'Healthy' } });
    await eventually('it was looked at', async () => (await agent.passes('application-report')) > passes);
    await world.quiet();
    expect(await stored()).toBeUndefined();
  });
});

describe('a sync that is tried again', () => {
  const retrying = (pinned: string) => ({
    operation: { sync: { revision: pinned }, retry: { limit: -1 } },
    status: {
      operationState: {
        phase: 'Running',
        retryCount: 2,
        startedAt: '2026-01-02T03:04:05Z',
        operation: { sync: { revision: pinned } },
        syncResult: { revision: pinned, source: { repoURL: 'https://github.com/org/repo', path: 'app' } },
      },
    },
  });
  const phase = async () =>
    (await world.client.get(applications, { namespace: engineNamespace, name: app.name })).status?.operationState
      ?.phase;

  it('at a revision that the repository has moved on from is ended, so that the fix gets its turn', async () => {
    await patch({
      ...retrying('old'),
      status: { ...retrying('old').status, sync: { status: 'OutOfSync', revision: 'new' } },
    });
    await eventually('it is ended', async () => (await phase()) === 'Terminating');
  });

  it('at the present revision goes on', async () => {
    const passes = await agent.passes('application-report');
    await patch({
      ...retrying('new'),
      status: { ...retrying('new').status, sync: { status: 'OutOfSync', revision: 'new' } },
    });
    await eventually('it was looked at', async () => (await agent.passes('application-report')) > passes);
    await world.quiet();
    expect(await phase()).toBe('Running');
  });
});

describe('a wish for a refresh', () => {
  const wish = (dueAt: string) =>
    requestRefreshes(world.database.database, {
      applicationIds: [app.id],
      cause: 'webhook',
      deliveryId: null,
      dueAt,
      now: '2026-01-02T03:04:05.000Z',
    });
  const wishes = () => world.database.sql(`select 1 from refresh_request where application_id = '${app.id}'`);
  const annotation = async () =>
    (await world.client.get(applications, { namespace: engineNamespace, name: app.name })).metadata.annotations?.[
      refreshAnnotation
    ];

  it('that is due reaches Argo CD by its annotation, and is gone', async () => {
    await wish('2026-01-02T03:04:05.000Z');
    await eventually('it is gone', async () => (await wishes()).length === 0);
    expect(await annotation()).toBe('normal');
  });

  it('that is not due yet waits; one that brings it forward is carried out', async () => {
    await wish('2999-01-01T00:00:00.000Z');
    await world.quiet();
    expect(await wishes()).toHaveLength(1);
    expect(await annotation()).toBeUndefined();
    await wish('2026-01-02T03:04:05.000Z');
    await eventually('it is gone', async () => (await wishes()).length === 0);
    expect(await annotation()).toBe('normal');
  });
});
