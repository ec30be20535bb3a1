import { beforeAll, describe, expect } from 'vitest';
import { asArray, valueAt } from '../../src/sandbox/apiserver/json.ts';
import { eventually } from '../kit/eventually.ts';
import { at, configMap, gadget, group, it, patchTypes, useSuite, versionOf } from './suite.ts';

const { gadgets, configMaps, secrets, namespace, ask, expectCode, watch } = useSuite();

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

const cellsOf = (body: unknown): unknown[] => asArray(valueAt(body, 'rows')).map((row) => valueAt(row, 'cells'));
const columnsOf = (body: unknown): unknown[] =>
  asArray(valueAt(body, 'columnDefinitions')).map((column) => valueAt(column, 'name'));

beforeAll(async () => {
  await expectCode(201, 'POST', gadgets, { body: gadget('one', { size: 3 }) });
  const status = { conditions: [{ type: 'Ready', status: 'True' }] };
  await expectCode(200, 'PATCH', `${at(gadgets, 'one')}/status`, { body: { status }, contentType: patchTypes.merge });
  await expectCode(201, 'POST', gadgets, { body: gadget('two', { size: 4 }) });
});

describe('a table', () => {
  it('has the columns of the definition, and a row of cells for each object', async () => {
    const body = await expectCode(200, 'GET', gadgets, { accept: table });
    expect(body).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: expect.any(String) },
    });
    expect(columnsOf(body)).toEqual(['Name', 'Size', 'Ready', 'Colour', 'Age']);
    const [name, size, , colour, age] = asArray(body['columnDefinitions']);
    expect(name).toMatchObject({ name: 'Name', type: 'string', format: 'name', priority: 0 });
    expect(size).toEqual({ name: 'Size', type: 'integer', format: '', description: 'How big it is.', priority: 0 });
    expect(colour).toMatchObject({ priority: 1 });
    expect(age).toMatchObject({ name: 'Age', type: 'date' });
    expect(cellsOf(body)).toEqual([
      ['one', 3, 'True', 'grey', expect.stringMatching(/^\d+s$/)],
      ['two', 4, null, 'grey', expect.stringMatching(/^\d+s$/)],
    ]);
  });

  it('carries the metadata of each object, or the object, or nothing, as is asked', async () => {
    const first = async (query: string): Promise<unknown> =>
      valueAt(asArray((await expectCode(200, 'GET', `${gadgets}${query}`, { accept: table }))['rows'])[0], 'object');
    expect(await first('')).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'one' },
    });
    expect(await first('')).not.toHaveProperty('spec');
    expect(await first('?includeObject=Object')).toMatchObject({ kind: 'Gadget', spec: { size: 3 } });
    expect((await first('?includeObject=None')) ?? null).toBeNull();
  });

  it('is made of one object too', async () => {
    expect(cellsOf(await expectCode(200, 'GET', at(gadgets, 'one'), { accept: table }))).toHaveLength(1);
  });

  it('is paged as a list is', async () => {
    const body = await expectCode(200, 'GET', `${gadgets}?limit=1`, { accept: table });
    expect(cellsOf(body)).toHaveLength(1);
    expect(body).toMatchObject({ metadata: { continue: expect.any(String), remainingItemCount: 1 } });
  });

  it('is watched row by row', async () => {
    await using opened = await watch(`${gadgets}?fieldSelector=metadata.name%3Done`, { accept: table });
    await eventually('a row comes', () => opened.events.length > 0);
    expect(opened.events[0]).toMatchObject({
      type: 'ADDED',
      object: { kind: 'Table', rows: [{ cells: ['one', 3, 'True', 'grey', expect.any(String)] }] },
    });
  });

  it('counts the entries of built-in kinds', async () => {
    await expectCode(201, 'POST', configMaps, { body: configMap('counted', { a: '1', b: '2' }) });
    const one = await expectCode(200, 'GET', at(configMaps, 'counted'), { accept: table });
    expect(columnsOf(one)).toEqual(['Name', 'Data', 'Age']);
    expect(cellsOf(one)).toEqual([['counted', 2, expect.any(String)]]);
    await expectCode(201, 'POST', secrets, {
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { a: 'b' } },
    });
    const secret = await expectCode(200, 'GET', at(secrets, 's'), { accept: table });
    expect(columnsOf(secret)).toEqual(['Name', 'Type', 'Data', 'Age']);
    expect(cellsOf(secret)).toEqual([['s', 'Opaque', 1, expect.any(String)]]);
    const space = await expectCode(200, 'GET', `/api/v1/namespaces/${namespace}`, { accept: table });
    expect(columnsOf(space)).toEqual(['Name', 'Status', 'Age']);
    expect(cellsOf(space)).toEqual([[namespace, 'Active', expect.any(String)]]);
  });

  it('is not forced on who accepts nothing that is served', async () => {
    const answer = await ask('GET', gadgets, { accept: 'application/xml' });
    expect(answer.code).toBe(406);
  });
});

describe('metadata alone', () => {
  it('is given for an object and for a list', async () => {
    const one = await expectCode(200, 'GET', at(gadgets, 'one'), { accept: partial });
    expect(one).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'one', namespace },
    });
    expect(one).not.toHaveProperty('spec');
    const list = await expectCode(200, 'GET', gadgets, { accept: partialList });
    expect(list).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(asArray(list['items']).map((item) => valueAt(item, 'metadata', 'name'))).toEqual(['one', 'two']);
  });

  it('is watched too', async () => {
    const list = await expectCode(200, 'GET', gadgets);
    await using opened = await watch(`${gadgets}?resourceVersion=${versionOf(list)}`, { accept: partial });
    await expectCode(201, 'POST', gadgets, { body: gadget('three') });
    await eventually('an event comes', () => opened.events.length > 0);
    expect(opened.events[0]).toMatchObject({
      type: 'ADDED',
      object: { kind: 'PartialObjectMetadata', metadata: { name: 'three' } },
    });
    expect(opened.events[0]?.object).not.toHaveProperty('spec');
    expect(group).toBeTruthy();
  });
});
