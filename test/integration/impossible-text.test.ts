// Texts that neither a row nor a name can hold: one clear condition, or what the text asks for, and nobody else is hurt.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aDeployment,
  conditionOf,
  deploymentsOf,
  type DeploymentOptions,
  type Deployments,
} from '../kit/deployments.ts';
import { createWorld, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let backend: RunningHalf;
let count = 0;

const nul = 'a\u0000b';
const surrogate = 'a\ud800b';

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  backend = await world.start('backend');
  await world.start('agent');
});
afterAll(() => world.stop());

const newNamespace = async (): Promise<string> => {
  const name = `team-${(count += 1)}`;
  await world.createNamespace(name);
  return name;
};
/** No pass is made while nothing changes. */
const isLeftAlone = async (): Promise<void> => {
  await world.quiet();
  const passes = await backend.passes('deployment');
  await world.quiet();
  expect(await backend.passes('deployment')).toBe(passes);
};

describe('a text that is no name of anything', () => {
  it.each([
    ['a NUL', nul],
    ['half a character', surrogate],
    ['300 characters', 'x'.repeat(300)],
  ])(
    'with %s, as the environment, is one that is not found, and neighbours are deployed',
    async (_what, environment) => {
      const namespace = await newNamespace();
      const destination = { environment, namespace: 'web' };
      // All at once, so that they share statements.
      const [, ...neighbours] = await Promise.all(
        ['bad', 'one', 'two', 'three'].map((name) =>
          world.apply(aDeployment({ namespace, name, ...(name === 'bad' && { destination }) })),
        ),
      );
      const shown = await deployments.withReason({ namespace, name: 'bad' }, 'Stalled', 'EnvironmentNotFound');
      expect(conditionOf(shown, 'ErrorOccurred')).toMatchObject({ status: 'True' });
      for (const neighbour of neighbours) await deployments.deployed(neighbour);
      await isLeftAlone();
    },
  );
});

describe('a text with a NUL', () => {
  it.each<[string, Partial<DeploymentOptions>]>([
    ['path', { path: nul }],
    ['revision', { targetRevision: nul }],
  ])('as the %s arrives as it is', async (_what, options) => {
    const namespace = await newNamespace();
    const made = await world.apply(aDeployment({ namespace, ...options }));
    const { spec } = await deployments.deployed(made);
    expect(spec.source).toMatchObject(options);
    await deployments.withReason({ namespace, name: 'app' }, 'Reconciling', 'WaitingForArgoCD');
    await isLeftAlone();
  });

  it.each<[string, Partial<DeploymentOptions>, string]>([
    ['namespace without an environment', { destination: { namespace: nul } }, 'NamespaceWithoutEnvironment'],
    ['type', { type: nul }, 'InvalidType'],
    ['sync option', { syncOptions: [nul] }, 'UnknownSyncOption'],
    ['repository', { repoURL: `https://host/${nul}` }, 'InvalidRepositoryUrl'],
  ])('as the %s is told as what it is', async (_what, options, reason) => {
    const namespace = await newNamespace();
    await world.apply(aDeployment({ namespace, ...options }));
    const neighbour = await world.apply(aDeployment({ namespace, name: 'neighbour' }));
    await deployments.withReason({ namespace, name: 'app' }, 'Stalled', reason);
    await deployments.deployed(neighbour);
    await isLeftAlone();
  });

  it('as the namespace of an environment arrives as it is', async () => {
    const namespace = await newNamespace();
    const first = await world.apply(aDeployment({ namespace, name: 'first' }));
    await deployments.deployed(first);
    await world.database.script(`
      insert into managedenvironment (managedenvironment_id, name, clustercredentials_id, created_on)
        select 'prod', 'prod', clustercredentials_id, now() from managedenvironment limit 1;
      insert into apicrtodatabasemapping (api_resource_type, api_resource_uid, api_resource_name,
          api_resource_namespace, api_resource_namespace_uid, db_relation_type, db_relation_key)
        select 'GitOpsDeploymentManagedEnvironment', 'uid', 'prod', namespace, namespace_uid, 'ManagedEnvironment', 'prod'
        from deploymenttoapplicationmapping
        where deploymenttoapplicationmapping_uid_id = '${first.metadata.uid}'`);
    const made = await world.apply(aDeployment({ namespace, destination: { environment: 'prod', namespace: nul } }));
    const application = await deployments.deployed(made);
    expect(application.spec.destination.namespace).toBe(nul);
    await deployments.deployed(await world.apply(aDeployment({ namespace, name: 'neighbour' })));
    await isLeftAlone();
  });
});
