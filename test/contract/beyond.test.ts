// What a real API server does and nothing here relies on: so that the list of differences says it, and says the truth.
import { describe, expect } from 'vitest';
import { asArray, valueAt } from '../../src/sandbox/apiserver/json.ts';
import { eventually } from '../kit/eventually.ts';
import { runLabel } from './kinds.ts';
import { at, configMap, gadget, group, it, patchTypes, uniqueName, useSuite, versionOf } from './suite.ts';

const { configMaps, gadgets, namespace, ask, expectCode, watch } = useSuite();

const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
const deployment = (name: string, spec: object) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec,
});
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
const whole = { replicas: 0, selector: { matchLabels: { app: 'web' } }, template };

describe('beyond what is relied on', () => {
  it('an apply patch merges by the owners of fields', async () => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned' }, data: { a: '1' } };
    const apply = (manager: string, data: object) =>
      expectCode(200, 'PATCH', `${at(configMaps, 'owned')}?fieldManager=${manager}`, {
        body: { ...body, data },
        contentType: patchTypes.apply,
      });
    await expectCode(201, 'PATCH', `${at(configMaps, 'owned')}?fieldManager=one`, {
      body,
      contentType: patchTypes.apply,
    });
    await apply('two', { b: '2' });
    expect((await apply('one', {}))['data']).toEqual({ b: '2' });
  });

  it('an object tells who set which of its fields', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('managed') });
    expect(asArray(valueAt(created, 'metadata', 'managedFields'))).toMatchObject([{ operation: 'Update' }]);
  });

  it('a built-in object is checked field by field', async () => {
    const refused = await expectCode(422, 'POST', deployments, { body: deployment('bare', { template }) });
    expect(refused['message']).toContain('spec.selector: Required value');
  });

  it('a Deployment is scaled through a subresource', async () => {
    await expectCode(201, 'POST', deployments, { body: deployment('scaled', whole) });
    const patch = { body: { spec: { replicas: 1 } }, contentType: patchTypes.merge };
    expect(await expectCode(200, 'PATCH', `${at(deployments, 'scaled')}/scale`, patch)).toMatchObject({
      kind: 'Scale',
    });
  });

  it('rules in CEL are kept', async () => {
    const own = `${uniqueName()}.${group}`;
    const rule = { rule: "self.a != 'b'", message: 'a may not be b' };
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: { type: 'object', properties: { a: { type: 'string' } }, 'x-kubernetes-validations': [rule] },
        },
      },
    };
    const names = { plural: 'things', kind: 'Thing' };
    const spec = {
      group: own,
      scope: 'Cluster',
      names,
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    };
    const metadata = { name: `things.${own}`, labels: { [runLabel]: group.slice(1, 9) } };
    const body = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec };
    await expectCode(201, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body });
    const thing = { apiVersion: `${own}/v1`, kind: 'Thing', metadata: { name: 'one' }, spec: { a: 'b' } };
    const path = `/apis/${own}/v1/things`;
    await eventually('the kind is served', async () => (await ask('GET', path)).code === 200);
    const refused = await expectCode(422, 'POST', path, { body: thing });
    expect(refused['message']).toContain('a may not be b');
  });

  it('a watch waits for a version that is yet to come', async () => {
    const now = await expectCode(201, 'POST', configMaps, { body: configMap('now') });
    const later = String(Number(versionOf(now)) + 100_000);
    await using opened = await watch(`${configMaps}?resourceVersion=${later}&timeoutSeconds=1`);
    await eventually('it ends', () => opened.ended);
    expect(opened.events).toEqual([]);
  });

  it('Events are served in their newer form too', async () => {
    const list = await expectCode(200, 'GET', `/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
    expect(list).toMatchObject({ kind: 'EventList' });
  });

  it('a Service is given an address', async () => {
    const services = `/api/v1/namespaces/${namespace}/services`;
    const spec = { ports: [{ port: 80 }] };
    const created = await expectCode(201, 'POST', services, {
      body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec },
    });
    expect(valueAt(created, 'spec', 'clusterIP')).toMatch(/\d/);
  });

  it('one may act as another user, who may do less', async () => {
    const answer = await ask('GET', configMaps, { headers: { 'impersonate-user': 'nobody-of-the-contract' } });
    expect(answer.code).toBe(403);
    expect(answer.body).toMatchObject({ reason: 'Forbidden' });
  });
});
