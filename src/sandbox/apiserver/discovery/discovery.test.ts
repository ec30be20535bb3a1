import { describe, expect, it } from 'vitest';
import { configMapsPath, createTestApi, widgetsPath } from '../api-fixture.ts';
import { asArray, asText, valueAt } from '../json.ts';

const names = (list: unknown): string[] => asArray(list).map((item) => asText(valueAt(item, 'name')));

describe('discovery', () => {
  it('says that this is a stand-in', () => {
    const { ask } = createTestApi();
    expect(ask('GET', '/version').body).toMatchObject({ gitVersion: expect.stringContaining('sandbox') });
    expect(ask('GET', '/readyz').body).toBe('ok');
  });

  it('lists groups, versions and resources one request at a time', () => {
    const { ask } = createTestApi();
    expect(valueAt(ask('GET', '/api').body, 'versions')).toEqual(['v1']);
    expect(names(valueAt(ask('GET', '/apis').body, 'groups'))).toEqual(
      expect.arrayContaining(['apps', 'example.test']),
    );
    expect(valueAt(ask('GET', '/apis/example.test').body, 'preferredVersion', 'version')).toBe('v1');
    expect(valueAt(ask('GET', '/apis/example.test/v1').body, 'resources')).toMatchObject([
      { name: 'widgets', kind: 'Widget', namespaced: true, shortNames: ['wd'], singularName: 'widget' },
      { name: 'widgets/status', verbs: ['get', 'patch', 'update'] },
    ]);
    expect(ask('GET', '/apis/none/v1').code).toBe(404);
  });

  it('lists everything at once to those who can read it', () => {
    const { ask } = createTestApi();
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const { headers, body } = ask('GET', '/apis', { accept });
    expect(headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    const group = asArray(valueAt(body, 'items')).find((item) => valueAt(item, 'metadata', 'name') === 'example.test');
    expect(group).toMatchObject({
      versions: [{ version: 'v1', resources: [{ resource: 'widgets', subresources: [{ subresource: 'status' }] }] }],
    });
  });
});

describe('OpenAPI', () => {
  it('describes a custom kind with its own schema', () => {
    const { ask } = createTestApi();
    expect(valueAt(ask('GET', '/openapi/v3').body, 'paths', 'apis/example.test/v1')).toBeDefined();
    const { body } = ask('GET', '/openapi/v3/apis/example.test/v1');
    expect(valueAt(body, 'components', 'schemas', 'test.example.v1.Widget')).toMatchObject({
      description: 'A thing of some size.',
      properties: { spec: { properties: { size: { description: 'How big it is.' } } } },
      'x-kubernetes-group-version-kind': [{ group: 'example.test', kind: 'Widget', version: 'v1' }],
    });
  });

  it('has a second version without definitions, as JSON and as protobuf', () => {
    const { ask } = createTestApi();
    expect(ask('GET', '/openapi/v2').body).toMatchObject({ swagger: '2.0', paths: {}, definitions: {} });
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const { headers, body } = ask('GET', '/openapi/v2', { accept });
    expect(headers['content-type']).toContain('protobuf');
    // Field 1, three bytes long: the version of the document.
    expect(String(body).slice(0, 5)).toBe('\n\u{3}2.0');
  });
});

describe('reviews', () => {
  const review = (plural: string, body: object) => createTestApi().ask('POST', `/apis/${plural}`, { body }).body;

  it('allow the administrator everything, and nobody else anything', () => {
    const access = 'authorization.k8s.io/v1';
    expect(review(`${access}/selfsubjectaccessreviews`, {})).toMatchObject({ status: { allowed: true } });
    expect(review(`${access}/subjectaccessreviews`, { spec: { user: 'eve' } })).toMatchObject({
      status: { allowed: false },
    });
    expect(review(`${access}/subjectaccessreviews`, { spec: { groups: ['system:masters'] } })).toMatchObject({
      status: { allowed: true },
    });
  });

  it('know the one token there is', () => {
    const authentication = 'authentication.k8s.io/v1/tokenreviews';
    expect(review(authentication, { spec: { token: 'token' } })).toMatchObject({ status: { authenticated: true } });
    expect(review(authentication, { spec: { token: 'x' } })).toMatchObject({ status: { authenticated: false } });
  });
});

describe('a path', () => {
  it.each([
    ['GET', '/nowhere', 404],
    ['GET', '/api/v1/nothings', 404],
    ['GET', `${widgetsPath}/a/scale`, 404],
    ['GET', '/apis/example.test/v1/widgets/no-namespace', 404],
    ['GET', '/api/v1/namespaces/a/b/c/d/e', 404],
    ['POST', '/apis/example.test/v1/widgets', 404],
    ['PUT', widgetsPath, 400],
    ['PUT', configMapsPath, 405],
    ['POST', `${widgetsPath}/a`, 405],
    ['GET', '/api/v1/namespaces/%ZZ', 400],
  ])('%s %s answers %d', (method, path, code) => {
    expect(createTestApi().ask(method, path).code).toBe(code);
  });
});
