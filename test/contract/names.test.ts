import { describe, expect } from 'vitest';
import { at, configMap, gadget, group, it, patchTypes, useSuite } from './suite.ts';

const { gadgets, configMaps, expectCode, namespace } = useSuite();

const subdomain = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
const labelName = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`;
const keyName = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`;
const labelValue = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;

describe('the name of an object', () => {
  it('is a DNS subdomain, and the refusal says what that is', async () => {
    const refused = await expectCode(422, 'POST', gadgets, { body: gadget('Not_Good') });
    expect(refused).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `Gadget.${group} "Not_Good" is invalid: metadata.name: Invalid value: "Not_Good": ${subdomain}`,
      reason: 'Invalid',
      details: {
        name: 'Not_Good',
        group,
        kind: 'Gadget',
        causes: [
          { reason: 'FieldValueInvalid', message: `Invalid value: "Not_Good": ${subdomain}`, field: 'metadata.name' },
        ],
      },
      code: 422,
    });
  });

  it('may have dots, and begin with a digit', async () => {
    await expectCode(201, 'POST', configMaps, { body: configMap('1.a-b.c') });
  });

  it('has at most 253 characters', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('a'.repeat(253)) });
    const long = 'a'.repeat(254);
    expect(await expectCode(422, 'POST', gadgets, { body: gadget(long) })).toMatchObject({
      message: `Gadget.${group} "${long}" is invalid: metadata.name: Invalid value: "${long}": must be no more than 253 characters`,
    });
  });

  it('is a DNS label for namespaces', async () => {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `${namespace}.x` } };
    expect(await expectCode(422, 'POST', '/api/v1/namespaces', { body })).toMatchObject({
      message: `Namespace "${namespace}.x" is invalid: metadata.name: Invalid value: "${namespace}.x": must not contain dots`,
    });
    const named = (name: string) => ({ body: { ...body, metadata: { name } } });
    expect(await expectCode(422, 'POST', '/api/v1/namespaces', named('A_b'))).toMatchObject({
      message: `Namespace "A_b" is invalid: metadata.name: Invalid value: "A_b": ${labelName}`,
    });
    expect(await expectCode(422, 'POST', '/api/v1/namespaces', named('a'.repeat(64)))).toMatchObject({
      message: expect.stringMatching(
        /must be no more than 63 characters, metadata.labels: Invalid value: "a+": must be no more than 63 bytes\]$/,
      ),
    });
  });

  it('may be nearly anything for roles', async () => {
    const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`;
    const role = (name: string) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name },
      rules: [],
    });
    await expectCode(201, 'POST', roles, { body: role('system:Contract_Test') });
    expect(await expectCode(422, 'POST', roles, { body: role('a%b') })).toMatchObject({
      message: `Role.rbac.authorization.k8s.io "a%b" is invalid: metadata.name: Invalid value: "a%b": may not contain '%'`,
    });
  });
});

describe('labels, annotations, owners and finalizers', () => {
  const refusal = async (metadata: object): Promise<unknown> =>
    (await expectCode(422, 'POST', gadgets, { body: gadget('marked', undefined, metadata) }))['message'];
  const saying = (says: string): string => `Gadget.${group} "marked" is invalid: ${says}`;

  it('have keys of a name, or of a domain and a name', async () => {
    await expectCode(201, 'POST', gadgets, {
      body: gadget('keyed', undefined, { labels: { 'example.com/A_b.c': 'x' } }),
    });
    expect(await refusal({ labels: { '-a': 'b' } })).toBe(saying(`metadata.labels: Invalid value: "-a": ${keyName}`));
    expect(await refusal({ labels: { 'Ex_ample/a': 'b' } })).toBe(
      saying(`metadata.labels: Invalid value: "Ex_ample/a": prefix part ${subdomain}`),
    );
    expect(await refusal({ labels: { 'a/b/c': 'b' } })).toBe(
      saying(
        `metadata.labels: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
      ),
    );
    expect(await refusal({ annotations: { 'a b': 'c' } })).toBe(
      saying(`metadata.annotations: Invalid value: "a b": ${keyName}`),
    );
    expect(await refusal({ labels: { ['k'.repeat(64)]: '' } })).toBe(
      saying(`metadata.labels: Invalid value: "${'k'.repeat(64)}": name part must be no more than 63 bytes`),
    );
  });

  it('have short label values without blanks', async () => {
    expect(await refusal({ labels: { a: 'b c' } })).toBe(
      saying(`metadata.labels: Invalid value: "b c": ${labelValue}`),
    );
    const long = 'v'.repeat(64);
    expect(await refusal({ labels: { a: long } })).toBe(
      saying(`metadata.labels: Invalid value: "${long}": must be no more than 63 bytes`),
    );
  });

  it('have annotations of 256 KiB together at most', async () => {
    expect(await refusal({ annotations: { a: 'x'.repeat(262_144) } })).toBe(
      saying('metadata.annotations: Too long: may not be more than 262144 bytes'),
    );
  });

  it('have finalizers that are names', async () => {
    expect(await refusal({ finalizers: ['not/a/name'] })).toMatch(
      /metadata.finalizers: Invalid value: "not\/a\/name": /,
    );
  });

  it('have owners that are named in full', async () => {
    const owner = { apiVersion: 'v1', kind: '', name: '', uid: '' };
    expect(await refusal({ ownerReferences: [owner] })).toBe(
      saying(
        '[metadata.ownerReferences.kind: Invalid value: "": must not be empty, metadata.ownerReferences.name: Invalid value: "": must not be empty, metadata.ownerReferences.uid: Invalid value: "": must not be empty]',
      ),
    );
  });

  it('have one owner at most that manages the object', async () => {
    const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'Secret', name: uid, uid, controller: true });
    expect(await refusal({ ownerReferences: [owner('a'), owner('b')] })).toMatch(
      /metadata\.ownerReferences: Invalid value: .*Only one reference can have Controller set to true/,
    );
  });

  it('are replaced and removed by a merge patch', async () => {
    await expectCode(201, 'POST', configMaps, { body: configMap('marks', {}, { labels: { a: '1', b: '2' } }) });
    const body = { metadata: { labels: { a: null, b: '3', c: '4' } } };
    expect(
      await expectCode(200, 'PATCH', at(configMaps, 'marks'), { body, contentType: patchTypes.merge }),
    ).toMatchObject({
      metadata: { labels: { b: '3', c: '4' } },
    });
  });
});
