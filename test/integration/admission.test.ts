// The door as a cluster has it: the manifests' configurations of webhooks, an API server that heeds them, the backend's
// admission behind the Service that they name.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customResourceDefinition } from '../../src/api/crd.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import { ApiError } from '../../src/kube/status-error.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { parseYaml } from '../../src/lib/yaml.ts';
import { createKubectl, kubectlIsThere } from '../contract/kubectl.ts';
import { startAdmission, type RunningAdmission } from '../kit/admission.ts';
import { silentLog } from '../kit/captured-log.ts';
import { aDeployment } from '../kit/deployments.ts';
import { startSandboxApi, type SandboxApi } from '../kit/sandbox-api.ts';

const namespace = 'team-a';
const manifests = join(import.meta.dirname, '../../deploy/webhooks/common');

interface Configuration extends KubeObject {
  readonly webhooks: { readonly name: string; readonly clientConfig: object }[];
}
const configurationsOf = (phase: 'Validating' | 'Mutating'): ResourceType<Configuration> => ({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: `${phase.toLowerCase()}webhookconfigurations`,
  kind: `${phase}WebhookConfiguration`,
  namespaced: false,
});

let admission: RunningAdmission;
let api: SandboxApi;
let client: KubeClient;

/** From before anybody stood at the door. */
const old = aDeployment({ namespace, name: 'old', type: 'sometimes', finalizer: true });

/** Applies the configurations, and tells them of the authority as OpenShift and cert-manager do. */
const closeTheDoor = async (): Promise<void> => {
  const caBundle = Buffer.from(admission.ca).toString('base64');
  for (const phase of ['Validating', 'Mutating'] as const) {
    const text = readFileSync(join(manifests, `${phase.toLowerCase()}.yaml`), 'utf8');
    const configuration = parseYaml(text) as Configuration; // our own manifest
    const webhooks = configuration.webhooks.map((hook) => ({
      ...hook,
      clientConfig: { ...hook.clientConfig, caBundle },
    }));
    await client.create(configurationsOf(phase), { ...configuration, webhooks });
  }
};

beforeAll(async () => {
  admission = await startAdmission({ clock: systemClock, log: silentLog }, [
    'gitops-core-service-webhook-service.gitops.svc',
  ]);
  api = await startSandboxApi({
    crds: ownKinds.map(customResourceDefinition),
    namespaces: [namespace],
    resolveService: () => ({ host: '127.0.0.1', port: admission.server.port }),
  });
  client = api.connect();
  await client.create(gitOpsDeployments, old);
  await client.create(gitOpsDeployments, { ...old, metadata: { ...old.metadata, name: 'older' } });
  await closeTheDoor();
});
afterAll(async () => {
  await api.stop();
  await admission[Symbol.asyncDispose]();
});

const kinds = {
  GitOpsDeployment: { type: 'automated', source: { repoURL: 'https://github.com/org/repo', path: 'app' } },
  GitOpsDeploymentManagedEnvironment: {
    apiURL: 'https://api.example.com:6443',
    credentialsSecret: 'prod',
    allowInsecureSkipTLSVerify: false,
  },
  GitOpsDeploymentRepositoryCredential: { repository: 'https://github.com/org/repo', secret: 'private' },
  GitOpsDeploymentSyncRun: { gitopsDeploymentName: 'app', revisionID: 'main' },
} as const;
type Kind = keyof typeof kinds;
const names = Object.keys(kinds) as Kind[]; // its own keys

const resourceOf = (kind: Kind): ResourceType => ({
  group: 'managed-gitops.redhat.com',
  version: 'v1alpha1',
  plural: `${kind.toLowerCase()}s`,
  kind,
  namespaced: true,
});
const objectOf = (kind: Kind, spec: object = {}, name = 'app'): KubeObject & { spec: object } => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind,
  metadata: { name, namespace },
  spec: { ...kinds[kind], ...spec },
});
const denialOf = async (write: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await write.catch((thrown: unknown) => thrown);
  return error instanceof ApiError ? error.status : error;
};
const forbidden = (kind: Kind, text: string): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  reason: 'Forbidden',
  message: `admission webhook "v${kind.toLowerCase()}.kb.io" denied the request: ${text}`,
  code: 403,
});

const denials: readonly (readonly [Kind, object, string])[] = [
  ['GitOpsDeployment', { type: 'Automated' }, 'spec type must be manual or automated'],
  [
    'GitOpsDeployment',
    { syncPolicy: { syncOptions: ['Prune=true'] } },
    'the specified sync option in .spec.syncPolicy.syncOptions is either mispelled or is not supported by GitOpsDeployment',
  ],
  [
    'GitOpsDeployment',
    { destination: { namespace: 'web' } },
    'the environment field should not be empty when the namespace is non-empty',
  ],
  ['GitOpsDeploymentManagedEnvironment', { apiURL: 'x' }, 'parse "x": invalid URI for request'],
  [
    'GitOpsDeploymentManagedEnvironment',
    { apiURL: 'http://api.example.com' },
    'cluster api url must start with https://',
  ],
  [
    'GitOpsDeploymentRepositoryCredential',
    { repository: 'git@github.com:org/repo.git' },
    'parse "git@github.com:org/repo.git": invalid URI for request',
  ],
  [
    'GitOpsDeploymentRepositoryCredential',
    { repository: 'http://github.com/org/repo' },
    'repository must begin with ssh:// or https://',
  ],
];

describe('the door', () => {
  it.each(names)('lets a %s in as it is', async (kind) => {
    const { metadata, ...rest } = await client.create(resourceOf(kind), objectOf(kind));
    expect({ ...rest, metadata: { name: metadata.name, namespace } }).toEqual(objectOf(kind));
  });

  it.each(denials)('denies a %s with %j when it is created, and when it is changed', async (kind, spec, text) => {
    const created = client.create(resourceOf(kind), objectOf(kind, spec, 'new'));
    expect(await denialOf(created)).toEqual(forbidden(kind, text));
    const patched = client.patch(resourceOf(kind), { namespace, name: 'app' }, { type: 'merge', body: { spec } });
    expect(await denialOf(patched)).toEqual(forbidden(kind, text));
  });

  it('denies the name that shows whether it is watched', async () => {
    const kind = 'GitOpsDeploymentSyncRun';
    const probe = 'zyxwvutsrqponmlkjihgfedcba-abcdefghijklmnoqrstuvwxyz';
    const created = client.create(resourceOf(kind), objectOf(kind, {}, probe));
    expect(await denialOf(created)).toEqual(forbidden(kind, `name should not be ${probe}`));
  });

  it('leaves a status alone, also that of an object that it would not let in', async () => {
    const reconciledState = {
      source: { path: '', repoURL: '', branch: '' },
      destination: { name: '', namespace: '' },
    };
    const body = { status: { reconciledState, conditions: [{ type: 'Ready', status: 'False' }] } };
    const ref = { namespace, name: 'old' };
    const patched = await client.patch(gitOpsDeployments, ref, { type: 'merge', body, subresource: 'status' });
    expect(patched.status).toMatchObject(body.status);
  });
});

describe('an object from before the door was watched', () => {
  const withoutFinalizers = { type: 'merge', body: { metadata: { finalizers: null } } } as const;

  it('can be labelled, but no longer be changed to something else that is wrong', async () => {
    const ref = { namespace, name: 'old' };
    await client.patch(gitOpsDeployments, ref, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
    const wrong = client.patch(gitOpsDeployments, ref, { type: 'merge', body: { spec: { type: 'never' } } });
    expect(await denialOf(wrong)).toEqual(forbidden('GitOpsDeployment', 'spec type must be manual or automated'));
  });

  it('is never held by our own finalizer', async () => {
    const ref = { namespace, name: 'old' };
    await client.delete(gitOpsDeployments, ref);
    const deleting: GitOpsDeployment = await client.get(gitOpsDeployments, ref);
    expect(deleting.metadata.deletionTimestamp).toBeDefined();
    await client.patch(gitOpsDeployments, ref, withoutFinalizers);
    await expect(client.get(gitOpsDeployments, ref)).rejects.toMatchObject({ code: 404 });
  });

  it('can lose its finalizer before it is deleted, too', async () => {
    const ref = { namespace, name: 'older' };
    const released = await client.patch(gitOpsDeployments, ref, withoutFinalizers);
    expect(released.metadata.finalizers).toBeUndefined();
  });
});

// kubectl is no package: where it is not on the path, its words are the client's alone.
it.skipIf(!kubectlIsThere)('kubectl shows a denial as it was said', async () => {
  const kubectl = await createKubectl({ kubeconfig: api.server.kubeconfig, namespace, editor: 'false' });
  const file = await kubectl.file('wrong.json', objectOf('GitOpsDeployment', { type: 'auto' }, 'typed'));
  const printed = await kubectl.run('create', '-f', file);
  await kubectl.remove();
  expect(printed).toEqual({
    code: 1,
    text: `Error from server (Forbidden): error when creating "${file}": admission webhook "vgitopsdeployment.kb.io" denied the request: spec type must be manual or automated`,
  });
});
