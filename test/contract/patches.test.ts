import { describe, expect } from 'vitest';
import { at, configMap, gadget, group, it, patchTypes, useSuite, versionOf } from './suite.ts';

const { gadgets, configMaps, namespace, expectCode } = useSuite();

const merge = (body: unknown) => ({ body, contentType: patchTypes.merge });
const json = (body: unknown) => ({ body, contentType: patchTypes.json });
const strategic = (body: unknown) => ({ body, contentType: patchTypes.strategic });

describe('a merge patch', () => {
  it('merges objects, replaces lists, and takes away what is null', async () => {
    await expectCode(201, 'POST', gadgets, {
      body: gadget('merged', { size: 1, shiny: true, tags: ['a', 'b'], options: { x: { y: 1, z: 2 } } }),
    });
    const body = { spec: { size: 2, shiny: null, tags: ['c'], options: { x: { y: null, w: 3 } } } };
    const patched = await expectCode(200, 'PATCH', at(gadgets, 'merged'), merge(body));
    expect(patched['spec']).toEqual({ size: 2, colour: 'grey', tags: ['c'], options: { x: { z: 2, w: 3 } } });
  });

  it('is conditional on the version that it names', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('guarded') });
    await expectCode(200, 'PATCH', at(gadgets, 'guarded'), merge({ spec: { size: 2 } }));
    const stale = { metadata: { resourceVersion: versionOf(created) }, spec: { size: 3 } };
    expect(await expectCode(409, 'PATCH', at(gadgets, 'guarded'), merge(stale))).toMatchObject({ reason: 'Conflict' });
  });

  it('may not change the UID', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('identity') });
    const uid = '00000000-0000-4000-8000-000000000000';
    expect(await expectCode(422, 'PATCH', at(gadgets, 'identity'), merge({ metadata: { uid } }))).toMatchObject({
      reason: 'Invalid',
      message: `Gadget.${group} "identity" is invalid: metadata.uid: Invalid value: "${uid}": field is immutable`,
    });
  });

  it('may not rename', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('named') });
    expect(await expectCode(400, 'PATCH', at(gadgets, 'named'), merge({ metadata: { name: 'other' } }))).toMatchObject({
      reason: 'BadRequest',
      message: 'the name of the object (other) does not match the name on the URL (named)',
    });
  });

  it('may not change what the server sets', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('fixed') });
    const body = { metadata: { creationTimestamp: '2001-01-01T00:00:00Z', generation: 9 } };
    const patched = await expectCode(200, 'PATCH', at(gadgets, 'fixed'), merge(body));
    expect(patched).toEqual(created);
  });

  it('is refused when it makes an invalid object', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('spoilt') });
    expect(await expectCode(422, 'PATCH', at(gadgets, 'spoilt'), merge({ spec: { size: null } }))).toMatchObject({
      message: `Gadget.${group} "spoilt" is invalid: spec.size: Required value`,
    });
  });

  it('answers 404 for what is not there', async () => {
    expect(await expectCode(404, 'PATCH', at(gadgets, 'none'), merge({}))).toMatchObject({ reason: 'NotFound' });
  });

  it('has to be a JSON object', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('object') });
    await expectCode(400, 'PATCH', at(gadgets, 'object'), merge('{"spec":'));
    await expectCode(400, 'PATCH', at(gadgets, 'object'), merge('[]'));
  });
});

describe('a JSON patch', () => {
  it('adds, replaces, removes, moves, copies and tests', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('edited', { size: 1, code: 'ab', tags: ['a', 'b'] }) });
    const body = [
      { op: 'test', path: '/spec/size', value: 1 },
      { op: 'replace', path: '/spec/size', value: 5 },
      { op: 'add', path: '/spec/tags/-', value: 'c' },
      { op: 'remove', path: '/spec/tags/0' },
      { op: 'move', from: '/spec/code', path: '/spec/note' },
      { op: 'add', path: '/spec/options', value: { 'a/b': 1 } },
      { op: 'copy', from: '/spec/options/a~1b', path: '/spec/options/copied' },
      { op: 'add', path: '/metadata/labels', value: { one: 'two' } },
    ];
    expect(await expectCode(200, 'PATCH', at(gadgets, 'edited'), json(body))).toMatchObject({
      metadata: { labels: { one: 'two' } },
      spec: { size: 5, note: 'ab', tags: ['b', 'c'], options: { 'a/b': 1, copied: 1 } },
    });
  });

  it('is refused where a test fails, and nothing is changed', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('tested') });
    const body = [
      { op: 'replace', path: '/spec/size', value: 2 },
      { op: 'test', path: '/spec/colour', value: 'red' },
    ];
    expect(await expectCode(422, 'PATCH', at(gadgets, 'tested'), json(body))).toMatchObject({ reason: 'Invalid' });
    expect(await expectCode(200, 'GET', at(gadgets, 'tested'))).toEqual(created);
  });

  it('is refused where a path is not there', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('pathless') });
    const missing = [{ op: 'remove', path: '/spec/note' }];
    expect(await expectCode(422, 'PATCH', at(gadgets, 'pathless'), json(missing))).toMatchObject({ reason: 'Invalid' });
    const parentless = [{ op: 'add', path: '/spec/options/a/b', value: 1 }];
    expect(await expectCode(422, 'PATCH', at(gadgets, 'pathless'), json(parentless))).toMatchObject({
      reason: 'Invalid',
    });
  });

  it('has to be a list of operations', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('listed') });
    expect(await expectCode(400, 'PATCH', at(gadgets, 'listed'), json({ op: 'add' }))).toMatchObject({
      reason: 'BadRequest',
    });
  });
});

describe('a strategic merge patch', () => {
  const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const deployment = (name: string) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            { name: 'web', image: 'web:1', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] },
            { name: 'side', image: 'side:1' },
          ],
        },
      },
    },
  });
  const containers = (...items: object[]) => ({ spec: { template: { spec: { containers: items } } } });

  it('merges the containers of a Deployment by name, and their environment and ports by their keys', async () => {
    await expectCode(201, 'POST', deployments, { body: deployment('merged') });
    const change = { name: 'web', image: 'web:2', env: [{ name: 'B', value: '2' }], ports: [{ containerPort: 81 }] };
    const patched = await expectCode(200, 'PATCH', at(deployments, 'merged'), strategic(containers(change)));
    const [web, side] = (patched as never as ReturnType<typeof deployment>).spec.template.spec.containers; // the server answers what it was sent
    expect([web?.name, web?.image, side?.image]).toEqual(['web', 'web:2', 'side:1']);
    expect(web?.env?.map(({ name }) => name).toSorted()).toEqual(['A', 'B']);
    expect(web?.ports?.map(({ containerPort }) => containerPort).toSorted()).toEqual([80, 81]);
  });

  it('deletes an item, and replaces a list, by directive', async () => {
    await expectCode(201, 'POST', deployments, { body: deployment('directed') });
    const removed = await expectCode(
      200,
      'PATCH',
      at(deployments, 'directed'),
      strategic(containers({ name: 'side', $patch: 'delete' })),
    );
    expect(removed).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'web' }] } } } });
    const replaced = await expectCode(
      200,
      'PATCH',
      at(deployments, 'directed'),
      strategic(containers({ $patch: 'replace' }, { name: 'only', image: 'only:1' })),
    );
    expect(replaced).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'only' }] } } } });
  });

  it('merges finalizers as a set, and takes items out of it by directive', async () => {
    const finalizers = ['contract.example/a', 'contract.example/b'];
    await expectCode(201, 'POST', configMaps, { body: configMap('set', {}, { finalizers: [finalizers[0]] }) });
    const added = await expectCode(
      200,
      'PATCH',
      at(configMaps, 'set'),
      strategic({ metadata: { finalizers: [finalizers[1]] } }),
    );
    expect(added).toMatchObject({ metadata: { finalizers: expect.arrayContaining(finalizers) } });
    const body = { metadata: { '$deleteFromPrimitiveList/finalizers': finalizers } };
    const emptied = await expectCode(200, 'PATCH', at(configMaps, 'set'), strategic(body));
    expect(emptied['metadata']).not.toHaveProperty('finalizers');
  });

  it('is not taken for custom kinds', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('custom') });
    expect(await expectCode(415, 'PATCH', at(gadgets, 'custom'), strategic({ spec: { size: 2 } }))).toMatchObject({
      reason: 'UnsupportedMediaType',
      message: expect.stringMatching(
        /^the body of the request was in an unknown format - accepted media types include: application\/json-patch\+json, application\/merge-patch\+json/,
      ),
    });
  });
});
