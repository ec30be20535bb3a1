import { describe, expect, it } from 'vitest';
import { configMap, configMapsPath, createTestApi, widget, widgetsPath } from '../api-fixture.ts';
import { asArray, valueAt } from '../json.ts';

const namespace = '/api/v1/namespaces/team';

describe('a namespace that is deleted', () => {
  it('takes its contents with it', async () => {
    const { ask, settle } = createTestApi();
    ask('POST', configMapsPath, { body: configMap('a') });
    ask('POST', widgetsPath, { body: widget('one') });
    expect(ask('DELETE', namespace).body).toMatchObject({ status: { phase: 'Terminating' } });
    await settle();
    expect(ask('GET', namespace).code).toBe(404);
    expect(valueAt(ask('GET', '/apis/example.test/v1/widgets').body, 'items')).toEqual([]);
  });

  it('takes nothing new in', () => {
    const { ask } = createTestApi();
    ask('DELETE', namespace);
    expect(ask('POST', configMapsPath, { body: configMap('late') })).toMatchObject({
      code: 403,
      body: {
        reason: 'Forbidden',
        message:
          'configmaps "late" is forbidden: unable to create new content in namespace team because it is being terminated',
      },
    });
  });

  it('waits for the finalizers in it, says so, and goes with the last', async () => {
    const { ask, merge, settle } = createTestApi();
    ask('POST', configMapsPath, { body: configMap('held', { finalizers: ['test/hold'] }) });
    ask('DELETE', namespace);
    await settle();
    const conditions = asArray(valueAt(ask('GET', namespace).body, 'status', 'conditions'));
    expect(conditions.map((condition) => valueAt(condition, 'message'))).toEqual([
      'Some resources are remaining: configmaps has 1 resource instances',
      'Some content in the namespace has finalizers remaining: test/hold in 1 resource instances',
    ]);
    merge(`${configMapsPath}/held`, { metadata: { finalizers: null } });
    await settle();
    expect(ask('GET', namespace).code).toBe(404);
  });

  it('lets a client delete its contents first', async () => {
    const { ask, clock } = createTestApi({ emptyAfterMs: 100 });
    ask('POST', configMapsPath, { body: configMap('a') });
    ask('POST', configMapsPath, { body: configMap('b') });
    ask('DELETE', namespace);
    expect(ask('DELETE', `${configMapsPath}/a`).code).toBe(200);
    await clock.advance(50);
    expect(ask('DELETE', `${configMapsPath}/b`).code).toBe(200);
    await clock.advance(50);
    expect(ask('GET', namespace).code).toBe(404);
  });

  it('has a label with its name, and may not be one of the system', () => {
    const { ask } = createTestApi();
    expect(valueAt(ask('GET', namespace).body, 'metadata', 'labels')).toEqual({
      'kubernetes.io/metadata.name': 'team',
    });
    expect(ask('DELETE', '/api/v1/namespaces/kube-system').code).toBe(403);
  });
});

describe('a definition that is deleted', () => {
  const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.test';

  it('takes its objects with it, ends their watches, and is served no more', async () => {
    const { ask, merge, watch, settle } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one', { size: 1 }, { finalizers: ['test/hold'] }) });
    const open = watch(widgetsPath);
    ask('DELETE', definition);
    await settle();
    expect(ask('POST', widgetsPath, { body: widget('late') }).code).toBe(403);
    expect(ask('GET', widgetsPath).code).toBe(200);
    merge(`${widgetsPath}/one`, { metadata: { finalizers: null } });
    await settle();
    expect(open.events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
    expect(open.ended).toBe(true);
    expect([ask('GET', definition).code, ask('GET', widgetsPath).code]).toEqual([404, 404]);
  });
});
