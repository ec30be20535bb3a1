import { describe, expect, it } from 'vitest';
import { anOperation, factsOf, linkOf, liveDeployment, liveUid } from '../../test/kit/facts.ts';
import { isFault } from '../lib/fault.ts';
import type { DeletionFacts, DeploymentFacts } from './deployment-facts.ts';
import { planDeployment, writes, type PlanSettings } from './deployment-plan.ts';

const settings: PlanSettings = { projectIsolation: true, retryFailedMs: 10_000 };
const atSecond = (second: number): number => Date.UTC(2026, 0, 1, 0, 0, second);
const plan = (facts: DeploymentFacts, second = 0, more: Partial<PlanSettings> = {}) =>
  planDeployment(facts, { ...settings, ...more }, atSecond(second));
const faultOf = (facts: DeploymentFacts): unknown => {
  try {
    plan(facts);
  } catch (error) {
    return isFault(error) ? [error.kind, error.reason] : error;
  }
  return undefined;
};
const oldLink = { ...linkOf(liveDeployment()), deploymentUid: 'old', applicationId: 'old-application' };
const oldDeletion: DeletionFacts = {
  deploymentUid: 'old',
  applicationId: 'old-application',
  requestedAt: '2026-01-01T00:00:00.000000Z',
  operations: [anOperation('Waiting')],
};

describe('a plan', () => {
  it('for a deployment without rows makes them', () => {
    const { application, remove } = plan(factsOf(liveDeployment()));
    expect(remove).toEqual([]);
    expect(application).toMatchObject({ write: 'create', deploymentUid: liveUid, generation: 1, retry: false });
    expect(application?.desired.project).toBe('app-project-user');
  });

  it('for rows that say what the deployment says writes nothing', () => {
    const deployment = liveDeployment();
    expect(writes(plan(factsOf(deployment, { links: [linkOf(deployment)] })))).toBe(false);
  });

  it('goes by the meaning of the text in the row, not by how it is written', () => {
    const deployment = liveDeployment();
    const link = linkOf(deployment);
    const specField = link.application?.specField.replaceAll('"', '') ?? '';
    const written = { ...link, application: link.application && { ...link.application, specField } };
    expect(writes(plan(factsOf(deployment, { links: [written] })))).toBe(false);
  });

  it.each([
    ['the path', liveDeployment({ path: 'other' })],
    ['the repository', liveDeployment({ repoURL: 'https://github.com/org/other' })],
    ['the revision', liveDeployment({ targetRevision: 'v2' })],
    ['the type', liveDeployment({ type: 'manual' })],
    ['the sync options', liveDeployment({ syncOptions: ['CreateNamespace=true'] })],
  ])('for a change of %s updates the rows', (_what, changed) => {
    const { application } = plan(factsOf(changed, { links: [linkOf(liveDeployment())] }));
    expect(application?.write).toBe('update');
  });

  it.each([
    ['the owner', {}, { hasOwner: false }],
    ['the permission to read the repository', { repositoryKnown: false }, {}],
    ['the environment', {}, { environmentId: null }],
    ["the tenant's target", { ids: { userId: 'user', engineInstanceId: 'instance', ownEnvironmentId: undefined } }, {}],
    ['a readable text', {}, { specField: '][' }],
  ])('restores %s where it is missing', (_what, facts, application) => {
    const deployment = liveDeployment();
    const link = linkOf(deployment);
    const damaged = { ...link, application: link.application && { ...link.application, ...application } };
    expect(plan(factsOf(deployment, { ...facts, links: [damaged] })).application?.write).toBe('update');
  });

  it('makes the application anew where only its link is left', () => {
    const deployment = liveDeployment();
    const link = linkOf(deployment, { application: undefined });
    expect(plan(factsOf(deployment, { links: [link] })).application?.write).toBe('create');
  });

  it('puts everyone into the default project while projects do not isolate', () => {
    const { application } = plan(factsOf(liveDeployment()), 0, { projectIsolation: false });
    expect(application?.desired.project).toBe('default');
  });

  it('names a known environment by the id of its row', () => {
    const destination = { environment: 'prod', namespace: 'web' };
    const { application } = plan(factsOf(liveDeployment({ destination }), { namedEnvironmentId: 'env' }));
    expect(application?.environmentId).toBe('env');
    expect(application?.desired.destination).toEqual({ server: '', namespace: 'web', name: 'managed-env-env' });
  });
});

describe('removal', () => {
  it('follows from the deletion of the object', () => {
    const deployment = liveDeployment({ deleting: true });
    expect(plan(factsOf(deployment, { links: [linkOf(deployment)] })).remove).toHaveLength(1);
  });

  it('follows from an absence that is proven, and from no other', () => {
    const links = [linkOf(liveDeployment())];
    expect(plan(factsOf(undefined, { links })).remove).toHaveLength(1);
    expect(writes(plan(factsOf(undefined, { links, gone: new Set() })))).toBe(false);
  });

  it('of an older deployment of the name comes before anything is made for the new one', () => {
    const planned = plan(factsOf(liveDeployment(), { links: [oldLink] }));
    expect(planned.remove).toEqual([oldLink]);
    expect(planned.application).toBeUndefined();
  });

  it('of an older one is not held up by a fault of the new one', () => {
    const planned = plan(factsOf(liveDeployment({ path: '' }), { links: [oldLink] }));
    expect(planned.remove).toEqual([oldLink]);
  });

  it('that ended without the Application being gone is ordered again, after a while', () => {
    const ended = { ...oldDeletion, operations: [anOperation('Failed')] };
    const facts = factsOf(undefined, { deletions: [ended] });
    expect(plan(facts, 9).removeAgain).toEqual([]);
    expect(plan(facts, 10).removeAgain).toEqual([ended]);
    expect(plan(factsOf(undefined, { deletions: [oldDeletion] }), 30).removeAgain).toEqual([]);
  });
});

describe('a deployment waits', () => {
  it('until what an older one of its name deployed is gone', () => {
    expect(faultOf(factsOf(liveDeployment(), { deletions: [oldDeletion] }))).toEqual(['waiting', 'WaitingForDeletion']);
  });

  it('in a namespace that goes away', () => {
    const namespace = { name: 'team-a', uid: 'namespace-uid', deleting: true };
    expect(faultOf(factsOf(liveDeployment(), { namespace }))).toEqual(['waiting', 'NamespaceTerminating']);
  });

  it('for the cache, when the rows were made from a newer version than it has', () => {
    const links = [linkOf(liveDeployment(), { generation: 3 })];
    expect(faultOf(factsOf(liveDeployment({ generation: 2 }), { links }))).toEqual(['waiting', 'StaleCache']);
  });
});

describe('a failed Operation', () => {
  const after = (second: number, ...operations: ReturnType<typeof anOperation>[]) => {
    const deployment = liveDeployment();
    return plan(factsOf(deployment, { links: [linkOf(deployment, { operations })] }), second).application;
  };

  it('is tried again when it has stood for long enough', () => {
    expect(after(9, anOperation('Failed'))?.retry).toBe(false);
    expect(after(10, anOperation('Failed'))).toMatchObject({ retry: true, write: 'none' });
  });

  it('is not tried again while another is open, or after one has succeeded', () => {
    expect(after(59, anOperation('Failed'), anOperation('Waiting', { second: 1 }))?.retry).toBe(false);
    expect(after(59, anOperation('Failed'), anOperation('Completed', { second: 1 }))?.retry).toBe(false);
  });
});

describe('a fault of the spec', () => {
  it('is the words of its rule', () => {
    expect(faultOf(factsOf(liveDeployment({ path: '/' })))).toEqual(['user', 'PathIsRoot']);
  });

  it('is a spec that is too large for the rows', () => {
    expect(faultOf(factsOf(liveDeployment({ path: 'x'.repeat(17_000) })))).toEqual(['user', 'SpecTooLarge']);
  });

  it('is an environment that is not there, in other words for a deployed one than for a new one', () => {
    const deployment = liveDeployment({ destination: { environment: 'prod', namespace: 'web' } });
    expect(() => plan(factsOf(deployment))).toThrow('Unable to reconcile the ManagedEnvironment.');
    expect(() => plan(factsOf(deployment, { links: [linkOf(deployment)] }))).toThrow(
      'unable to reconcile the ManagedEnvironment resource.',
    );
  });
});
