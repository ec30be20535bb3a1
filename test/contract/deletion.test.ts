import { describe, expect } from 'vitest';
import { valueAt } from '../../src/sandbox/apiserver/json.ts';
import { eventually } from '../kit/eventually.ts';
import {
  at,
  configMap,
  controllers,
  gadget,
  group,
  it,
  namesIn,
  patchTypes,
  textAt,
  useSuite,
  versionOf,
} from './suite.ts';
import type { Json } from './connection.ts';

const { gadgets, configMaps, ask, createNamespace, expectCode, namespace } = useSuite();

const merge = (body: unknown) => ({ body, contentType: patchTypes.merge });
const finalizers = ['contract.example/held'];

const isGone = (path: string): Promise<boolean> => ask('GET', path).then(({ code }) => code === 404);

describe('deleting', () => {
  it('answers with a Status that names what went', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('gone') });
    expect(await expectCode(200, 'DELETE', at(gadgets, 'gone'))).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'gone', group, kind: 'gadgets', uid: textAt(created, 'metadata', 'uid') },
    });
    expect(await isGone(at(gadgets, 'gone'))).toBe(true);
  });

  it('answers 404 for what is not there', async () => {
    expect(await expectCode(404, 'DELETE', at(gadgets, 'none'))).toMatchObject({ reason: 'NotFound' });
  });

  it('is refused with Conflict where a precondition does not hold', async () => {
    const created = await expectCode(201, 'POST', configMaps, { body: configMap('guarded') });
    const uid = '00000000-0000-4000-8000-000000000000';
    expect(
      await expectCode(409, 'DELETE', at(configMaps, 'guarded'), { body: { preconditions: { uid } } }),
    ).toMatchObject({
      reason: 'Conflict',
      message: expect.stringContaining(
        `the UID in the precondition (${uid}) does not match the UID in record (${textAt(created, 'metadata', 'uid')}). The object might have been deleted and then recreated`,
      ),
    });
    await expectCode(200, 'PATCH', at(configMaps, 'guarded'), merge({ data: { a: '1' } }));
    const stale = { preconditions: { resourceVersion: versionOf(created) } };
    expect(await expectCode(409, 'DELETE', at(configMaps, 'guarded'), { body: stale })).toMatchObject({
      reason: 'Conflict',
    });
    const exact = { preconditions: { uid: textAt(created, 'metadata', 'uid') } };
    await expectCode(200, 'DELETE', at(configMaps, 'guarded'), { body: exact });
  });

  it('refuses a propagation policy that it does not know', async () => {
    await expectCode(201, 'POST', configMaps, { body: configMap('policy') });
    expect(
      await expectCode(422, 'DELETE', at(configMaps, 'policy'), { body: { propagationPolicy: 'Sideways' } }),
    ).toMatchObject({
      reason: 'Invalid',
      message:
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
    });
  });

  it('deletes a collection, or what a selector finds in it', async () => {
    const own = configMaps.replace(namespace, await createNamespace());
    for (const [name, team] of [
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'y'],
    ] as const) {
      await expectCode(201, 'POST', own, { body: configMap(name, {}, { labels: { team } }) });
    }
    await expectCode(200, 'DELETE', `${own}?labelSelector=team%3Dx`);
    expect(namesIn(await expectCode(200, 'GET', `${own}?labelSelector=team`))).toEqual(['c']);
    await expectCode(200, 'DELETE', `${own}?labelSelector=team`);
    expect(namesIn(await expectCode(200, 'GET', `${own}?labelSelector=team`))).toEqual([]);
  });
});

describe('finalizers', () => {
  const created = async (name: string): Promise<Json> =>
    expectCode(201, 'POST', gadgets, { body: gadget(name, undefined, { finalizers }) });

  it('hold a deleted object, which says when it was deleted, until the last is taken away', async () => {
    await created('held');
    const marked = await expectCode(200, 'DELETE', at(gadgets, 'held'));
    expect(marked).toMatchObject({
      kind: 'Gadget',
      metadata: { name: 'held', finalizers, deletionGracePeriodSeconds: 0 },
    });
    expect(textAt(marked, 'metadata', 'deletionTimestamp')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(valueAt(marked, 'metadata', 'generation')).toBe(2);
    expect(await expectCode(200, 'GET', at(gadgets, 'held'))).toMatchObject({ metadata: { finalizers } });
    await expectCode(200, 'PATCH', at(gadgets, 'held'), merge({ metadata: { finalizers: null } }));
    expect(await isGone(at(gadgets, 'held'))).toBe(true);
  });

  it('are not added to a deleted object', async () => {
    await created('closed');
    await expectCode(200, 'DELETE', at(gadgets, 'closed'));
    const more = merge({ metadata: { finalizers: [...finalizers, 'contract.example/more'] } });
    expect(await expectCode(422, 'PATCH', at(gadgets, 'closed'), more)).toMatchObject({
      message: `Gadget.${group} "closed" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"contract.example/more"}`,
    });
    await expectCode(200, 'PATCH', at(gadgets, 'closed'), merge({ metadata: { finalizers: [] } }));
    expect(await isGone(at(gadgets, 'closed'))).toBe(true);
  });

  it('let a deleted object be changed, and deleted again without effect', async () => {
    await created('twice');
    const first = await expectCode(200, 'DELETE', at(gadgets, 'twice'));
    const second = await expectCode(200, 'DELETE', at(gadgets, 'twice'));
    expect(valueAt(second, 'metadata', 'deletionTimestamp')).toBe(valueAt(first, 'metadata', 'deletionTimestamp'));
    expect(versionOf(second)).toBe(versionOf(first));
    const changed = await expectCode(200, 'PATCH', at(gadgets, 'twice'), merge({ spec: { size: 7 } }));
    expect(changed).toMatchObject({ spec: { size: 7 }, metadata: { generation: 3 } });
    await expectCode(200, 'PATCH', at(gadgets, 'twice'), merge({ metadata: { finalizers: [] } }));
  });

  it('keep the name taken while they hold', async () => {
    await created('name');
    await expectCode(200, 'DELETE', at(gadgets, 'name'));
    const refused = await expectCode(409, 'POST', gadgets, { body: gadget('name') });
    expect(refused).toMatchObject({
      reason: 'AlreadyExists',
      message: `object is being deleted: gadgets.${group} "name" already exists`,
    });
    await expectCode(200, 'PATCH', at(gadgets, 'name'), merge({ metadata: { finalizers: [] } }));
    await expectCode(201, 'POST', gadgets, { body: gadget('name') });
  });
});

// Skipped on a server that has no kube-controller-manager: it is the one that collects garbage.
describe.skipIf(!controllers)('garbage collection', { timeout: 60_000 }, () => {
  const owned = async (name: string, owner: Json, rest: object = {}): Promise<void> => {
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: textAt(owner, 'metadata', 'name'),
      uid: textAt(owner, 'metadata', 'uid'),
      ...rest,
    };
    await expectCode(201, 'POST', configMaps, { body: configMap(name, {}, { ownerReferences: [reference] }) });
  };
  const owner = (name: string): Promise<Json> => expectCode(201, 'POST', configMaps, { body: configMap(name) });

  it('deletes in the background what a deleted object owned', async () => {
    await owned('child', await owner('parent'));
    await expectCode(200, 'DELETE', at(configMaps, 'parent'), { body: { propagationPolicy: 'Background' } });
    await eventually('the child goes', () => isGone(at(configMaps, 'child')), 50_000);
  });

  it('deletes first, in the foreground, what blocks the deletion of its owner', async () => {
    await owned('child-first', await owner('parent-last'), { blockOwnerDeletion: true });
    const marked = await expectCode(200, 'DELETE', at(configMaps, 'parent-last'), {
      body: { propagationPolicy: 'Foreground' },
    });
    expect(marked).toMatchObject({
      metadata: { finalizers: ['foregroundDeletion'], deletionTimestamp: expect.any(String) },
    });
    await eventually(
      'both go',
      async () => (await isGone(at(configMaps, 'child-first'))) && isGone(at(configMaps, 'parent-last')),
      50_000,
    );
  });

  it('leaves orphans where it is asked to', async () => {
    await owned('orphan', await owner('parent-leaving'));
    await expectCode(200, 'DELETE', at(configMaps, 'parent-leaving'), { body: { propagationPolicy: 'Orphan' } });
    await eventually('the parent goes', () => isGone(at(configMaps, 'parent-leaving')), 50_000);
    const orphan = await expectCode(200, 'GET', at(configMaps, 'orphan'));
    expect(orphan['metadata']).not.toHaveProperty('ownerReferences');
    expect(orphan['metadata']).not.toHaveProperty('deletionTimestamp');
  });

  it('deletes what names an owner that is not there', async () => {
    const parent = await owner('parent-gone');
    await expectCode(200, 'DELETE', at(configMaps, 'parent-gone'));
    await owned('late-child', parent);
    await eventually('the child goes', () => isGone(at(configMaps, 'late-child')), 50_000);
  });
});
