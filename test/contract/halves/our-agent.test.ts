// Our agent beside the original's backend: it acts on that backend's rows and objects, and writes what that backend reads.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appProjects } from '../../../src/api/argocd/app-project.ts';
import { applications } from '../../../src/api/argocd/application.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../../kit/agent-rows.ts';
import { eventually } from '../../kit/eventually.ts';
import { originalSpecField } from '../../kit/original-texts.ts';
import { createWorld, engineNamespace, type World } from '../../kit/world.ts';
import { copyToOriginal, oddKeys, readOriginalStatus } from './original-half.ts';

const repoURL = 'https://github.com/org/repo';
const spec = (name: string): string =>
  originalSpecField({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: engineNamespace },
    spec: {
      source: { repoURL, path: 'app', targetRevision: 'main' },
      destination: { name: 'in-cluster', namespace: 'team' },
      project: `app-project-${tenant.id}`,
      syncPolicy: {
        automated: { prune: true, selfHeal: true, allowEmpty: true },
        syncOptions: ['PrunePropagationPolicy=background'],
        retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
      },
    },
  });

let world: World;
let rows: AgentRows;
let tenant: TenantRow;
let application: ApplicationRows;

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
  tenant = await rows.tenant('team');
  await rows.permit(tenant, repoURL);
  application = await rows.application(tenant, spec);
  await world.start('agent', { flags: { compat: 'original' } });
});
afterAll(() => world.stop());

const object = () => world.client.get(applications, { namespace: engineNamespace, name: application.name });

describe('our agent and the backend of the original', () => {
  it('an Operation ends as Completed, without a message', async () => {
    expect(await rows.carriedOut(tenant, application.id)).toEqual({ state: 'Completed', human_readable_state: null });
  });

  it('the Application bears the name and the label of its row, and is what spec_field says', async () => {
    const made = await object();
    expect(made.metadata.labels).toEqual({ databaseID: application.id });
    expect(made.spec).toMatchObject({
      source: { repoURL, path: 'app', targetRevision: 'main' },
      destination: { name: 'in-cluster', namespace: 'team' },
      project: `app-project-${tenant.id}`,
      syncPolicy: { syncOptions: ['PrunePropagationPolicy=background'], retry: { limit: -1 } },
    });
  });

  it("the AppProject has the owner's repositories, in-cluster as its last destination, and the owner's name", async () => {
    const project = await world.client.get(appProjects, {
      namespace: engineNamespace,
      name: `app-project-${tenant.id}`,
    });
    expect(project.metadata.annotations).toMatchObject({ username: tenant.id });
    expect(project.spec.sourceRepos).toEqual([repoURL]);
    expect(project.spec.destinations?.at(-1)).toMatchObject({ name: 'in-cluster' });
  });

  it('the reported status is what the original decodes', async () => {
    const status = {
      health: { status: 'Healthy' },
      sync: {
        status: 'Synced',
        revision: 'c0ffee',
        comparedTo: { source: { repoURL, path: 'app' }, destination: { name: 'in-cluster', namespace: 'team' } },
      },
      resources: [{ version: 'v1', kind: 'ConfigMap', namespace: 'team', name: 'yes', status: 'Synced' }],
      conditions: [{ type: 'SyncError', message: 'one\ntwo: "three"', lastTransitionTime: '2026-01-31T12:00:00Z' }],
    };
    await world.client.patch(
      applications,
      { namespace: engineNamespace, name: application.name },
      { type: 'merge', body: { status } },
    );
    const blob = await eventually('it is stored', async () => {
      const [row] = await world.database.sql<{ status: Buffer | null }>(
        `select argocd_application_status as status from applicationstate where applicationstate_application_id = '${application.id}'`,
      );
      const read = row?.status && readOriginalStatus(row.status);
      return JSON.stringify(read).includes('c0ffee') && read;
    });
    expect(oddKeys(blob)).toEqual([]);
    expect(blob).toMatchObject({
      health: { status: 'Healthy', message: '' },
      sync: {
        status: 'Synced',
        revision: 'c0ffee',
        comparedto: {
          source: { repourl: repoURL, path: 'app', targetrevision: '' },
          destination: { namespace: 'team' },
        },
      },
      resources: [
        { group: '', version: 'v1', kind: 'ConfigMap', namespace: 'team', name: 'yes', status: 'Synced', health: null },
      ],
      conditions: [{ type: 'SyncError', message: 'one\ntwo: "three"', lasttransitiontime: '2026-01-31T12:00:00Z' }],
      operationstate: null,
    });
  });

  it("every row fits the original's schema", async () => {
    expect(await copyToOriginal(world.database)).toMatchObject({ application: 1, applicationstate: 1, operation: 1 });
  });

  it('an Operation about a row that is gone removes the Application, and the AppProject once nothing is left', async () => {
    await rows.forbid(tenant);
    await world.database.sql(`delete from applicationstate`);
    await world.database.sql(`delete from applicationowner`);
    await world.database.sql(`delete from application where application_id = '${application.id}'`);
    const id = await rows.order(tenant, application.id);
    await eventually('it is being deleted', async () => (await object()).metadata.deletionTimestamp);
    const name = application.name;
    const body = { metadata: { finalizers: null } };
    await world.client.patch(applications, { namespace: engineNamespace, name }, { type: 'merge', body });
    expect(await rows.ended(id)).toMatchObject({ state: 'Completed' });
    const { items } = await world.client.list(appProjects, { namespace: engineNamespace });
    expect(items.map((project) => project.metadata.name)).not.toContain(`app-project-${tenant.id}`);
  });
});
