// Application statuses as no Argo CD writes them: what can be shown is shown, and a good one after it as ever.
import fc, { type Arbitrary } from 'fast-check';
import { applications } from '../../src/api/argocd/application.ts';
import { applicationNameFor } from '../../src/api/labels.ts';
import type { ResourceType } from '../../src/kube/object.ts';
import { eventually } from '../kit/eventually.ts';
import { aDeployment } from '../kit/deployments.ts';
import { engineNamespace } from '../kit/world.ts';
import { errorOf, namespace, SETTLE_MS, readDeployment, type Ground, type Kind } from './ground.ts';
import { anyText, anyValue, mostly } from './texts.ts';

const text = (...usual: readonly [string, ...string[]]): Arbitrary<unknown> =>
  mostly<unknown>(fc.constantFrom(...usual), fc.oneof(anyText, anyValue));

const time: Arbitrary<unknown> = mostly<unknown>(
  fc.constantFrom('2026-01-31T12:00:00Z', '2026-01-31T12:00:00.123456789+02:00'),
  fc.oneof(anyValue, fc.constantFrom<unknown>('yesterday', '2026-13-45T99:99:99Z', '0001-01-01T00:00:00Z', {})),
);

const odd = (fields: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<unknown> =>
  mostly<unknown>(fc.record(fields, { requiredKeys: [] }), anyValue);

const list = (item: Arbitrary<unknown>): Arbitrary<unknown> =>
  mostly<unknown>(fc.array(item, { maxLength: 4 }), anyValue);

const health = odd({ status: text('Healthy', 'Degraded'), message: text('fine') });
const source = odd({ repoURL: text('https://host/a'), path: text('app'), targetRevision: text('main') });
const destination = odd({ server: text(''), namespace: text('web'), name: text('in-cluster', 'managed-env-x') });
const line = {
  group: text('apps'),
  version: text('v1'),
  kind: text('Deployment'),
  namespace: text('web'),
  name: text('web'),
  status: text('Synced', 'OutOfSync'),
};

const operation = odd({
  sync: odd({ revision: text('main'), prune: anyValue, syncOptions: list(text('a=b')), source, sources: list(source) }),
  initiatedBy: odd({ username: text('jane'), automated: anyValue }),
  info: list(odd({ name: text('id'), value: text('42') })),
  retry: odd({ limit: anyValue, backoff: odd({ duration: text('5s'), factor: anyValue, maxDuration: text('3m') }) }),
});

const operationState = odd({
  operation,
  phase: text('Running', 'Succeeded', 'Failed', 'Terminating'),
  message: text('done'),
  startedAt: time,
  finishedAt: time,
  retryCount: anyValue,
  syncResult: odd({
    revision: text('a'),
    source,
    resources: list(odd({ ...line, message: text('created'), hookType: text('PreSync'), hookPhase: text('Running') })),
    managedNamespaceMetadata: odd({ labels: anyValue, annotations: anyValue }),
  }),
});

/** A status, of which only `sync.status` is sure to be a text. */
export const applicationStatuses: Arbitrary<Record<string, unknown>> = fc.record(
  {
    resources: list(odd({ ...line, health, hook: anyValue, requiresPruning: anyValue })),
    health,
    conditions: list(
      odd({ type: text('SyncError', 'OrphanedResourceWarning'), message: text('x'), lastTransitionTime: time }),
    ),
    operationState,
    reconciledAt: time,
    history: anyValue,
    sourceType: text('Directory'),
    summary: anyValue,
    sync: fc.record(
      { revision: text('abc'), comparedTo: odd({ source, destination }), revisions: list(text('abc')) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

const customResourceDefinitions: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** Argo CD's own checks would refuse most of this; another version of it might not. */
const checkNothing = async ({ world }: Ground): Promise<void> => {
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  await world.client.patch(
    customResourceDefinitions,
    { name: 'applications.argoproj.io' },
    {
      type: 'json',
      body: [{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: schema }],
    },
  );
};

/** Makes the deployment whose Application gets the statuses; gives the function that tries one. */
export const startStatusInput: Kind<Record<string, unknown>> = async (ground) => {
  const { world, deployments } = ground;
  const name = ground.newName();
  const victim = await world.apply(aDeployment({ namespace, name }));
  await deployments.deployed(victim);
  await checkNothing(ground);
  let turns = 0;
  return async (status) => {
    const mark = `turn-${(turns += 1)}`;
    const sync = { ...(status['sync'] as object | undefined), status: mark }; // made by the generator
    const path = '/status';
    await world.client.patch(
      applications,
      { namespace: engineNamespace, name: applicationNameFor(victim.metadata.uid ?? '') },
      { type: 'json', body: [{ op: 'add', path, value: { ...status, sync } }] },
    );
    await eventually(
      `the status is shown (${mark})`,
      async () => {
        const shown = await readDeployment(ground, name);
        errorOf(shown);
        return shown.status?.sync?.status === mark;
      },
      SETTLE_MS,
    );
  };
};
