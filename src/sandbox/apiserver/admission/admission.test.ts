import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSandboxApi, type SandboxApi } from '../../../../test/kit/sandbox-api.ts';
import { eventually } from '../../../../test/kit/eventually.ts';
import { startWebhookServer, type WebhookServer } from '../../../../test/kit/webhook-server.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { ResourceType } from '../../../kube/object.ts';
import type { ApiObject } from '../kinds/kind.ts';
import { configMap, createTestApi, widget } from '../api-fixture.ts';
import { widgetDefinition } from '../widget-fixture.ts';
import type { ResolveService } from './call.ts';

const configurations: ResourceType<ApiObject> = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingwebhookconfigurations',
  kind: 'ValidatingWebhookConfiguration',
  namespaced: false,
};

const configurationOf = (name: string, hook: object) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name },
  webhooks: [{ name: `${name}.x.example`, sideEffects: 'None', admissionReviewVersions: ['v1'], ...hook }],
});
const ruleFor = (plural: string, apiVersions: readonly string[] = ['*']) => ({
  rules: [{ apiGroups: ['*'], apiVersions, operations: ['CREATE'], resources: [plural] }],
});

const [firstVersion] = widgetDefinition.spec.versions;
/** Widgets in two versions. */
const definition = {
  ...widgetDefinition,
  spec: { ...widgetDefinition.spec, versions: [firstVersion, { ...firstVersion, name: 'v2', storage: false }] },
};

let hooks: WebhookServer;
let api: SandboxApi;
let client: KubeClient;
const resolved: Parameters<ResolveService>[0][] = [];

beforeAll(async () => {
  hooks = await startWebhookServer();
  const { hostname: host, port } = new URL(hooks.url);
  const resolveService: ResolveService = (service) => {
    resolved.push(service);
    return service.name === 'there' ? { host, port: Number(port) } : undefined;
  };
  api = await startSandboxApi({ resolveService, crds: [definition], namespaces: ['team'] });
  client = api.connect();
});
afterAll(async () => {
  await api.stop();
  await hooks[Symbol.asyncDispose]();
});

const post = (path: string, body: unknown): Promise<unknown> =>
  client.raw({ method: 'POST', path, body, retry: false });
const widgets = (version: string): string => `/apis/example.test/${version}/namespaces/team/widgets`;
const configMaps = '/api/v1/namespaces/team/configmaps';

it('a webhook that is named by a Service is found where the resolver says, and has to have its name', async () => {
  const service = { namespace: 'hooks', name: 'there', path: '/there' };
  const hook = { clientConfig: { service, caBundle: hooks.caBundle }, ...ruleFor('configmaps') };
  const asked = hooks.serve('/there', () => ({ allowed: true }));
  await client.create(configurations, configurationOf('there', hook));
  // The certificate is one for 127.0.0.1.
  await expect(post(configMaps, configMap('found'))).rejects.toMatchObject({
    message: expect.stringContaining('Post "https://there.hooks.svc:443/there?timeout=10s": '),
  });
  expect([resolved, asked]).toEqual([[{ namespace: 'hooks', name: 'there', port: 443 }], []]);
  await client.delete(configurations, { name: 'there' });
});

it('a Service that is not there is named', async () => {
  const service = { namespace: 'hooks', name: 'away', path: '/x', port: 8443 };
  const hook = { clientConfig: { service, caBundle: hooks.caBundle }, ...ruleFor('configmaps') };
  await client.create(configurations, configurationOf('away', hook));
  await expect(post(configMaps, configMap('lost'))).rejects.toMatchObject({
    code: 500,
    message:
      'Internal error occurred: failed calling webhook "away.x.example": failed to call webhook: Post "https://away.hooks.svc:8443/x?timeout=10s": service "away" not found',
  });
  await client.delete(configurations, { name: 'away' });
});

it('a rule for one version is also for the others, unless it says Exact, and sees objects in its own', async () => {
  const client1 = (path: string) => ({ clientConfig: { url: `${hooks.url}${path}`, caBundle: hooks.caBundle } });
  const equivalent = hooks.serve('/equivalent', () => ({ allowed: true }));
  const exact = hooks.serve('/exact', () => ({ allowed: true }));
  const rules = ruleFor('widgets', ['v1']);
  await client.create(configurations, configurationOf('equivalent', { ...client1('/equivalent'), ...rules }));
  const hook = { ...client1('/exact'), ...rules, matchPolicy: 'Exact' };
  await client.create(configurations, configurationOf('exact', hook));
  await post(widgets('v2'), { ...widget('two'), apiVersion: 'example.test/v2' });
  expect(exact).toEqual([]);
  expect(equivalent).toMatchObject([
    {
      kind: { version: 'v1' },
      resource: { version: 'v1' },
      requestKind: { version: 'v2' },
      requestResource: { version: 'v2' },
      object: { apiVersion: 'example.test/v1', metadata: { name: 'two' } },
    },
  ]);
  await client.delete(configurations, { name: 'equivalent' });
  await client.delete(configurations, { name: 'exact' });
});

it('a server that stops ends the calls under way', async () => {
  const own = await startSandboxApi({ namespaces: ['team'] });
  const asked = hooks.serve('/never', () => new Promise(() => {}));
  const hook = { clientConfig: { url: `${hooks.url}/never`, caBundle: hooks.caBundle }, ...ruleFor('configmaps') };
  const connected = own.connect();
  await connected.create(configurations, configurationOf('never', hook));
  const writing = connected.raw({ method: 'POST', path: configMaps, body: configMap('waits'), retry: false });
  const refused = expect(writing).rejects.toMatchObject({ name: 'Fault' });
  await eventually('it is asked', () => asked.length === 1);
  await own.stop();
  await refused;
});

it('nobody has to be waited for while there is no webhook', () => {
  const { ask, api: alone } = createTestApi();
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  expect(ask('POST', configMaps, { body: configMap('free') }).code).toBe(201);
  const hook = { clientConfig: { url: 'https://127.0.0.1:1' }, ...ruleFor('configmaps') };
  expect(ask('POST', path, { body: configurationOf('some', hook) }).code).toBe(201);
  expect(() => ask('POST', configMaps, { body: configMap('held') })).toThrow('a webhook has to be asked first');
  alone.stop();
});
