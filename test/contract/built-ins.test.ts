import { describe, expect } from 'vitest';
import { asArray, valueAt } from '../../src/sandbox/apiserver/json.ts';
import { at, configMap, it, patchTypes, textAt, useSuite } from './suite.ts';

const { configMaps, secrets, events, namespace, expectCode } = useSuite();

const merge = (body: unknown) => ({ body, contentType: patchTypes.merge });
const strategic = (body: unknown) => ({ body, contentType: patchTypes.strategic });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a Secret', () => {
  const secret = (name: string, rest: object = {}) => ({
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...rest },
  });

  it('is Opaque unless it says otherwise', async () => {
    expect(await expectCode(201, 'POST', secrets, secret('plain'))).toMatchObject({ type: 'Opaque' });
  });

  it('has stringData encoded into data, over what is there', async () => {
    const created = await expectCode(
      201,
      'POST',
      secrets,
      secret('texts', { data: { a: base64('old'), b: base64('kept') }, stringData: { a: 'new' } }),
    );
    expect(created['data']).toEqual({ a: base64('new'), b: base64('kept') });
    expect(created).not.toHaveProperty('stringData');
    const patched = await expectCode(200, 'PATCH', at(secrets, 'texts'), merge({ stringData: { c: 'more' } }));
    expect(patched['data']).toEqual({ a: base64('new'), b: base64('kept'), c: base64('more') });
  });

  it('takes data in base64 only', async () => {
    expect(await expectCode(400, 'POST', secrets, secret('broken', { data: { a: '!?' } }))).toMatchObject({
      reason: 'BadRequest',
      message: expect.stringContaining('illegal base64 data at input byte 0'),
    });
  });

  it('keeps its type', async () => {
    await expectCode(201, 'POST', secrets, secret('typed', { type: 'contract.example/a' }));
    expect(await expectCode(422, 'PATCH', at(secrets, 'typed'), merge({ type: 'contract.example/b' }))).toMatchObject({
      message: 'Secret "typed" is invalid: type: Invalid value: "contract.example/b": field is immutable',
    });
  });

  it('keeps its contents once it is immutable, and stays so', async () => {
    await expectCode(201, 'POST', secrets, secret('sealed', { data: { a: base64('1') }, immutable: true }));
    expect(await expectCode(422, 'PATCH', at(secrets, 'sealed'), merge({ data: { a: base64('2') } }))).toMatchObject({
      message: 'Secret "sealed" is invalid: data: Forbidden: field is immutable when `immutable` is set',
    });
    expect(await expectCode(422, 'PATCH', at(secrets, 'sealed'), merge({ immutable: false }))).toMatchObject({
      message: 'Secret "sealed" is invalid: immutable: Forbidden: field is immutable when `immutable` is set',
    });
    await expectCode(200, 'PATCH', at(secrets, 'sealed'), merge({ metadata: { labels: { a: 'b' } } }));
  });

  it('has keys that could be names of files', async () => {
    expect(await expectCode(422, 'POST', secrets, secret('keys', { data: { 'a/b': '' } }))).toMatchObject({
      message: `Secret "keys" is invalid: data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
    });
  });

  it('has what its type asks for', async () => {
    expect(await expectCode(422, 'POST', secrets, secret('basic', { type: 'kubernetes.io/basic-auth' }))).toMatchObject(
      {
        message: expect.stringContaining('data[username]: Required value, data[password]: Required value'),
      },
    );
    expect(await expectCode(422, 'POST', secrets, secret('ssh', { type: 'kubernetes.io/ssh-auth' }))).toMatchObject({
      message: expect.stringContaining('data[ssh-privatekey]: Required value'),
    });
    expect(await expectCode(422, 'POST', secrets, secret('tls', { type: 'kubernetes.io/tls' }))).toMatchObject({
      message: expect.stringContaining('data[tls.crt]: Required value, data[tls.key]: Required value'),
    });
  });
});

describe('a ConfigMap', () => {
  it('keeps its contents once it is immutable', async () => {
    await expectCode(201, 'POST', configMaps, { body: { ...configMap('sealed', { a: '1' }), immutable: true } });
    expect(await expectCode(422, 'PATCH', at(configMaps, 'sealed'), merge({ data: { a: '2' } }))).toMatchObject({
      message: 'ConfigMap "sealed" is invalid: data: Forbidden: field is immutable when `immutable` is set',
    });
  });

  it('has keys that could be names of files', async () => {
    expect(await expectCode(422, 'POST', configMaps, { body: configMap('keys', { 'a b': '1' }) })).toMatchObject({
      message: expect.stringContaining('data[a b]: Invalid value: "a b": a valid config key must consist of'),
    });
  });

  it('takes texts only', async () => {
    expect(await expectCode(400, 'POST', configMaps, { body: configMap('number', { a: 1 }) })).toMatchObject({
      reason: 'BadRequest',
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    });
  });

  it('is refused a field that it does not have, under strict validation', async () => {
    const body = { ...configMap('odd'), dta: {} };
    expect(await expectCode(400, 'POST', `${configMaps}?fieldValidation=Strict`, { body })).toMatchObject({
      message: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"',
    });
  });
});

describe('a Lease', () => {
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const spec = {
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '2030-01-02T03:04:05.678900Z',
    renewTime: '2030-01-02T03:04:05.678900Z',
    leaseTransitions: 0,
  };
  const lease = (name: string, own: object = spec) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name },
    spec: own,
  });

  it('is taken over by one writer only, by its version', async () => {
    const created = await expectCode(201, 'POST', leases, { body: lease('one') });
    expect(created['spec']).toEqual(spec);
    const taken = (holderIdentity: string) => ({
      body: { ...created, spec: { ...spec, holderIdentity, leaseTransitions: 1 } },
    });
    await expectCode(200, 'PUT', at(leases, 'one'), taken('b'));
    await expectCode(409, 'PUT', at(leases, 'one'), taken('c'));
    expect(await expectCode(200, 'GET', at(leases, 'one'))).toMatchObject({
      spec: { holderIdentity: 'b', leaseTransitions: 1 },
    });
  });

  it('is refused without a version', async () => {
    await expectCode(201, 'POST', leases, { body: lease('blind') });
    expect(await expectCode(422, 'PUT', at(leases, 'blind'), { body: lease('blind') })).toMatchObject({
      message: expect.stringContaining('metadata.resourceVersion: Invalid value: '),
    });
  });

  it('is created by a replacement of what is not there, unless that names a UID', async () => {
    const metadata = { name: 'put', resourceVersion: '5' };
    await expectCode(201, 'PUT', at(leases, 'put'), { body: { ...lease('put'), metadata } });
    const known = { name: 'known', uid: '00000000-0000-4000-8000-000000000000' };
    const refused = await expectCode(409, 'PUT', at(leases, 'known'), { body: { ...lease('known'), metadata: known } });
    expect(refused).toMatchObject({ reason: 'Conflict' });
  });

  it('lasts longer than nothing', async () => {
    expect(
      await expectCode(422, 'POST', leases, { body: lease('short', { ...spec, leaseDurationSeconds: 0 }) }),
    ).toMatchObject({
      message:
        'Lease.coordination.k8s.io "short" is invalid: spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    });
  });
});

describe('an Event', () => {
  const event = (name: string, rest: object = {}) => ({
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name },
      involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', namespace },
      reason: 'Painted',
      message: 'it is red',
      type: 'Normal',
      source: { component: 'contract' },
      firstTimestamp: '2030-01-02T03:04:05Z',
      lastTimestamp: '2030-01-02T03:04:05Z',
      count: 1,
      ...rest,
    },
  });

  it('counts by a patch how often it happened', async () => {
    await expectCode(201, 'POST', events, event('counted'));
    const again = { count: 2, lastTimestamp: '2030-01-02T03:05:05Z' };
    expect(await expectCode(200, 'PATCH', at(events, 'counted'), merge(again))).toMatchObject({
      ...again,
      reason: 'Painted',
    });
    expect(await expectCode(200, 'PATCH', at(events, 'counted'), strategic({ count: 3 }))).toMatchObject({ count: 3 });
  });

  it('carries a series', async () => {
    await expectCode(201, 'POST', events, event('serial'));
    const series = { count: 2, lastObservedTime: '2030-01-02T03:05:05.000001Z' };
    expect(await expectCode(200, 'PATCH', at(events, 'serial'), merge({ series }))).toMatchObject({ series });
    const more = { series: { ...series, count: 3 } };
    expect(await expectCode(200, 'PATCH', at(events, 'serial'), strategic(more))).toMatchObject(more);
  });

  it('belongs to the namespace of its object', async () => {
    const other = event('astray', {
      involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', namespace: 'elsewhere' },
    });
    expect(await expectCode(422, 'POST', events, other)).toMatchObject({
      message:
        'Event "astray" is invalid: involvedObject.namespace: Invalid value: "elsewhere": does not match event.namespace',
    });
  });

  it('is shown in a table by its age, type, reason, object and message', async () => {
    await expectCode(201, 'POST', events, event('shown'));
    const body = await expectCode(200, 'GET', at(events, 'shown'), {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    const columns = asArray(body['columnDefinitions']);
    const shown = columns
      .filter((column) => valueAt(column, 'priority') === 0)
      .map((column) => valueAt(column, 'name'));
    expect(shown).toEqual(['Last Seen', 'Type', 'Reason', 'Object', 'Message']);
    expect(asArray(valueAt(asArray(body['rows'])[0], 'cells')).slice(1, 4)).toEqual([
      'Normal',
      'Painted',
      'configmap/one',
    ]);
  });
});

describe('questions about access', () => {
  const group = '/apis/authorization.k8s.io/v1';

  it('are answered at once: what one may do oneself', async () => {
    const spec = { resourceAttributes: { verb: 'create', resource: 'pods', namespace } };
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec };
    const answer = await expectCode(201, 'POST', `${group}/selfsubjectaccessreviews`, { body });
    expect(answer).toMatchObject({ kind: 'SelfSubjectAccessReview', spec, status: { allowed: true } });
  });

  it('are answered about others', async () => {
    const spec = {
      user: 'nobody-of-the-contract',
      resourceAttributes: { verb: 'create', resource: 'pods', namespace },
    };
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    expect(await expectCode(201, 'POST', `${group}/subjectaccessreviews`, { body })).toMatchObject({
      status: { allowed: false },
    });
  });

  it('are answered by rules, and by name', async () => {
    const rules = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } };
    const answer = await expectCode(201, 'POST', `${group}/selfsubjectrulesreviews`, { body: rules });
    expect(asArray(valueAt(answer, 'status', 'resourceRules')).length).toBeGreaterThan(0);
    const self = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const review = await expectCode(201, 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { body: self });
    expect(textAt(review, 'status', 'userInfo', 'username')).toBeTruthy();
  });

  it('are answered about tokens', async () => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'none' } };
    const answer = await expectCode(201, 'POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body });
    expect(valueAt(answer, 'status', 'authenticated') ?? false).toBe(false);
  });
});
