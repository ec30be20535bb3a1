// Our backend beside the original's agent: what it writes is what that agent can read, and what that agent writes it reads.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationName } from '../../../src/api/labels.ts';
import { gitOpsDeployments } from '../../../src/api/v1alpha1/gitops-deployment.ts';
import { operations } from '../../../src/api/v1alpha1/operation.ts';
import { parseYaml } from '../../../src/lib/yaml.ts';
import { aDeployment, deploymentsOf } from '../../kit/deployments.ts';
import { eventually } from '../../kit/eventually.ts';
import { aSyncRun, syncRunsOf } from '../../kit/sync-runs.ts';
import { createWorld, engineNamespace, type World } from '../../kit/world.ts';
import { copyToOriginal, oddKeys } from './original-half.ts';

interface Ticket {
  readonly operation_id: string;
  readonly resource_id: string;
  readonly resource_type: string;
  readonly state: string;
  readonly human_readable_state: string | null;
  readonly operation_owner_user_id: string;
}

let world: World;
const ref = { namespace: 'team', name: 'app' };
const sql = <R>(text: string): Promise<R[]> => world.database.sql<R>(text);

beforeAll(async () => {
  world = await createWorld();
  await world.createNamespace(ref.namespace);
  await world.start('backend', { flags: { compat: 'original' } });
});
afterAll(() => world.stop());

/** The one Operation that waits. */
const waiting = (type: string): Promise<Ticket> =>
  eventually(`an Operation ${type} waits`, async () => {
    const rows = await sql<Ticket>(`select * from operation where state = 'Waiting' and resource_type = '${type}'`);
    return rows.length === 1 ? rows[0] : undefined;
  });

/** Carries out an Operation as the original's agent does: three writes to its row, and none to its object. */
const carryOut = async ({ operation_id: id }: Ticket, doIt: () => Promise<unknown>): Promise<void> => {
  const touch = `last_state_update = now()`;
  await sql(`update operation set state = 'In_Progress', ${touch} where operation_id = '${id}'`);
  await doIt();
  await sql(`update operation set state = 'Completed', ${touch} where operation_id = '${id}'`);
};

describe('our backend and the agent of the original', () => {
  it('an Operation is a row and an object with its id and name', async () => {
    await world.apply(
      aDeployment({ ...ref, repoURL: 'https://github.com/org/repo', path: 'yes', targetRevision: '012' }),
    );
    const ticket = await waiting('Application');
    const object = await eventually('its object is there', () =>
      world.client.get(operations, { namespace: engineNamespace, name: operationName(ticket.operation_id) }),
    );
    expect(object.spec).toEqual({ operationID: ticket.operation_id });
    expect(object.metadata.name).toBe(`operation-${ticket.operation_id}`);
    expect(object.metadata.finalizers).toBeUndefined();
    const owners = await sql(`select 1 from clusteruser where clusteruser_id = '${ticket.operation_owner_user_id}'`);
    expect(owners).toHaveLength(1);
  });

  it('spec_field decodes into the Application', async () => {
    const [row] = await sql<{ name: string; spec_field: string }>('select name, spec_field from application');
    const deployment = await deploymentsOf(world).get(ref);
    const document = parseYaml(row?.spec_field ?? '');
    expect(row?.name).toBe(`gitopsdepl-${deployment?.metadata.uid}`);
    expect(oddKeys(document)).toEqual([]);
    expect(document).toMatchObject({
      fauxtypemeta: { kind: 'Application', apiversion: 'argoproj.io/v1alpha1' },
      fauxobjectmeta: { name: row?.name, namespace: engineNamespace },
      spec: {
        source: { repourl: 'https://github.com/org/repo', path: 'yes', targetrevision: '012' },
        destination: { server: '', namespace: 'team', name: 'in-cluster' },
        syncpolicy: {
          automated: { prune: true, selfheal: true, allowempty: true },
          syncoptions: ['PrunePropagationPolicy=background'],
          retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxduration: '3m' } },
        },
      },
    });
    expect(row?.spec_field).toContain('    path: "yes"\n    targetrevision: "012"\n');
  });

  it('the deployment shows what that agent reports, without conditions that the original does not know', async () => {
    const ticket = await waiting('Application');
    const compared =
      'source: {repourl: u, path: yes-path, targetrevision: ""}, destination: {server: "", namespace: team, name: in-cluster}';
    const blob = gzipSync(
      `resources:\n- {group: "", version: v1, kind: ConfigMap, namespace: team, name: map, status: Synced, health: null}\n` +
        `sync: {status: Synced, comparedto: {${compared}}, revision: abc, revisions: []}\n` +
        `health: {status: Healthy, message: ""}\nconditions: []\noperationstate: null\nreconciledat: "2026-01-31T12:00:00Z"\n`,
    );
    await carryOut(ticket, () =>
      sql(`insert into applicationstate (applicationstate_application_id, argocd_application_status)
        values ('${ticket.resource_id}', '\\x${blob.toString('hex')}')`),
    );
    const shown = await eventually('it is shown', async () => {
      const deployment = await deploymentsOf(world).get(ref);
      return deployment?.status?.health?.status === 'Healthy' ? deployment : undefined;
    });
    expect(shown.status).toMatchObject({
      sync: { status: 'Synced', revision: 'abc' },
      resources: [{ kind: 'ConfigMap', name: 'map', status: 'Synced' }],
      reconciledState: { source: { path: 'yes-path' }, destination: { namespace: 'team' } },
    });
    expect(shown.status?.conditions?.map(({ type }) => type) ?? []).not.toContain('Ready');
    await eventually('row and object of the ended Operation are collected', async () => {
      const rows = await sql(`select 1 from operation where operation_id = '${ticket.operation_id}'`);
      return rows.length === 0;
    });
  });

  it('a sync is a row that says Running, an Operation, and a link', async () => {
    await world.apply(aDeployment({ ...ref, type: 'manual' }));
    await carryOut(await waiting('Application'), async () => undefined);
    const syncRun = await syncRunsOf(world).create(aSyncRun({ namespace: 'team', revision: 'main' }));
    const ticket = await waiting('SyncOperation');
    const rows = await sql(`select deployment_name, revision, desired_state from syncoperation
      where syncoperation_id = '${ticket.resource_id}'`);
    expect(rows).toEqual([{ deployment_name: 'app', revision: 'main', desired_state: 'Running' }]);
    const links = await sql(`select api_resource_uid, api_resource_type, db_relation_type from apicrtodatabasemapping
      where db_relation_key = '${ticket.resource_id}'`);
    expect(links).toEqual([
      {
        api_resource_uid: syncRun.metadata.uid,
        api_resource_type: 'GitOpsDeploymentSyncRun',
        db_relation_type: 'SyncOperation',
      },
    ]);
  });

  it("every row fits the original's schema: its lengths, required columns and references", async () => {
    expect(await copyToOriginal(world.database)).toMatchObject({
      clusteruser: 1,
      application: 1,
      applicationowner: 1,
      applicationstate: 1,
      deploymenttoapplicationmapping: 1,
      operation: expect.any(Number),
      syncoperation: 1,
      apicrtodatabasemapping: 1,
      gitopsengineinstance: 1,
      managedenvironment: 1,
    });
  });

  it('a deletion is an Operation about a row that is gone', async () => {
    await carryOut(await waiting('SyncOperation'), async () => undefined);
    const deployment = await deploymentsOf(world).get(ref);
    const [application] = await sql<{ application_id: string }>('select application_id from application');
    expect(deployment).toBeDefined();
    await world.client.delete(gitOpsDeployments, ref);
    const ticket = await waiting('Application');
    expect(ticket.resource_id).toBe(application?.application_id);
    expect(await sql('select 1 from application')).toEqual([]);
    await copyToOriginal(world.database);
  });
});
