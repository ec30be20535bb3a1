import { describe, expect } from 'vitest';
import { valueAt } from '../../src/sandbox/apiserver/json.ts';
import { at, configMap, gadget, group, it, namesIn, patchTypes, textAt, useSuite, versionOf } from './suite.ts';

const suite = useSuite();
const { gadgets, configMaps, namespace, expectCode } = suite;

describe('creating', () => {
  it('gives a new object its identity, a version, a generation and a time', async () => {
    const created = await expectCode(201, 'POST', gadgets, {
      body: gadget('new', { size: 3 }, { labels: { a: 'b' } }),
    });
    expect(created).toMatchObject({
      apiVersion: `${group}/v1`,
      kind: 'Gadget',
      metadata: { name: 'new', namespace, generation: 1, labels: { a: 'b' } },
      spec: { size: 3, colour: 'grey' },
    });
    expect(textAt(created, 'metadata', 'uid')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(textAt(created, 'metadata', 'creationTimestamp')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(versionOf(created)).toMatch(/^\d+$/);
    expect(await expectCode(200, 'GET', at(gadgets, 'new'))).toEqual(created);
  });

  it('ignores the identity, the generation and the times that a client sends', async () => {
    const sent = {
      uid: '00000000-0000-4000-8000-000000000000',
      generation: 7,
      creationTimestamp: '2001-01-01T00:00:00Z',
      deletionTimestamp: '2001-01-01T00:00:00Z',
    };
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('sent', undefined, sent) });
    expect(valueAt(created, 'metadata', 'generation')).toBe(1);
    expect(textAt(created, 'metadata', 'uid')).not.toBe(sent.uid);
    expect(textAt(created, 'metadata', 'creationTimestamp')).not.toBe(sent.creationTimestamp);
    expect(valueAt(created, 'metadata', 'deletionTimestamp')).toBeUndefined();
  });

  it('refuses a name that is taken with AlreadyExists', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('taken') });
    expect(await expectCode(409, 'POST', gadgets, { body: gadget('taken') })).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `gadgets.${group} "taken" already exists`,
      reason: 'AlreadyExists',
      details: { name: 'taken', group, kind: 'gadgets' },
      code: 409,
    });
  });

  it('names an object by generateName, with five characters added', async () => {
    const { name: _none, ...metadata } = { name: '', generateName: 'made-' };
    const created = await expectCode(201, 'POST', gadgets, { body: { ...gadget(''), metadata } });
    expect(valueAt(created, 'metadata')).toMatchObject({
      generateName: 'made-',
      name: expect.stringMatching(/^made-[a-z0-9]{5}$/),
    });
  });

  it('takes the name before generateName', async () => {
    const body = gadget('own-name', undefined, { generateName: 'made-' });
    expect(valueAt(await expectCode(201, 'POST', gadgets, { body }), 'metadata')).toMatchObject({
      name: 'own-name',
      generateName: 'made-',
    });
  });

  it('refuses an object without a name', async () => {
    const refused = await expectCode(422, 'POST', gadgets, { body: gadget('') });
    expect(refused).toMatchObject({
      reason: 'Invalid',
      message: `Gadget.${group} "" is invalid: metadata.name: Required value: name or generateName is required`,
    });
  });

  it('refuses an object that names another namespace than the path', async () => {
    const refused = await expectCode(400, 'POST', gadgets, {
      body: gadget('astray', undefined, { namespace: 'kube-public' }),
    });
    expect(refused).toMatchObject({
      reason: 'BadRequest',
      message: 'the namespace of the provided object does not match the namespace sent on the request',
    });
  });

  it('refuses an object that has a resourceVersion', async () => {
    const body = gadget('versioned', undefined, { resourceVersion: '1' });
    expect(await expectCode(500, 'POST', gadgets, { body })).toMatchObject({
      message: 'resourceVersion should not be set on objects to be created',
    });
  });

  it('refuses an object in a namespace that is not there', async () => {
    const path = gadgets.replace(namespace, `${namespace}-none`);
    expect(await expectCode(404, 'POST', path, { body: gadget('homeless') })).toMatchObject({
      reason: 'NotFound',
      message: `namespaces "${namespace}-none" not found`,
      details: { name: `${namespace}-none`, kind: 'namespaces' },
    });
  });
});

describe('reading', () => {
  it('answers 404 for what is not there, with the resource in the details', async () => {
    expect(await expectCode(404, 'GET', at(gadgets, 'none'))).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `gadgets.${group} "none" not found`,
      reason: 'NotFound',
      details: { name: 'none', group, kind: 'gadgets' },
      code: 404,
    });
    expect(await expectCode(404, 'GET', at(configMaps, 'none'))).toMatchObject({
      message: 'configmaps "none" not found',
      details: { name: 'none', kind: 'configmaps' },
    });
  });

  it('lists a namespace by name, with a version of its own and the kind of the list', async () => {
    await expectCode(201, 'POST', configMaps, { body: configMap('list-b') });
    await expectCode(201, 'POST', configMaps, { body: configMap('list-a') });
    const list = await expectCode(200, 'GET', configMaps);
    expect(list).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMapList' });
    expect(namesIn(list).filter((name) => name.startsWith('list-'))).toEqual(['list-a', 'list-b']);
    expect(versionOf(list)).toMatch(/^\d+$/);
  });

  it('leaves kind and apiVersion to the list for built-in kinds, and repeats them for custom ones', async () => {
    await expectCode(201, 'POST', configMaps, { body: configMap('typeless') });
    await expectCode(201, 'POST', gadgets, { body: gadget('typed') });
    const [builtIn] = (await expectCode(200, 'GET', configMaps))['items'] as object[]; // a list has items
    const [custom] = (await expectCode(200, 'GET', gadgets))['items'] as object[]; // a list has items
    expect(builtIn).not.toHaveProperty('kind');
    expect(custom).toMatchObject({ kind: 'Gadget', apiVersion: `${group}/v1` });
  });

  it('lists an empty namespace as no items, not as nothing', async () => {
    const empty = await suite.createNamespace();
    const list = await expectCode(200, 'GET', gadgets.replace(namespace, empty));
    expect(list).toMatchObject({ kind: 'GadgetList', items: [] });
  });

  it('lists a namespace that is not there as empty', async () => {
    expect(await expectCode(200, 'GET', gadgets.replace(namespace, 'not-there'))).toMatchObject({ items: [] });
  });
});

describe('updating', () => {
  it('replaces an object whose version is the present one', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('replaced', { size: 1, shiny: true }) });
    const body = { ...created, spec: { size: 2 } };
    const updated = await expectCode(200, 'PUT', at(gadgets, 'replaced'), { body });
    expect(updated).toMatchObject({ metadata: { generation: 2 }, spec: { size: 2, colour: 'grey' } });
    expect(valueAt(updated, 'spec')).not.toHaveProperty('shiny');
    expect(Number(versionOf(updated))).toBeGreaterThan(Number(versionOf(created)));
  });

  it('refuses an older version with Conflict', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('conflict') });
    await expectCode(200, 'PUT', at(gadgets, 'conflict'), { body: { ...created, spec: { size: 2 } } });
    expect(await expectCode(409, 'PUT', at(gadgets, 'conflict'), { body: { ...created, spec: { size: 3 } } })).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `Operation cannot be fulfilled on gadgets.${group} "conflict": the object has been modified; please apply your changes to the latest version and try again`,
      reason: 'Conflict',
      details: { name: 'conflict', group, kind: 'gadgets' },
      code: 409,
    });
  });

  it('needs the version of a custom object', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('blind') });
    expect(await expectCode(422, 'PUT', at(gadgets, 'blind'), { body: gadget('blind') })).toMatchObject({
      message: `gadgets.${group} "blind" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
    });
  });

  it('replaces a built-in object without a version', async () => {
    await expectCode(201, 'POST', configMaps, { body: configMap('blind', { a: '1' }) });
    const updated = await expectCode(200, 'PUT', at(configMaps, 'blind'), { body: configMap('blind', { b: '2' }) });
    expect(updated['data']).toEqual({ b: '2' });
  });

  it('refuses another UID', async () => {
    await expectCode(201, 'POST', configMaps, { body: configMap('identity') });
    const body = configMap('identity', {}, { uid: '00000000-0000-4000-8000-000000000000' });
    expect(await expectCode(409, 'PUT', at(configMaps, 'identity'), { body })).toMatchObject({
      reason: 'Conflict',
      message: expect.stringMatching(
        /^Operation cannot be fulfilled on configmaps "identity": (StorageError: invalid object, Code: 4, .*, AdditionalErrorMsg: )?Precondition failed: UID in precondition: 00000000-0000-4000-8000-000000000000, UID in object meta: /,
      ),
    });
  });

  it('refuses another name than that of the path', async () => {
    await expectCode(201, 'POST', configMaps, { body: configMap('path-name') });
    expect(await expectCode(400, 'PUT', at(configMaps, 'path-name'), { body: configMap('other-name') })).toMatchObject({
      reason: 'BadRequest',
      message: 'the name of the object (other-name) does not match the name on the URL (path-name)',
    });
  });

  it('writes nothing, and gives no new version, where nothing differs', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('same') });
    const put = await expectCode(200, 'PUT', at(gadgets, 'same'), { body: created });
    const body = { spec: { size: 1 } };
    const patched = await expectCode(200, 'PATCH', at(gadgets, 'same'), { body, contentType: patchTypes.merge });
    expect([versionOf(put), versionOf(patched)]).toEqual([versionOf(created), versionOf(created)]);
  });

  it('counts a generation for each change of the spec, and none for metadata', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('counted') });
    const patch = async (body: object): Promise<unknown> =>
      valueAt(
        await expectCode(200, 'PATCH', at(gadgets, 'counted'), { body, contentType: patchTypes.merge }),
        'metadata',
        'generation',
      );
    expect(await patch({ metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } })).toBe(1);
    expect(await patch({ spec: { size: 2 } })).toBe(2);
    expect(await patch({ spec: { size: 2 } })).toBe(2);
    expect(await patch({ metadata: { finalizers: ['contract.example/held'] } })).toBe(2);
    expect(await patch({ metadata: { finalizers: null } })).toBe(2);
  });

  it('keeps no generation of a config map', async () => {
    const created = await expectCode(201, 'POST', configMaps, { body: configMap('uncounted', { a: '1' }) });
    expect(valueAt(created, 'metadata')).not.toHaveProperty('generation');
  });

  it('answers 404 for what is not there', async () => {
    const body = gadget('none', undefined, { resourceVersion: '1' });
    expect(await expectCode(404, 'PUT', at(gadgets, 'none'), { body })).toMatchObject({ reason: 'NotFound' });
  });
});

describe('a dry run', () => {
  it('answers a create, an update, a patch and a delete as if they were made, and keeps nothing', async () => {
    const fresh = await expectCode(201, 'POST', `${gadgets}?dryRun=All`, { body: gadget('dry') });
    expect(fresh).toMatchObject({ metadata: { uid: expect.any(String) }, spec: { colour: 'grey' } });
    expect(valueAt(fresh, 'metadata')).not.toHaveProperty('resourceVersion');
    await expectCode(404, 'GET', at(gadgets, 'dry'));

    const created = await expectCode(201, 'POST', gadgets, { body: gadget('dry') });
    const path = `${at(gadgets, 'dry')}?dryRun=All`;
    const updated = await expectCode(200, 'PUT', path, { body: { ...created, spec: { size: 2 } } });
    expect(updated).toMatchObject({ metadata: { generation: 2 }, spec: { size: 2 } });
    const patch = { body: { spec: { size: 3 } }, contentType: patchTypes.merge };
    expect(await expectCode(200, 'PATCH', path, patch)).toMatchObject({ spec: { size: 3 } });
    await expectCode(200, 'DELETE', path);
    expect(await expectCode(200, 'GET', at(gadgets, 'dry'))).toEqual(created);
  });

  it('refuses what would be refused', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('dry-taken') });
    await expectCode(409, 'POST', `${gadgets}?dryRun=All`, { body: gadget('dry-taken') });
    await expectCode(422, 'POST', `${gadgets}?dryRun=All`, { body: gadget('dry-bad', { size: 0 }) });
  });

  it('knows no other value than All', async () => {
    expect(await expectCode(422, 'POST', `${gadgets}?dryRun=Some`, { body: gadget('dry-some') })).toMatchObject({
      reason: 'Invalid',
      message: 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    });
  });
});
