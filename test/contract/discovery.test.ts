import { describe, expect } from 'vitest';
import { asArray, asTexts, valueAt } from '../../src/sandbox/apiserver/json.ts';
import { eventually } from '../kit/eventually.ts';
import { group, it, textAt, useSuite } from './suite.ts';

const { ask, expectCode } = useSuite();

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

const named = (items: unknown, name: string): unknown => asArray(items).find((item) => valueAt(item, 'name') === name);
const verbsOf = (resource: unknown): string[] => asTexts(valueAt(resource, 'verbs')).toSorted();
const gadgetVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

describe('discovery, one request at a time', () => {
  it('names the versions of the core and all other groups', async () => {
    expect(await expectCode(200, 'GET', '/api')).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    const groups = await expectCode(200, 'GET', '/apis');
    expect(groups).toMatchObject({ kind: 'APIGroupList', apiVersion: 'v1' });
    expect(named(groups['groups'], group)).toEqual({
      name: group,
      versions: [{ groupVersion: `${group}/v1`, version: 'v1' }],
      preferredVersion: { groupVersion: `${group}/v1`, version: 'v1' },
    });
    for (const builtIn of [
      'apps',
      'batch',
      'apiextensions.k8s.io',
      'coordination.k8s.io',
      'rbac.authorization.k8s.io',
      'authorization.k8s.io',
    ])
      expect(named(groups['groups'], builtIn), builtIn).toBeDefined();
    expect(await expectCode(200, 'GET', `/apis/${group}`)).toMatchObject({
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: group,
    });
  });

  it('tells of each resource its names, scope and verbs, and of its subresources', async () => {
    const list = await expectCode(200, 'GET', `/apis/${group}/v1`);
    expect(list).toMatchObject({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/v1` });
    const gadgets = named(list['resources'], 'gadgets');
    expect(gadgets).toMatchObject({
      singularName: 'gadget',
      namespaced: true,
      kind: 'Gadget',
      shortNames: ['gd'],
      categories: ['toys'],
    });
    expect(verbsOf(gadgets)).toEqual(gadgetVerbs);
    const status = named(list['resources'], 'gadgets/status');
    expect(status).toMatchObject({ singularName: '', namespaced: true, kind: 'Gadget' });
    expect(verbsOf(status)).toEqual(['get', 'patch', 'update']);
    expect(named(list['resources'], 'notes')).toMatchObject({ namespaced: false, kind: 'Note' });
    expect(named(list['resources'], 'notes/status')).toBeUndefined();
  });

  it('tells of the core kinds', async () => {
    const list = await expectCode(200, 'GET', '/api/v1');
    expect(list).toMatchObject({ kind: 'APIResourceList', groupVersion: 'v1' });
    expect(named(list['resources'], 'secrets')).toMatchObject({
      namespaced: true,
      kind: 'Secret',
      singularName: 'secret',
    });
    expect(named(list['resources'], 'namespaces')).toMatchObject({
      namespaced: false,
      kind: 'Namespace',
      shortNames: ['ns'],
    });
    expect(named(list['resources'], 'namespaces/finalize')).toMatchObject({ kind: 'Namespace', verbs: ['update'] });
    expect(asArray(valueAt(named(list['resources'], 'namespaces'), 'verbs'))).not.toContain('deletecollection');
  });
});

describe('discovery at once', () => {
  it('tells of every group, version and resource in one answer', async () => {
    const answer = await ask('GET', '/apis', { accept: aggregated });
    expect(answer.headers['content-type']).toMatch(
      /^application\/json;g=apidiscovery\.k8s\.io;v=v2;as=APIGroupDiscoveryList/,
    );
    expect(answer.body).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' });
    const own = asArray(answer.body['items']).find((item) => valueAt(item, 'metadata', 'name') === group);
    const [version] = asArray(valueAt(own, 'versions'));
    expect(version).toMatchObject({ version: 'v1', freshness: 'Current' });
    const gadgets = asArray(valueAt(version, 'resources')).find(
      (resource) => valueAt(resource, 'resource') === 'gadgets',
    );
    expect(gadgets).toMatchObject({
      responseKind: { group, version: 'v1', kind: 'Gadget' },
      scope: 'Namespaced',
      singularResource: 'gadget',
      shortNames: ['gd'],
      categories: ['toys'],
      subresources: [{ subresource: 'status', responseKind: { group, version: 'v1', kind: 'Gadget' } }],
    });
    expect(verbsOf(gadgets)).toEqual(gadgetVerbs);
  });

  it('tells of the core in an answer of its own', async () => {
    const { body } = await ask('GET', '/api', { accept: aggregated });
    const [core] = asArray(body['items']);
    const [version] = asArray(valueAt(core, 'versions'));
    expect(asArray(valueAt(version, 'resources')).map((resource) => valueAt(resource, 'resource'))).toContain(
      'configmaps',
    );
  });
});

describe('OpenAPI', () => {
  it('lists version 3 documents, each with an address that changes with it', async () => {
    const path = `apis/${group}/v1`;
    // A real server makes the documents of custom kinds in the background.
    const index = await eventually('the group is described', async () => {
      const { body } = await ask('GET', '/openapi/v3');
      return valueAt(body, 'paths', path) !== undefined ? body : undefined;
    });
    expect(textAt(index, 'paths', path, 'serverRelativeURL')).toMatch(new RegExp(`^/openapi/v3/${path}\\?hash=`));
    expect(textAt(index, 'paths', 'api/v1', 'serverRelativeURL')).toMatch(/^\/openapi\/v3\/api\/v1\?hash=/);
  });

  it('describes the fields of a custom kind, and what its writes may ask for', async () => {
    const document = await eventually('the group is described', async () => {
      const { code, body } = await ask('GET', `/openapi/v3/apis/${group}/v1`);
      return code === 200 ? body : undefined;
    });
    const schemas = Object.values(valueAt(document, 'components', 'schemas') as object); // a document has schemas
    const schema = schemas.find(
      (candidate) => valueAt(asArray(valueAt(candidate, 'x-kubernetes-group-version-kind'))[0], 'kind') === 'Gadget',
    );
    expect(valueAt(schema, 'properties', 'spec', 'properties', 'size')).toMatchObject({
      type: 'integer',
      description: 'How big it is.',
    });
    const patch = valueAt(document, 'paths', `/apis/${group}/v1/namespaces/{namespace}/gadgets/{name}`, 'patch');
    const parameters = asArray(valueAt(patch, 'parameters')).map((parameter) => valueAt(parameter, 'name'));
    expect(parameters).toEqual(expect.arrayContaining(['dryRun', 'fieldValidation']));
  });

  it('has a version 2 document for clients that know no other', async () => {
    expect(await expectCode(200, 'GET', '/openapi/v2')).toMatchObject({ swagger: '2.0', paths: expect.any(Object) });
  });
});

describe('the server itself', () => {
  it('says its version', async () => {
    expect(await expectCode(200, 'GET', '/version')).toMatchObject({
      major: '1',
      minor: expect.stringMatching(/^\d+/),
      gitVersion: expect.stringMatching(/^v1\./),
    });
  });

  it('says that it is well', async () => {
    for (const path of ['/healthz', '/livez', '/readyz']) expect((await ask('GET', path)).text).toBe('ok');
  });
});
