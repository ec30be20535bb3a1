import { describe, expect } from 'vitest';
import { asArray, valueAt } from '../../src/sandbox/apiserver/json.ts';
import { eventually } from '../kit/eventually.ts';
import type { Json } from './connection.ts';
import { runLabel } from './kinds.ts';
import { at, group, it, patchTypes, textAt, uniqueName, useSuite, versionOf } from './suite.ts';

const { ask, expectCode, watch } = useSuite();

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const label = { [runLabel]: group.slice(1, 9) };

const version = (name: string, rest: object = {}) => ({
  name,
  served: true,
  storage: true,
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
    },
  },
  ...rest,
});

/** A kind of its own for a test: names that nobody else has. */
const definitionOf = (options: { names?: object; versions?: object[]; scope?: string } = {}) => {
  const word = `k${uniqueName().replaceAll('-', '')}`;
  const own = `${word}.${group}`;
  const names = { plural: 'things', kind: 'Thing', ...options.names };
  return {
    path: `/apis/${own}/v1/things`,
    group: own,
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${names.plural}.${own}`, labels: label },
      spec: { group: own, scope: options.scope ?? 'Cluster', names, versions: options.versions ?? [version('v1')] },
    },
  };
};

const conditionOf = (definition: Json, type: string): unknown =>
  asArray(valueAt(definition, 'status', 'conditions')).find((condition) => valueAt(condition, 'type') === type);

const served = (path: string) => eventually(`${path} is served`, async () => (await ask('GET', path)).code === 200);
const gone = (path: string) => eventually(`${path} goes`, async () => (await ask('GET', path)).code === 404, 60_000);

describe('a definition', () => {
  it('has its names completed, and says when they are accepted and the kind is served', async () => {
    const { body, path } = definitionOf();
    const created = await expectCode(201, 'POST', definitions, { body });
    expect(valueAt(created, 'spec', 'names')).toEqual({
      plural: 'things',
      singular: 'thing',
      kind: 'Thing',
      listKind: 'ThingList',
    });
    expect(valueAt(created, 'spec', 'conversion')).toEqual({ strategy: 'None' });
    const established = await eventually('it is established', async () => {
      const definition = await expectCode(200, 'GET', at(definitions, body.metadata.name));
      return valueAt(conditionOf(definition, 'Established'), 'status') === 'True' ? definition : undefined;
    });
    expect(conditionOf(established, 'NamesAccepted')).toMatchObject({
      status: 'True',
      reason: 'NoConflicts',
      message: 'no conflicts found',
      lastTransitionTime: expect.any(String),
    });
    expect(conditionOf(established, 'Established')).toMatchObject({
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
    });
    expect(established).toMatchObject({
      status: {
        storedVersions: ['v1'],
        acceptedNames: { plural: 'things', kind: 'Thing', listKind: 'ThingList', singular: 'thing' },
      },
    });
    await served(path);
    await expectCode(200, 'DELETE', at(definitions, body.metadata.name));
  });

  it('takes its objects with it when it goes, and is held until they are gone', async () => {
    const { body, path, group: own } = definitionOf();
    await expectCode(201, 'POST', definitions, { body });
    await served(path);
    const metadata = { name: 'one', finalizers: ['contract.example/held'] };
    const thing = { apiVersion: `${own}/v1`, kind: 'Thing', metadata };
    await eventually('an object is taken', async () => (await ask('POST', path, { body: thing })).code === 201);
    await expectCode(200, 'DELETE', at(definitions, body.metadata.name));
    const held = await eventually('its object is asked to go', async () => {
      const object = (await ask('GET', at(path, 'one'))).body;
      return valueAt(object, 'metadata', 'deletionTimestamp') ? object : undefined;
    });
    expect(await expectCode(200, 'GET', at(definitions, body.metadata.name))).toMatchObject({
      metadata: { finalizers: ['customresourcecleanup.apiextensions.k8s.io'], deletionTimestamp: expect.any(String) },
    });
    expect(await expectCode(403, 'POST', path, { body: { ...thing, metadata: { name: 'two' } } })).toMatchObject({
      reason: 'Forbidden',
      message: `things.${own} "two" is forbidden: create not allowed while custom resource definition is terminating`,
    });
    const free = { body: { ...held, metadata: { ...(held['metadata'] as object), finalizers: [] } } }; // every object has metadata
    await expectCode(200, 'PUT', at(path, 'one'), free);
    await gone(at(definitions, body.metadata.name));
    await gone(path);
  });

  it('serves a kind that it is changed to describe', async () => {
    const { body, path, group: own } = definitionOf();
    await expectCode(201, 'POST', definitions, { body });
    await served(path);
    const versions = [version('v1', { storage: false }), version('v2')];
    await expectCode(200, 'PATCH', at(definitions, body.metadata.name), {
      body: { spec: { versions } },
      contentType: patchTypes.merge,
    });
    const second = path.replace('/v1/', '/v2/');
    await served(second);
    const thing = { apiVersion: `${own}/v1`, kind: 'Thing', metadata: { name: 'one' }, spec: { a: 'b' } };
    await eventually('an object is taken', async () => (await ask('POST', path, { body: thing })).code === 201);
    expect(await expectCode(200, 'GET', at(second, 'one'))).toMatchObject({
      apiVersion: `${own}/v2`,
      spec: { a: 'b' },
    });
    const definition = await eventually('the versions are noted', async () => {
      const now = await expectCode(200, 'GET', at(definitions, body.metadata.name));
      return asArray(valueAt(now, 'status', 'storedVersions')).length === 2 ? now : undefined;
    });
    expect(valueAt(definition, 'status', 'storedVersions')).toEqual(['v1', 'v2']);
    await expectCode(200, 'DELETE', at(definitions, body.metadata.name));
    await gone(path);
  });

  it('ends the watches of its kind when it goes', async () => {
    const { body, path } = definitionOf();
    await expectCode(201, 'POST', definitions, { body });
    await served(path);
    await using opened = await watch(path);
    await expectCode(200, 'DELETE', at(definitions, body.metadata.name));
    await eventually('the watch ends', () => opened.ended, 60_000);
  });

  it('is refused names that another one has, in a condition', async () => {
    const first = definitionOf();
    await expectCode(201, 'POST', definitions, { body: first.body });
    await served(first.path);
    const names = { plural: 'others', kind: 'Thing' };
    const body = {
      ...first.body,
      metadata: { name: `others.${first.group}`, labels: label },
      spec: { ...first.body.spec, names },
    };
    await expectCode(201, 'POST', definitions, { body });
    const refused = await eventually('the names are refused', async () => {
      const definition = await expectCode(200, 'GET', at(definitions, body.metadata.name));
      return valueAt(conditionOf(definition, 'NamesAccepted'), 'status') === 'False' ? definition : undefined;
    });
    expect(conditionOf(refused, 'NamesAccepted')).toMatchObject({
      reason: 'ListKindConflict',
      message: '"ThingList" is already in use',
    });
    expect(conditionOf(refused, 'Established')).toMatchObject({
      status: 'False',
      reason: 'NotAccepted',
      message: 'not all names are accepted',
    });
    await expectCode(200, 'DELETE', at(definitions, body.metadata.name));
    await expectCode(200, 'DELETE', at(definitions, first.body.metadata.name));
  });
});

describe('a definition is refused', () => {
  const refusal = async (body: object): Promise<string> =>
    textAt(await expectCode(422, 'POST', definitions, { body }), 'message');

  it('whose name is not made of its plural and its group', async () => {
    const { body, group: own } = definitionOf();
    const misnamed = { ...body, metadata: { name: `other.${own}` } };
    expect(await refusal(misnamed)).toBe(
      `CustomResourceDefinition.apiextensions.k8s.io "other.${own}" is invalid: metadata.name: Invalid value: "other.${own}": must be spec.names.plural+"."+spec.group`,
    );
  });

  it('without a schema, or with one that has a field without a type', async () => {
    const bare = definitionOf({ versions: [version('v1', { schema: undefined })] });
    expect(await refusal(bare.body)).toContain('spec.versions[0].schema.openAPIV3Schema: Required value');
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: {} } } };
    const untyped = definitionOf({ versions: [version('v1', { schema })] });
    expect(await refusal(untyped.body)).toContain(
      'spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields',
    );
  });

  it('with no version, or two, that are stored', async () => {
    const none = definitionOf({ versions: [version('v1', { storage: false })] });
    expect(await refusal(none.body)).toContain('must have exactly one version marked as storage version');
    const two = definitionOf({ versions: [version('v1'), version('v2')] });
    expect(await refusal(two.body)).toContain('must have exactly one version marked as storage version');
  });

  it('with a scope that there is not', async () => {
    const { body } = definitionOf({ scope: 'Galactic' });
    expect(await refusal(body)).toContain(
      'spec.scope: Unsupported value: "Galactic": supported values: "Cluster", "Namespaced"',
    );
  });

  it('when it changes its scope or its plural', async () => {
    const { body, path } = definitionOf();
    await expectCode(201, 'POST', definitions, { body });
    await served(path);
    const change = { body: { spec: { scope: 'Namespaced' } }, contentType: patchTypes.merge };
    expect(await expectCode(422, 'PATCH', at(definitions, body.metadata.name), change)).toMatchObject({
      message: expect.stringContaining('spec.scope: Invalid value: "Namespaced": field is immutable'),
    });
    const definition = await expectCode(200, 'GET', at(definitions, body.metadata.name));
    expect(versionOf(definition)).toBeTruthy();
    await expectCode(200, 'DELETE', at(definitions, body.metadata.name));
  });
});
