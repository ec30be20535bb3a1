// What only the user can mend: one clear condition, nothing lost, nobody else held up, no retry by the clock.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { namespaces } from '../../src/kube/object.ts';
import {
  aDeployment,
  conditionOf,
  deploymentsOf,
  type DeploymentOptions,
  type Deployments,
} from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let backend: RunningHalf;
let count = 0;

type Fault = readonly [what: string, options: Partial<DeploymentOptions>, reason: string, message: string | RegExp];

const long = 'x'.repeat(20_000);
const faults: readonly Fault[] = [
  ['an empty path', { path: '' }, 'PathRequired', 'spec.source.path is a required field and it cannot be empty'],
  ['the path /', { path: '/' }, 'PathIsRoot', "spec.source.path cannot be '/'"],
  ['a wrong type', { type: 'sometimes' }, 'InvalidType', 'spec type must be manual or automated'],
  ['no type', { type: '' }, 'InvalidType', 'spec type must be manual or automated'],
  [
    'an unknown sync option',
    { syncOptions: ['CreateNamespace=true', 'Prune=false'] },
    'UnknownSyncOption',
    'the specified sync option in .spec.syncPolicy.syncOptions is either mispelled or is not supported by GitOpsDeployment',
  ],
  [
    'a namespace without an environment',
    { destination: { namespace: 'elsewhere' } },
    'NamespaceWithoutEnvironment',
    'the environment field should not be empty when the namespace is non-empty',
  ],
  [
    'an environment without a namespace',
    { destination: { environment: 'prod' } },
    'DestinationNamespaceMissing',
    /^(the namespace specified in the destination field|destination namespace specified in the \.spec\.Destination\.Namespace field) is invalid$/,
  ],
  [
    'an environment that does not exist',
    { destination: { environment: 'prod', namespace: 'web' } },
    'EnvironmentNotFound',
    'Unable to reconcile the ManagedEnvironment. Verify that the ManagedEnvironment and Secret are correctly defined, and have valid credentials',
  ],
  [
    'a URL that is none',
    { repoURL: 'https://host:port/%zz' },
    'InvalidRepositoryUrl',
    /^spec\.source\.repoURL is not a valid URL/,
  ],
  [
    'a URL that is too long',
    { repoURL: `https://host/${'r'.repeat(600)}` },
    'RepositoryUrlTooLong',
    /at most 512 characters/,
  ],
  [
    'a spec that is too long',
    { path: long },
    'SpecTooLarge',
    /^Spec_field value exceeds maximum size: max: 16384, actual: \d+$/,
  ],
];

const cases = faults.map(([what, options, reason, message]) => ({ what, options, reason, message }));

const newNamespace = async (): Promise<string> => {
  const name = `team-${(count += 1)}`;
  await world.createNamespace(name);
  return name;
};
const rowsOf = async (namespace: string): Promise<unknown[]> => {
  const { metadata } = await world.client.get(namespaces, { name: namespace });
  return world.database.sql(`
    select spec_field from application a join deploymenttoapplicationmapping l on l.application_id = a.application_id
      where l.namespace_uid = '${metadata.uid}'
    union all select repo_url from appprojectrepository r join clusteruser u on u.clusteruser_id = r.clusteruser_id
      where u.user_name = '${metadata.uid}'`);
};
const errorsOf = (shown: GitOpsDeployment) =>
  shown.status?.conditions?.filter(({ type, status }) => type === 'ErrorOccurred' && status === 'True');
const expectFault = (shown: GitOpsDeployment, reason: string, message: string | RegExp): void => {
  const text: unknown = typeof message === 'string' ? message : expect.stringMatching(message);
  expect(errorsOf(shown)).toMatchObject([{ reason: 'ErrorOccurred', message: text }]);
  expect(conditionOf(shown, 'Stalled')).toMatchObject({ status: 'True', reason, message: text });
  expect(conditionOf(shown, 'Ready')).toMatchObject({ status: 'False', reason });
  expect(conditionOf(shown, 'Reconciling')?.status).toBe('False');
};

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  backend = await world.start('backend');
  await world.start('agent');
});
afterAll(() => world.stop());

describe('a new deployment with a fault', () => {
  it.each(cases)('$what: says so in one condition, and nothing is deployed', async ({ options, reason, message }) => {
    const namespace = await newNamespace();
    const made = await world.apply(aDeployment({ namespace, ...options }));
    expectFault(await deployments.withReason({ namespace, name: 'app' }, 'Stalled', reason), reason, message);
    expect(await rowsOf(namespace)).toEqual([]);
    expect(await deployments.application(made)).toBeUndefined();
  });

  it('is left alone until it changes: no pass, no request and no row more', async () => {
    const namespace = await newNamespace();
    await world.apply(aDeployment({ namespace, path: '/' }));
    await deployments.withReason({ namespace, name: 'app' }, 'Stalled', 'PathIsRoot');
    const before = await world.quiet();
    const passes = await backend.passes('deployment');
    expect(await world.quiet()).toEqual(before);
    expect(await backend.passes('deployment')).toBe(passes);
  });

  it('is deployed once it is mended, and the condition is resolved', async () => {
    const namespace = await newNamespace();
    await world.apply(aDeployment({ namespace, path: '/' }));
    await deployments.withReason({ namespace, name: 'app' }, 'Stalled', 'PathIsRoot');
    const mended = await world.apply(aDeployment({ namespace, path: 'app' }));
    await deployments.deployed(mended);
    const shown = await deployments.withReason({ namespace, name: 'app' }, 'ErrorOccurred', 'ErrorOccurredResolved');
    expect(conditionOf(shown, 'ErrorOccurred')?.status).toBe('False');
    expect(conditionOf(shown, 'Stalled')?.status).toBe('False');
  });

  it('without any spec is told what is missing first', async () => {
    const namespace = await newNamespace();
    const { apiVersion, kind, metadata } = aDeployment({ namespace });
    await world.client.create(gitOpsDeployments, { apiVersion, kind, metadata });
    await deployments.withReason({ namespace, name: 'app' }, 'Stalled', 'PathRequired');
  });

  it('goes without a trace when it is deleted', async () => {
    const namespace = await newNamespace();
    await world.apply(aDeployment({ namespace, path: '/', finalizer: true }));
    await deployments.withReason({ namespace, name: 'app' }, 'Stalled', 'PathIsRoot');
    await world.client.delete(gitOpsDeployments, { namespace, name: 'app' });
    await eventually('it is gone', async () => !(await deployments.get({ namespace, name: 'app' })));
  });
});

describe('a deployed one that gets a fault', () => {
  it.each(cases)('$what: keeps what is deployed as it is', async ({ options, reason, message }) => {
    const namespace = await newNamespace();
    const made = await world.apply(aDeployment({ namespace }));
    const application = await deployments.deployed(made);
    const rows = await rowsOf(namespace);
    await world.apply(aDeployment({ namespace, ...options }));
    const shown = await deployments.withReason({ namespace, name: 'app' }, 'Stalled', reason);
    expectFault(
      shown,
      reason,
      reason === 'EnvironmentNotFound' ? /^unable to reconcile the ManagedEnvironment resource\./ : message,
    );
    expect(await rowsOf(namespace)).toEqual(rows);
    expect((await deployments.application(made))?.spec).toEqual(application.spec);
  });

  it('does not hold up others of its tenant', async () => {
    const namespace = await newNamespace();
    await world.apply(aDeployment({ namespace, path: '/' }));
    await deployments.withReason({ namespace, name: 'app' }, 'Stalled', 'PathIsRoot');
    const other = await world.apply(aDeployment({ namespace, name: 'other' }));
    await deployments.deployed(other);
    await world.apply(aDeployment({ namespace, name: 'other', path: 'changed' }));
    await eventually('the other has changed', async () => {
      return (await deployments.application(other))?.spec.source?.path === 'changed';
    });
  });

  it('can be deleted all the same', async () => {
    const namespace = await newNamespace();
    const made = await world.apply(aDeployment({ namespace, finalizer: true }));
    await deployments.deployed(made);
    await world.apply(aDeployment({ namespace, finalizer: true, path: '/' }));
    await deployments.withReason({ namespace, name: 'app' }, 'Stalled', 'PathIsRoot');
    await world.client.delete(gitOpsDeployments, { namespace, name: 'app' });
    await deployments.cleanUp(made);
    await eventually('it is gone', async () => !(await deployments.get({ namespace, name: 'app' })));
    expect(await rowsOf(namespace)).toEqual([]);
  });
});
