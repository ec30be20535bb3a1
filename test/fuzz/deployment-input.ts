// GitOpsDeployments with odd values: each is deployed exactly as it was written, or told what is wrong with it.
import fc, { type Arbitrary } from 'fast-check';
import { gitOpsDeployments, type GitOpsDeploymentSpec } from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { Application } from '../../src/api/argocd/application.ts';
import { aDeployment, conditionOf, orAbsent, someRepository } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { errorOf, isRefusal, namespace, readDeployment, SETTLE_MS, type Ground, type Kind } from './ground.ts';
import { anyText, mostly } from './texts.ts';

const text = (...usual: readonly [string, ...string[]]): Arbitrary<string> =>
  mostly(fc.constantFrom(...usual), anyText);

const repository: Arbitrary<string> = mostly(
  fc.constantFrom(someRepository, 'git@github.com:org/repo.git', 'ssh://git@host/a/b'),
  fc.oneof(
    anyText,
    anyText.map((odd) => `https://host/${odd}`),
    anyText.map((odd) => `https://${odd}@host/path`),
    anyText.map((odd) => `https://host/path?${odd}`),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
  ),
);

const options: Arbitrary<string[]> = fc.oneof(
  fc.constant<string[]>(['CreateNamespace=true']),
  fc.array(fc.constantFrom<string>('CreateNamespace=true', 'CreateNamespace=false'), { maxLength: 3 }),
  fc.array(anyText, { maxLength: 3 }),
  fc.integer({ min: 100, max: 3000 }).map((length) => Array.from<string>({ length }).fill('CreateNamespace=true')),
  fc.constant<string[]>(['x'.repeat(100_000)]),
);

const deploymentSpecs: Arbitrary<GitOpsDeploymentSpec> = fc.record(
  {
    source: fc.record(
      { repoURL: repository, path: text('app'), targetRevision: text('main') },
      { requiredKeys: ['repoURL', 'path'] },
    ),
    type: text('automated', 'manual', 'Automated'),
    destination: mostly<GitOpsDeploymentSpec['destination']>(
      fc.constant(undefined),
      fc.record({ environment: anyText, namespace: anyText }, { requiredKeys: [] }),
    ),
    syncPolicy: mostly<GitOpsDeploymentSpec['syncPolicy']>(
      fc.constant(undefined),
      fc.record({ syncOptions: options }, { requiredKeys: [] }),
    ),
  },
  { requiredKeys: ['source', 'type'] },
);

const differs = (spec: GitOpsDeploymentSpec, { spec: deployed }: Application): string | undefined => {
  const pairs = [
    ['repoURL', spec.source.repoURL, deployed.source?.repoURL],
    ['path', spec.source.path, deployed.source?.path],
    ['targetRevision', spec.source.targetRevision ?? '', deployed.source?.targetRevision ?? ''],
    ['namespace', spec.destination?.namespace || namespace, deployed.destination.namespace],
  ] as const;
  return pairs.find(([, want, have]) => want !== have)?.join(' / ');
};

/** Waits until the deployment has been dealt with; says how. */
const settled = (ground: Ground, name: string, generation: number): Promise<'deployed' | 'told'> =>
  eventually(
    `${name} is deployed or told why not`,
    async () => {
      const shown = await readDeployment(ground, name);
      const error = errorOf(shown);
      const stalled = conditionOf(shown, 'Stalled');
      if (stalled?.status === 'True' && stalled.observedGeneration === generation) {
        if (error === undefined || error === '') throw new Error('it is stalled without a word');
        return 'told' as const;
      }
      const application = await ground.deployments.application(shown);
      if (application && differs(shown.spec ?? fail('it has lost its spec'), application) === undefined)
        return 'deployed';
      throw new Error(`${JSON.stringify(shown.status?.conditions)} ${JSON.stringify(application?.spec).slice(0, 500)}`);
    },
    SETTLE_MS,
  );

const fail = (message: string): never => {
  throw new Error(message);
};

/** A spec, of a new deployment or as the change of one that is deployed. */
interface DeploymentInput {
  readonly spec: GitOpsDeploymentSpec;
  readonly changed: boolean;
}

/** Specs that the schema lets through. */
export const deploymentInputs: Arbitrary<DeploymentInput> = fc.record({
  spec: deploymentSpecs,
  changed: fc.boolean(),
});

/** Tries deployments. */
export const startDeploymentInput: Kind<DeploymentInput> = (ground) =>
  Promise.resolve((input) => tryDeployment(ground, input));

const tryDeployment = async (ground: Ground, { spec, changed }: DeploymentInput): Promise<void> => {
  const { client } = ground.world;
  const metadata = { name: ground.newName(), namespace };
  const plain = aDeployment(metadata);
  if (changed) await client.create(gitOpsDeployments, plain);
  const body = [{ op: 'replace', path: '/spec', value: spec }];
  try {
    const made = changed
      ? await client.patch(gitOpsDeployments, metadata, { type: 'json', body })
      : await client.create(gitOpsDeployments, { ...plain, spec });
    await settled(ground, metadata.name, made.metadata.generation ?? 0);
    const after = await readDeployment(ground, metadata.name);
    if (JSON.stringify(after.spec) !== JSON.stringify(made.spec)) throw new Error('what the user wrote has changed');
  } catch (error) {
    if (!isRefusal(error)) throw error;
  } finally {
    await orAbsent(client.delete(gitOpsDeployments, metadata));
  }
};
