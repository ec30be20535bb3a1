// Odd values are values: they arrive in Argo CD as they were written, and then nothing is done any more.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitOpsDeploymentSyncRuns } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { aDeployment, conditionOf, deploymentsOf, type Deployments } from '../kit/deployments.ts';
import {
  argoCdFor,
  aSyncRun,
  syncConditionOf,
  syncRunsOf,
  type SteppedArgoCd,
  type SyncRuns,
} from '../kit/sync-runs.ts';
import { createWorld, type RunningHalf, type World } from '../kit/world.ts';

const namespace = 'team-a';
let world: World;
let deployments: Deployments;
let syncRuns: SyncRuns;
let backend: RunningHalf;
let bystander: GitOpsDeployment;

const values: readonly (readonly [what: string, value: string])[] = [
  ['a word of YAML', 'yes'],
  ['an octal number', '012'],
  ['a number with an exponent', '1e3'],
  ['null', 'null'],
  ['a date', '2026-01-31'],
  ['a colon and a blank', 'a: b'],
  ['a dash and a blank', '- a'],
  ['a comment', '# a'],
  ['an anchor', '&a *a'],
  ['a tag', '!!binary a'],
  ['a document', '---\na: b\n...\n'],
  ['a block', '|\n  a\n'],
  ['braces', '{[}]'],
  ['quotes', `"'\`\\`],
  ['what is taken from URLs', 'a&b;c%d?e=f#g'],
  ['SQL', `'; drop table application; --`],
  ['a template', '{{ .Values }}${HOME}$(id)'],
  ['blanks at both ends', '  a \t'],
  ['line ends of three kinds', 'a\nb\r\nc\u2028d'],
  ['control characters', '\u0001\u0007\u001b[31m\u007f\u0085'],
  ['a NUL', 'a\u0000b'],
  ['a combining character', 'e\u0301'],
  ['both directions', 'abc\u202eשלום'],
  ['pictures', '👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿'],
  ['half a character', 'a\ud800b'],
  ['the other half', '\udc00'],
  ['a byte order mark', '\ufeffa'],
  ['no character', '\uffff\ufffd'],
  ['a name of every object', '__proto__'],
  ['7,000 characters', 'é'.repeat(7_000)],
];
const cases = values.map(([what, value], index) => ({ what, value, name: `value-${index}` }));

/** No pass is made, and nothing is written, while nothing changes. */
const isLeftAlone = async (): Promise<void> => {
  const before = await world.quiet();
  const passes = await backend.passes('deployment');
  expect(await world.quiet()).toEqual(before);
  expect(await backend.passes('deployment')).toBe(passes);
};

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  syncRuns = syncRunsOf(world);
  backend = await world.start('backend');
  await world.start('agent');
  await world.createNamespace(namespace);
  bystander = await world.apply(aDeployment({ namespace, name: 'bystander' }));
});
afterAll(() => world.stop());

describe('in a GitOpsDeployment', () => {
  it.each(cases)('$what arrives as path and revision, and stays as it is in the object', async ({ value, name }) => {
    const made = await world.apply(aDeployment({ namespace, name, path: value, targetRevision: value }));
    const { spec } = await deployments.deployed(made);
    expect(spec.source).toMatchObject({ path: value, targetRevision: value });
    expect((await deployments.get({ namespace, name }))?.spec).toEqual(made.spec);
  });

  it('they are done with: nothing is written, or looked at, again', isLeftAlone);

  it('some of them are not even a change when they are applied again', async () => {
    for (const { value, name } of cases.slice(-12))
      await world.apply(aDeployment({ namespace, name, path: value, targetRevision: value }));
    await isLeftAlone();
  });

  it('an object near the size that an API server takes is told to be too large', async () => {
    for (const [name, more] of [
      ['path', { path: 'x'.repeat(1_400_000) }],
      ['options', { syncOptions: Array.from<string>({ length: 50_000 }).fill('CreateNamespace=true') }],
    ] as const) {
      await world.apply(aDeployment({ namespace, name: `huge-${name}`, ...more }));
      const shown = await deployments.withReason({ namespace, name: `huge-${name}` }, 'Stalled', 'SpecTooLarge');
      expect(conditionOf(shown, 'ErrorOccurred')?.message).toMatch(
        /^Spec_field value exceeds maximum size: max: 16384/,
      );
    }
    await world.apply(aDeployment({ namespace, name: 'huge-option', syncOptions: ['x'.repeat(1_000_000)] }));
    await deployments.withReason({ namespace, name: 'huge-option' }, 'Stalled', 'UnknownSyncOption');
    await isLeftAlone();
  });

  it('and a bystander is served', async () => {
    await world.apply(aDeployment({ namespace, name: 'bystander', type: 'manual' }));
    await expect.poll(async () => (await deployments.application(bystander))?.spec.syncPolicy).toBeUndefined();
  });
});

describe('in a GitOpsDeploymentSyncRun', () => {
  let argoCd: SteppedArgoCd;
  beforeAll(async () => {
    const made = await world.apply(aDeployment({ namespace, name: 'manual', type: 'manual' }));
    await deployments.deployed(made);
    argoCd = argoCdFor(world, made);
  });
  const order = (name: string, revision: string, deployment = 'manual') =>
    syncRuns.create(aSyncRun({ namespace, name, deployment, revision }));
  const fits = cases.filter(
    ({ value }) => Buffer.byteLength(value) <= 256 && value.isWellFormed() && !value.includes('\u0000'),
  );

  it.each(fits)('$what arrives as the revision, and the sync is done', async ({ value, name }) => {
    await order(name, value);
    const { operation } = await argoCd.sync();
    expect(operation?.sync?.revision).toBe(value);
    await syncRuns.withReason({ namespace, name }, 'Ready', 'SyncSucceeded');
  });

  it('a change of something else makes nothing of them wrong', async () => {
    const body = { metadata: { annotations: { look: 'again' } } };
    for (const { name } of fits)
      await world.client.patch(gitOpsDeploymentSyncRuns, { namespace, name }, { type: 'merge', body });
    await world.quiet();
    for (const { name, value } of fits) {
      const shown = await syncRuns.get({ namespace, name });
      expect(syncConditionOf(shown, 'Ready')).toMatchObject({ status: 'True', reason: 'SyncSucceeded' });
      expect(shown?.spec?.revisionID).toBe(value);
    }
  });

  it.each<[string, { revision?: string; deployment?: string }, string]>([
    ['a NUL in the revision', { revision: 'a\u0000' }, 'InvalidRevision'],
    ['half a character in the revision', { revision: 'ab\ud800' }, 'InvalidRevision'],
    ['a revision of 258 bytes in half as many characters', { revision: 'é'.repeat(129) }, 'SyncRunFieldTooLong'],
    ['a revision of a megabyte', { revision: 'x'.repeat(1_000_000) }, 'SyncRunFieldTooLong'],
    ['a name of 257 characters', { deployment: 'x'.repeat(257) }, 'SyncRunFieldTooLong'],
  ])('%s is told to be wrong', async (_what, { revision = '', deployment = 'manual' }, reason) => {
    const name = `wrong-${reason.toLowerCase()}-${revision.length}`;
    await order(name, revision, deployment);
    const shown = await syncRuns.withReason({ namespace, name }, 'Stalled', reason);
    expect(syncConditionOf(shown, 'ErrorOccurred')).toMatchObject({ status: 'True' });
  });

  it.each([
    ['a NUL', 'a\u0000'],
    ['half a character', '\ud800'],
    ['a slash', 'a/b'],
  ])('a deployment named with %s is waited for, as for any that is not there', async (_what, deployment) => {
    const name = `nameless-${deployment.length}-${deployment.charCodeAt(0)}`;
    await order(name, 'main', deployment);
    await syncRuns.withReason({ namespace, name }, 'Reconciling', 'WaitingForDeployment');
  });

  it('they are done with: nothing is written, or looked at, again', isLeftAlone);

  it('and the next sync is in its turn', async () => {
    await order('last', 'main');
    await argoCd.sync();
    await syncRuns.withReason({ namespace, name: 'last' }, 'Ready', 'SyncSucceeded');
    await world.client.delete(gitOpsDeployments, { namespace, name: 'manual' });
  });
});
