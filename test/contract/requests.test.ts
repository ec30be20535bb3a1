import { describe, expect } from 'vitest';
import { valueAt } from '../../src/sandbox/apiserver/json.ts';
import { at, configMap, gadget, group, it, patchTypes, useSuite } from './suite.ts';

const { gadgets, configMaps, notes, namespace, ask, expectCode } = useSuite();

describe('a path', () => {
  it('that is not there is a 404', async () => {
    expect((await ask('GET', '/nowhere')).code).toBe(404);
    expect((await ask('GET', `/apis/none.${group}/v1/things`)).code).toBe(404);
    expect((await ask('GET', `/apis/${group}/v1/namespaces/${namespace}/things`)).code).toBe(404);
    expect((await ask('GET', `/api/v1/namespaces/${namespace}/things`)).code).toBe(404);
    expect((await ask('GET', `/api/v1/namespaces/${namespace}/configmaps/a/b`)).code).toBe(404);
  });

  it('of a built-in kind that is not there says so in a Status', async () => {
    expect(await expectCode(404, 'GET', '/api/v1/things')).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'the server could not find the requested resource',
      reason: 'NotFound',
      details: {},
      code: 404,
    });
  });

  it('without a namespace does not take a namespaced object', async () => {
    const everywhere = gadgets.replace(`/namespaces/${namespace}`, '');
    expect((await ask('POST', everywhere, { body: gadget('homeless') })).code).toBe(404);
    expect((await ask('GET', `${everywhere}/homeless`)).code).toBe(404);
    expect((await ask('POST', '/api/v1/configmaps', { body: configMap('homeless') })).code).toBe(405);
    expect((await ask('GET', '/api/v1/configmaps/homeless')).code).toBe(404);
  });

  it('with a namespace does not lead to a cluster-wide kind', async () => {
    expect((await ask('GET', `/apis/${group}/v1/namespaces/${namespace}/notes`)).code).toBe(404);
    expect((await ask('GET', notes)).code).toBe(200);
  });

  it('refuses a method that it does not take with 405', async () => {
    expect(await expectCode(405, 'POST', at(configMaps, 'one'), { body: configMap('one') })).toMatchObject({
      kind: 'Status',
      reason: 'MethodNotAllowed',
      message: 'the server does not allow this method on the requested resource',
      details: {},
      code: 405,
    });
    expect((await ask('PUT', configMaps, { body: configMap('one') })).code).toBe(405);
    expect((await ask('PATCH', configMaps, { body: {}, contentType: patchTypes.merge })).code).toBe(405);
  });

  it('of a custom collection needs a name for what is done to an object', async () => {
    const refused = { reason: 'BadRequest', message: 'name must be provided' };
    expect(await expectCode(400, 'PUT', gadgets, { body: gadget('one') })).toMatchObject(refused);
    expect(await expectCode(400, 'PATCH', gadgets, { body: {}, contentType: patchTypes.merge })).toMatchObject(refused);
  });
});

describe('a body', () => {
  it('has to be JSON', async () => {
    const refusal = (kind: string) => ({
      kind: 'Status',
      code: 400,
      reason: 'BadRequest',
      message: expect.stringContaining(
        `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: `,
      ),
    });
    expect(await expectCode(400, 'POST', gadgets, { body: '{"kind":' })).toMatchObject(refusal('Gadget'));
    for (const body of ['no json', '', '[]']) {
      expect(await expectCode(400, 'POST', configMaps, { body }), body).toMatchObject(refusal('ConfigMap'));
    }
  });

  it('may be YAML, as some clients send it', async () => {
    const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n';
    expect(await expectCode(201, 'POST', configMaps, { body, contentType: 'application/yaml' })).toMatchObject({
      data: { a: '1' },
    });
  });

  it('has to be of a media type that is read', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('media') });
    for (const path of [configMaps, gadgets]) {
      expect(
        await expectCode(415, 'POST', path, { body: configMap('media'), contentType: 'text/plain' }),
      ).toMatchObject({
        reason: 'UnsupportedMediaType',
        message: expect.stringContaining(
          'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
        ),
      });
    }
    expect(
      await expectCode(415, 'PATCH', at(gadgets, 'media'), { body: {}, contentType: 'application/json' }),
    ).toMatchObject({
      reason: 'UnsupportedMediaType',
      message: expect.stringContaining(
        'accepted media types include: application/json-patch+json, application/merge-patch+json',
      ),
    });
  });

  it('may leave out what kind of built-in object it is, but not of a custom one', async () => {
    expect(await expectCode(201, 'POST', configMaps, { body: { metadata: { name: 'kindless' } } })).toMatchObject({
      kind: 'ConfigMap',
    });
    expect(
      await expectCode(400, 'POST', gadgets, { body: { metadata: { name: 'kindless' }, spec: { size: 1 } } }),
    ).toMatchObject({
      message: expect.stringMatching(/Object 'Kind' is missing in/),
    });
  });

  it('has to be of the kind and version that the path has', async () => {
    expect(await expectCode(422, 'POST', gadgets, { body: { ...gadget('other'), kind: 'Note' } })).toMatchObject({
      reason: 'Invalid',
      message: `Note.${group} "other" is invalid: kind: Invalid value: "Note": must be Gadget`,
    });
    expect(
      await expectCode(400, 'POST', gadgets, { body: { ...gadget('other'), apiVersion: `${group}/v9` } }),
    ).toMatchObject({
      message: `the API version in the data (${group}/v9) does not match the expected API version (${group}/v1)`,
    });
    expect(
      await expectCode(400, 'POST', configMaps, { body: { ...configMap('other'), kind: 'Secret' } }),
    ).toMatchObject({
      message: expect.stringContaining(
        'cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
      ),
    });
  });

  it('has metadata of the right types', async () => {
    const labels = gadget('labels', undefined, { labels: { a: 1 } });
    expect(await expectCode(400, 'POST', gadgets, { body: labels })).toMatchObject({
      message:
        'Gadget in version "v1" cannot be handled as a Gadget: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
    });
    const finalizers = gadget('finalizers', undefined, { finalizers: 'a' });
    expect(await expectCode(400, 'POST', gadgets, { body: finalizers })).toMatchObject({
      message: expect.stringMatching(
        /: json: cannot unmarshal string into Go struct field ObjectMeta.finalizers of type \[\]string$/,
      ),
    });
    expect(await expectCode(400, 'POST', configMaps, { body: configMap('labels', {}, { labels: [] }) })).toMatchObject({
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    });
    const patch = { body: { metadata: { labels: { a: 1 } } }, contentType: patchTypes.merge };
    await expectCode(201, 'POST', gadgets, { body: gadget('typed') });
    expect(await expectCode(422, 'PATCH', at(gadgets, 'typed'), patch)).toMatchObject({ reason: 'Invalid' });
  });

  it('may be of 3 MiB at most', async () => {
    const body = configMap('huge', { a: 'x'.repeat(3 * 1024 * 1024 + 1) });
    expect(await expectCode(413, 'POST', configMaps, { body })).toMatchObject({
      kind: 'Status',
      reason: 'RequestEntityTooLarge',
      code: 413,
      message: expect.stringContaining('Request entity too large: limit is 3145728'),
    });
  });

  it('may put 1 MiB into a config map, and no more', async () => {
    const body = configMap('large', { a: 'x'.repeat(1024 * 1024 + 1) });
    expect(await expectCode(422, 'POST', configMaps, { body })).toMatchObject({
      message: 'ConfigMap "large" is invalid: []: Too long: may not be more than 1048576 bytes',
    });
    await expectCode(201, 'POST', configMaps, { body: configMap('just', { a: 'x'.repeat(1024 * 1000) }) });
  });

  it('keeps text of any language, and numbers as they are', async () => {
    const options = {
      text: 'žluťoučký 馬 🐎 \u0001 " \\ </script>',
      big: 9007199254740991,
      small: 1e-7,
      negative: -0.5,
      none: null,
      empty: '',
    };
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('texts', { size: 1, options }) });
    expect(valueAt(created, 'spec', 'options')).toEqual(options);
    expect(valueAt(await expectCode(200, 'GET', at(gadgets, 'texts')), 'spec', 'options')).toEqual(options);
  });
});
