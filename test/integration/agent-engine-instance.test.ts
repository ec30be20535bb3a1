// Operations that ask for an Argo CD: they end, whether the cluster has an operator for that or not.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { argoCds } from '../../src/api/argocd/argo-cd.ts';
import { customResourceDefinition } from '../../src/api/crd.ts';
import { objectSchema } from '../../src/api/custom-kind.ts';
import { object } from '../../src/api/fields.ts';
import { ApiError } from '../../src/kube/status-error.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { writeAgentRows, type AgentRows, type TenantRow } from '../kit/agent-rows.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

let world: World;
let rows: AgentRows;
let tenant: TenantRow;
let aheadMs = 0;
let isNamespaceGone = false;
const ref = { namespace: engineNamespace, name: engineNamespace };
const order = () => rows.order(tenant, rows.instanceId, 'GitOpsEngineInstance');

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
  tenant = await rows.tenant('team');
  await world.start('agent', {
    clock: { ...systemClock, now: () => systemClock.now() + aheadMs },
    client: (client) => ({
      ...client,
      async get(resource, ...call) {
        if (isNamespaceGone && resource.plural === 'namespaces') throw new ApiError(404, { reason: 'NotFound' });
        return client.get(resource, ...call);
      },
    }),
  });
});
afterAll(() => world.stop());

/** Defines the operator's kind. */
const installOperator = async (): Promise<void> => {
  const definition = customResourceDefinition({
    resource: argoCds,
    schema: objectSchema('An Argo CD.', { spec: object('Its parts.', {}).optional() }),
    statusSubresource: true,
    keepsUnknownFields: true,
    columns: [],
  });
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await world.client.raw({ method: 'POST', path, body: definition });
  await eventually('it is served', async () => {
    await world.client.list(argoCds, { namespace: engineNamespace });
    return true;
  });
};

describe('an Operation that asks for an Argo CD', () => {
  it('fails where the cluster has no operator, with a sentence that says so', async () => {
    expect(await rows.ended(await order())).toEqual({
      state: 'Failed',
      human_readable_state:
        'the cluster has no Argo CD operator (argocds.argoproj.io is not served), so no Argo CD can be made by an Operation',
    });
  });

  it('fails where the namespace has gone: the agent makes none', async () => {
    isNamespaceGone = true;
    expect(await rows.ended(await order())).toEqual({
      state: 'Failed',
      human_readable_state: `the namespace ${engineNamespace} does not exist, and this agent makes no namespaces`,
    });
    isNamespaceGone = false;
  });

  it('has the operator make one, waits until it has come up, and ends then', async () => {
    await installOperator();
    const ticket = await order();
    const waits = `waiting for AppProject default in ${engineNamespace}, by which Argo CD shows that it has come up`;
    await eventually('it waits', async () => (await rows.ticket(ticket))?.human_readable_state === waits);
    const made = await world.client.get(argoCds, ref);
    expect(made.metadata.finalizers).toEqual(['argoproj.io/finalizer']);
    expect(made.spec).toMatchObject({ ha: { enabled: false }, sso: { provider: 'dex' } });
    await world.client.create(appProjects, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { namespace: engineNamespace, name: 'default' },
      spec: {},
    });
    expect(await rows.ended(ticket)).toEqual({ state: 'Completed', human_readable_state: null });
  });

  it('has one that is there corrected, and not written where it is right', async () => {
    const before = await world.client.get(argoCds, ref);
    await rows.ended(await order());
    expect((await world.client.get(argoCds, ref)).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    const body = { spec: { ha: { enabled: true }, theirs: { kept: true } } };
    await world.client.patch(argoCds, ref, { type: 'merge', body });
    await rows.ended(await order());
    expect((await world.client.get(argoCds, ref)).spec).toEqual({ ...before.spec, theirs: { kept: true } });
  });

  it('fails when Argo CD has not come up after three minutes', async () => {
    await world.client.delete(appProjects, { namespace: engineNamespace, name: 'default' });
    const ticket = await order();
    await eventually('it waits', async () => (await rows.ticket(ticket))?.human_readable_state);
    aheadMs = 180_000;
    expect(await rows.ended(ticket)).toEqual({
      state: 'Failed',
      human_readable_state: `there is no AppProject default in ${engineNamespace}, by which Argo CD shows that it has come up, after 3 minutes`,
    });
  });
});
