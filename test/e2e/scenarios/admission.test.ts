import { afterAll, describe, expect, inject } from 'vitest';
import { deploymentFinalizer } from '../../../src/api/labels.ts';
import { admissionMessages } from '../../../src/api/messages.ts';
import { hasError, isGone } from '../looks.ts';
import { kubectl, scenario, type Stage, type Team } from '../scenario.ts';
import { webhookConfigurations } from '../webhooks.ts';

const { webhooks } = inject('endToEnd');

const probe = 'zyxwvutsrqponmlkjihgfedcba-abcdefghijklmnoqrstuvwxyz';

interface Wish {
  readonly name?: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

const object = (kind: string, namespace: string, { name = 'app', spec }: Wish): string =>
  JSON.stringify({ apiVersion: 'managed-gitops.redhat.com/v1alpha1', kind, metadata: { name, namespace }, spec });

/** A kind, what is right of it, and what is refused, with the text. */
interface Door {
  readonly kind: string;
  readonly webhook: string;
  readonly right: Wish['spec'];
  readonly wrong: readonly (readonly [text: string, wrong: Wish['spec']])[];
}

const source = { repoURL: 'https://example.com/team/app.git', path: 'app' };

const doors: readonly Door[] = [
  {
    kind: 'GitOpsDeployment',
    webhook: 'vgitopsdeployment.kb.io',
    right: { source, type: 'manual' },
    wrong: [
      [admissionMessages.invalidType, { source, type: 'Automated' }],
      [admissionMessages.unknownSyncOption, { source, type: 'manual', syncPolicy: { syncOptions: ['Prune=false'] } }],
      [
        admissionMessages.namespaceWithoutEnvironment,
        { source, type: 'manual', destination: { environment: '', namespace: 'web' } },
      ],
    ],
  },
  {
    kind: 'GitOpsDeploymentManagedEnvironment',
    webhook: 'vgitopsdeploymentmanagedenvironment.kb.io',
    right: { apiURL: 'https://api.example.com:6443', credentialsSecret: 'prod', allowInsecureSkipTLSVerify: false },
    wrong: [
      [admissionMessages.apiUrlNotHttps, { apiURL: 'http://api.example.com:6443' }],
      ['parse "api.example.com": invalid URI for request', { apiURL: 'api.example.com' }],
    ],
  },
  {
    kind: 'GitOpsDeploymentRepositoryCredential',
    webhook: 'vgitopsdeploymentrepositorycredential.kb.io',
    right: { repository: 'https://example.com/team/app.git', secret: 'repo' },
    wrong: [
      [admissionMessages.repositoryScheme, { repository: 'http://example.com/team/app.git' }],
      ['parse "git@example.com:team/app.git": invalid URI for request', { repository: 'git@example.com:team/app.git' }],
    ],
  },
];

/** What kubectl complains of. @throws where it does not */
const complaintOf = (words: readonly string[], input?: string): Promise<string> =>
  kubectl(words, input).then(
    (printed) => {
      throw new Error(`not refused: ${printed}`);
    },
    (error: unknown) => String(error),
  );

const denial = (webhook: string, text: string): string => `admission webhook "${webhook}" denied the request: ${text}`;

/** Waits until kubectl is refused with a text; a backend that is just being started again does not count. */
const isDenied = ({ step }: Stage, text: string, ...call: readonly [words: readonly string[], input?: string]) =>
  step('denied', async () => {
    const complaint = await complaintOf(...call);
    if (!complaint.trimEnd().endsWith(text)) throw new Error(complaint);
    return true;
  });

/** Each wrong spec is refused as a new object and as a change of a right one. */
const isShut = async (stage: Stage, team: Team, { kind, webhook, right, wrong }: Door): Promise<void> => {
  const create = (spec: Wish['spec'], name?: string) => object(kind, team.namespace, { spec, ...(name && { name }) });
  await stage.step('a right one comes in', () => kubectl(['apply', '-f', '-'], create(right)));
  for (const [text, part] of wrong) {
    const spec = { ...right, ...part };
    await isDenied(stage, denial(webhook, text), ['create', '-f', '-'], create(spec, 'wrong'));
    const patch = ['-n', team.namespace, 'patch', kind, 'app', '--type=merge', '-p', JSON.stringify({ spec })];
    await isDenied(stage, denial(webhook, text), patch);
  }
  const names = await kubectl(['-n', team.namespace, 'get', kind, '-o', 'name']);
  expect(names.trim().split('\n')).toHaveLength(1);
  await kubectl(['-n', team.namespace, 'delete', kind, 'app']);
};

/** Has the API server ask the webhooks, until the scenario is over. */
const guard = async ({ step, afterwards }: Stage): Promise<void> => {
  if (webhooks === undefined) throw new Error('this run has no webhooks');
  await kubectl(['apply', '--server-side', '-f', '-'], await webhookConfigurations(webhooks));
  afterwards(removeWebhooks);
  const spec = { gitopsDeploymentName: 'app', revisionID: 'main' };
  const asked = object('GitOpsDeploymentSyncRun', 'default', { name: probe, spec });
  await step('the webhooks are asked', async () =>
    (await complaintOf(['create', '--dry-run=server', '-f', '-'], asked)).includes('denied the request'),
  );
};

const removeWebhooks = () =>
  kubectl([
    'delete',
    '--ignore-not-found',
    'validatingwebhookconfiguration/gitops-core-service-validating-webhook-configuration',
    'mutatingwebhookconfiguration/gitops-core-service-mutating-webhook-configuration',
  ]);

// A cluster that was there before can't reach the backend of this machine.
describe.skipIf(webhooks === undefined)('admission', () => {
  afterAll(async () => {
    await removeWebhooks(); // also where a scenario has failed: the ones that follow are not about webhooks
  });

  for (const door of doors) {
    scenario(`a ${door.kind} that is wrong is refused, new or changed`, async (stage) => {
      const team = await stage.team();
      await guard(stage);
      await isShut(stage, team, door);
    });
  }

  scenario('a GitOpsDeploymentSyncRun of the forbidden name is refused', async (stage) => {
    const team = await stage.team();
    await guard(stage);
    const spec = { gitopsDeploymentName: 'app', revisionID: 'main' };
    const wrong = object('GitOpsDeploymentSyncRun', team.namespace, { name: probe, spec });
    const text = denial('vgitopsdeploymentsyncrun.kb.io', admissionMessages.forbiddenSyncRunName);
    await isDenied(stage, text, ['create', '-f', '-'], wrong);
    const right = object('GitOpsDeploymentSyncRun', team.namespace, { spec });
    await stage.step('a right one comes in', () => kubectl(['apply', '-f', '-'], right));
  });

  scenario('what came in before there were webhooks is told so by its status, and can be deleted', async (stage) => {
    const team = await stage.team();
    const spec = { source, type: 'automated', destination: { namespace: 'web' } };
    await kubectl(['apply', '-f', '-'], object('GitOpsDeployment', team.namespace, { spec }));
    const held = JSON.stringify({ metadata: { finalizers: [deploymentFinalizer] } });
    await kubectl(['-n', team.namespace, 'patch', 'gitopsdeployment', 'app', '--type=merge', '-p', held]);
    const text = admissionMessages.namespaceWithoutEnvironment;
    await stage.step('its status tells', () => hasError(team, new RegExp(`^${text}$`)));
    await guard(stage);
    const change = JSON.stringify({ spec: { destination: { namespace: 'other' } } });
    const patch = ['-n', team.namespace, 'patch', 'gitopsdeployment', 'app', '--type=merge', '-p', change];
    await isDenied(stage, denial('vgitopsdeployment.kb.io', text), patch);
    await team.remove();
    await stage.step('gone', () => isGone(team));
  });
});
