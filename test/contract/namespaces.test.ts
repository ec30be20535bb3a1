import { describe, expect } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { asArray, valueAt } from '../../src/sandbox/apiserver/json.ts';
import {
  at,
  configMap,
  controllers,
  gadget,
  group,
  it,
  patchTypes,
  placesIn,
  textAt,
  uniqueName,
  useSuite,
} from './suite.ts';

const { ask, createNamespace, expectCode, watch: openWatch } = useSuite();

const pathOf = (name: string): string => `/api/v1/namespaces/${name}`;
const isGone = (name: string) => async (): Promise<boolean> => (await ask('GET', pathOf(name))).code === 404;
const GOING_MS = 50_000;

describe('a namespace', () => {
  it('is active, names itself in a label, and is held by a finalizer of its own', async () => {
    const name = await createNamespace();
    expect(await expectCode(200, 'GET', pathOf(name))).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  it('is found by its phase', async () => {
    const name = await createNamespace();
    const selector = `fieldSelector=${encodeURIComponent(`status.phase=Active,metadata.name=${name}`)}`;
    expect(valueAt(await expectCode(200, 'GET', `/api/v1/namespaces?${selector}`), 'items')).toHaveLength(1);
  });

  it('is one of four that are there from the start, of which three stay', async () => {
    for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease'])
      await expectCode(200, 'GET', pathOf(name));
    expect(await expectCode(403, 'DELETE', `${pathOf('kube-public')}?dryRun=All`)).toMatchObject({
      reason: 'Forbidden',
      message: 'namespaces "kube-public" is forbidden: this namespace may not be deleted',
    });
  });

  it('has no collection that could be deleted', async () => {
    await expectCode(405, 'DELETE', '/api/v1/namespaces?dryRun=All');
  });
});

// Skipped on a server that has no kube-controller-manager: it is the one that empties namespaces.
describe.skipIf(!controllers)('the deletion of a namespace', { timeout: 120_000 }, () => {
  it('takes an empty namespace away', async () => {
    const name = await createNamespace();
    const answer = await expectCode(200, 'DELETE', pathOf(name));
    expect(answer).toMatchObject({ kind: 'Namespace', status: { phase: 'Terminating' } });
    expect(textAt(answer, 'metadata', 'deletionTimestamp')).toBeTruthy();
    await eventually('it goes', isGone(name), GOING_MS);
  });

  it('takes its contents with it, and leaves the name free', async () => {
    const name = await createNamespace();
    const { configMaps, gadgets } = placesIn(name);
    await expectCode(201, 'POST', configMaps, { body: configMap('inside') });
    await expectCode(201, 'POST', gadgets, { body: gadget('inside') });
    await expectCode(200, 'DELETE', pathOf(name));
    await eventually('it goes', isGone(name), GOING_MS);
    await expectCode(404, 'GET', at(configMaps, 'inside'));
    await createNamespace(name);
    expect(valueAt(await expectCode(200, 'GET', gadgets), 'items')).toEqual([]);
  });

  it('waits for finalizers inside, takes nothing new meanwhile, and says in conditions what holds it', async () => {
    const name = await createNamespace();
    const { configMaps, gadgets } = placesIn(name);
    const finalizers = ['contract.example/held'];
    await expectCode(201, 'POST', gadgets, { body: gadget('holding', undefined, { finalizers }) });
    await expectCode(200, 'DELETE', pathOf(name));

    expect(await expectCode(403, 'POST', configMaps, { body: configMap('late') })).toMatchObject({
      reason: 'Forbidden',
      message: `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
      details: {
        name: 'late',
        kind: 'configmaps',
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${name} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      },
    });

    const conditionOf = async (type: string): Promise<unknown> => {
      const conditions = asArray(valueAt(await expectCode(200, 'GET', pathOf(name)), 'status', 'conditions'));
      return conditions.find(
        (condition) => valueAt(condition, 'type') === type && valueAt(condition, 'status') === 'True',
      );
    };
    expect(
      await eventually('the conditions come', () => conditionOf('NamespaceContentRemaining'), GOING_MS),
    ).toMatchObject({
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: gadgets.${group} has 1 resource instances`,
    });
    expect(
      await eventually('the finalizers are named', () => conditionOf('NamespaceFinalizersRemaining'), GOING_MS),
    ).toMatchObject({
      reason: 'SomeFinalizersRemain',
      message: 'Some content in the namespace has finalizers remaining: contract.example/held in 1 resource instances',
    });
    expect(await expectCode(200, 'GET', at(gadgets, 'holding'))).toMatchObject({
      metadata: { deletionTimestamp: expect.any(String), finalizers },
    });

    const body = { metadata: { finalizers: null } };
    await expectCode(200, 'PATCH', at(gadgets, 'holding'), { body, contentType: patchTypes.merge });
    await eventually('it goes', isGone(name), GOING_MS);
  });

  it('is watched as a change to Terminating and then a deletion', async () => {
    const name = uniqueName();
    await createNamespace(name);
    const version = textAt(await expectCode(200, 'GET', pathOf(name)), 'metadata', 'resourceVersion');
    await using watch = await openWatch(
      `/api/v1/namespaces?fieldSelector=metadata.name%3D${name}&resourceVersion=${version}`,
    );
    await expectCode(200, 'DELETE', pathOf(name));
    await eventually('the deletion is seen', () => watch.events.some(({ type }) => type === 'DELETED'), GOING_MS);
    expect(watch.events[0]).toMatchObject({ type: 'MODIFIED', object: { status: { phase: 'Terminating' } } });
    expect(watch.events.at(-1)).toMatchObject({ type: 'DELETED', object: { metadata: { name } } });
  });
});
