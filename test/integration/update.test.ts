// A change of a deployment, and what is no change: nothing may be written for it, however often it is looked at.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApplicationSpec } from '../../src/api/argocd/application.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import {
  aDeployment,
  deploymentsOf,
  healthyStatus,
  someRepository,
  type DeploymentOptions,
  type Deployments,
} from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let halves: { backend: RunningHalf; agent: RunningHalf };
let deployment: GitOpsDeployment;
const ref = { namespace: 'team-a', name: 'app' };

const change = async (options: Omit<DeploymentOptions, 'namespace'>): Promise<void> => {
  deployment = await world.apply(aDeployment({ namespace: 'team-a', ...options }));
};
const becomes = (what: string, look: (spec: ApplicationSpec) => unknown): Promise<unknown> =>
  eventually(what, async () => {
    const application = await deployments.application(deployment);
    return application && look(application.spec);
  });
const rows = (text: string) => world.database.sql<Record<string, string>>(text);

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  halves = { backend: await world.start('backend'), agent: await world.start('agent') };
  await world.createNamespace('team-a');
  await change({});
  await deployments.deployed(deployment);
});
afterAll(() => world.stop());

describe('a change of the spec', () => {
  it('of path and revision arrives at the Application', async () => {
    await change({ path: 'elsewhere', targetRevision: 'v2' });
    await becomes('path and revision', ({ source }) => source?.path === 'elsewhere' && source.targetRevision === 'v2');
    await change({ path: 'app' });
    await becomes('path only', ({ source }) => source?.path === 'app');
  });

  it('of the repository also changes which one the project may read', async () => {
    await change({ repoURL: 'https://github.com/org/moved.git' });
    await becomes('repository', ({ source }) => source?.repoURL === 'https://github.com/org/moved.git');
    expect(await rows('select repo_url from appprojectrepository')).toEqual([
      { repo_url: 'https://github.com/org/moved' },
    ]);
    expect(await rows('select normalized_repo_url as url from application')).toEqual([
      { url: 'https://github.com/org/moved' },
    ]);
  });

  it('of the type takes the automated policy away and brings it back', async () => {
    await change({ type: 'manual' });
    await becomes('no policy', ({ syncPolicy }) => syncPolicy === undefined);
    await change({ type: 'AUTOMATED' });
    await becomes('the policy', ({ syncPolicy }) => syncPolicy?.automated?.prune && syncPolicy.retry?.limit === -1);
  });

  it('of the sync options adds, changes and removes them', async () => {
    await change({ syncOptions: ['CreateNamespace=true'] });
    await becomes('added', ({ syncPolicy }) => syncPolicy?.syncOptions?.[1] === 'CreateNamespace=true');
    await change({ syncOptions: ['CreateNamespace=false'] });
    await becomes('changed', ({ syncPolicy }) => syncPolicy?.syncOptions?.[1] === 'CreateNamespace=false');
    await world.client.patch(gitOpsDeployments, ref, { type: 'merge', body: { spec: { syncPolicy: null } } });
    await becomes('removed', ({ syncPolicy }) => syncPolicy?.syncOptions?.length === 1);
  });

  it('notes the generation that the rows were planned from', async () => {
    const present = await deployments.get(ref);
    expect(await rows('select generation from deploymenttoapplicationmapping')).toEqual([
      { generation: present?.metadata.generation },
    ]);
  });

  it('keeps the same rows: none is made anew', async () => {
    expect(await rows('select 1 from application')).toHaveLength(1);
    expect(await rows('select 1 from applicationowner')).toHaveLength(1);
    expect(await rows('select 1 from deploymenttoapplicationmapping')).toHaveLength(1);
  });
});

describe('what is no change', () => {
  beforeAll(async () => {
    await change({ repoURL: someRepository });
    await becomes('the first repository', ({ source }) => source?.repoURL === someRepository);
    await deployments.patchApplication(deployment, { status: healthyStatus(await deployments.deployed(deployment)) });
    await deployments.withReason(ref, 'Ready', 'Ready');
  });

  it('an apply of the same again: no row and no object is written', async () => {
    const before = await world.quiet();
    const passes = await halves.backend.passes('deployment');
    await world.apply({
      ...aDeployment({ namespace: 'team-a' }),
      metadata: { ...ref, annotations: { seen: 'again' } },
    });
    await eventually('it was looked at', async () => (await halves.backend.passes('deployment')) > passes);
    const after = await world.quiet();
    expect(after.rows).toBe(before.rows);
    expect(after.requests).toEqual(oneMore(before.requests, 'patch gitopsdeployments'));
  });

  it('an Argo CD that only compared again: no row and no object is written', async () => {
    const before = await world.quiet();
    const passes = await halves.agent.passes('application-report');
    await deployments.patchApplication(deployment, { status: { reconciledAt: '2030-01-01T00:00:00Z' } });
    await eventually('it was looked at', async () => (await halves.agent.passes('application-report')) > passes);
    const after = await world.quiet();
    expect(after.rows).toBe(before.rows);
    expect(after.requests).toEqual(oneMore(before.requests, 'patch applications'));
  });

  it.each(['backend', 'agent'] as const)('a restart of the %s: no row and no object is written', async (half) => {
    const before = await world.quiet();
    await halves[half].process.stop();
    halves[half] = await world.start(half);
    const controller = half === 'backend' ? 'deployment' : 'application-report';
    await eventually('everything was looked at', async () => (await halves[half].passes(controller)) > 0);
    const after = await world.quiet();
    expect(after).toEqual(before);
  });

  it('a slow resync of everything: no row and no object is written', async () => {
    await halves.backend.process.stop();
    halves.backend = await world.start('backend', { flags: { resync: '100ms' } });
    const before = await world.quiet();
    const passes = await halves.backend.passes('deployment');
    await eventually('it was looked at', async () => (await halves.backend.passes('deployment')) > passes + 2);
    expect(await world.writes()).toEqual(before);
  });
});

const oneMore = (requests: Readonly<Record<string, number>>, name: string) => ({
  ...requests,
  [name]: (requests[name] ?? 0) + 1,
});
