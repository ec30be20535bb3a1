import { describe, expect } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { startAdmission } from '../kit/admission.ts';
import { silentLog } from '../kit/captured-log.ts';
import { eventually } from '../kit/eventually.ts';
import { at, gadget, group, it, patchTypes, textAt, uniqueName, useSuite } from './suite.ts';
import { useHooks } from './webhooks.ts';

const suite = useSuite();
const { ask, expectCode, gadgets, notes } = suite;
const { hooked, nowhere } = useHooks(suite);

const allow = () => ({ allowed: true });
const patchOf = (...operations: object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
const merge = (body: unknown) => ({ body, contentType: patchTypes.merge });

describe('a webhook that does not answer as it should', () => {
  const internal = (name: string, why: string): object => {
    const message = `failed calling webhook "${name}": ${why}`;
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `Internal error occurred: ${message}`,
      reason: 'InternalError',
      details: { causes: [{ message }] },
      code: 500,
    };
  };

  it('because nobody listens fails the write, and says where', async () => {
    const url = await nowhere();
    const hook = await hooked('refused', allow, { hook: { clientConfig: { url: `${url}/x` } } });
    const body = gadget('refused', undefined, hook.metadata);
    const why = `failed to call webhook: Post "${url}/x?timeout=10s": dial tcp ${url.slice(8)}: connect: connection refused`;
    expect(await expectCode(500, 'POST', gadgets, { body })).toEqual(internal(hook.name, why));
  });

  it('because its certificate is not the one that was named fails the write', async () => {
    const hook = await hooked('stranger', allow);
    const other = await hooked('other-stranger', allow, { of: 'stranger', hook: { clientConfig: { url: hook.url } } });
    const body = gadget('stranger', undefined, hook.metadata);
    const why = `failed to call webhook: Post "${hook.url}?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority`;
    expect(await expectCode(500, 'POST', gadgets, { body })).toEqual(internal(other.name, why));
  });

  it('in time fails the write', async () => {
    const { promise, resolve } = Promise.withResolvers<object>();
    const hook = await hooked('slow', async () => ({ ...(await promise) }), { hook: { timeoutSeconds: 1 } });
    const body = gadget('slow', undefined, hook.metadata);
    const why = `failed to call webhook: Post "${hook.url}?timeout=1s": context deadline exceeded`;
    expect(await expectCode(500, 'POST', gadgets, { body })).toEqual(internal(hook.name, why));
    resolve({ allowed: true });
  });

  for (const [code, type, text, said] of [
    [400, 'text/plain', 'because', 'the server rejected our request for an unknown reason'],
    [404, 'text/plain', 'because', 'the server could not find the requested resource'],
    [413, 'text/plain', 'because', 'the server responded with the status code 413 but did not return more information'],
    [500, 'text/plain', 'because', 'an error on the server ("because") has prevented the request from succeeding'],
    [500, 'application/json', '{}', 'an error on the server ("unknown") has prevented the request from succeeding'],
  ] as const)
    it(`but with ${code} and ${type} fails the write`, async () => {
      const hook = await hooked(`code-${code}-${type.replace('/', '-')}`, () => ({ raw: { code, type, body: text } }));
      const body = gadget('code', undefined, hook.metadata);
      const why = `failed to call webhook: ${said}`;
      expect(await expectCode(500, 'POST', gadgets, { body })).toEqual(internal(hook.name, why));
    });

  for (const [what, response, why] of [
    [
      'another uid',
      { uid: 'x', allowed: true },
      /^received invalid webhook response: expected response.uid=".*", got "x"$/,
    ],
    [
      'a patch of a judge',
      patchOf(),
      /^received invalid webhook response: validating webhook may not return response.patch$/,
    ],
  ] as const)
    it(`but with ${what} fails the write`, async () => {
      const hook = await hooked(`bad-${what.replaceAll(' ', '-')}`, () => response);
      const body = gadget('bad', undefined, hook.metadata);
      const { message } = await expectCode(500, 'POST', gadgets, { body });
      const [, said = ''] = String(message).split(`failed calling webhook "${hook.name}": `);
      expect(said).toMatch(why);
    });

  it('but with a patch that does not fit fails the write', async () => {
    const hook = await hooked('unfit', () => patchOf({ op: 'remove', path: '/spec/note' }), { phase: 'mutating' });
    const body = gadget('unfit', undefined, hook.metadata);
    expect(await expectCode(500, 'POST', gadgets, { body })).toMatchObject({ reason: 'InternalError' });
  });

  it('is passed over where it says so, but its denial is not', async () => {
    const ignore = { failurePolicy: 'Ignore' };
    const url = await nowhere();
    const gone = await hooked('gone', allow, { hook: { ...ignore, clientConfig: { url } } });
    await expectCode(201, 'POST', gadgets, { body: gadget('gone', undefined, gone.metadata) });
    const denies = await hooked('denies-anyway', () => ({ allowed: false }), { hook: ignore });
    await expectCode(400, 'POST', gadgets, { body: gadget('denied', undefined, denies.metadata) });
  });
});

describe('while a webhook thinks', () => {
  it('others read and write, and a patch is made anew of what they wrote', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hook = await hooked('thinks', async ({ object }) => {
      if (JSON.stringify(object).includes('"size":2')) await promise;
      return { allowed: true };
    });
    const path = at(gadgets, 'thinks');
    await expectCode(201, 'POST', gadgets, { body: gadget('thinks', { size: 1 }, hook.metadata) });
    const patching = ask('PATCH', path, merge({ spec: { size: 2 } }));
    await eventually('it is asked', () => hook.asked().length === 2);
    await expectCode(200, 'PATCH', path, merge({ metadata: { annotations: { by: 'another' } } }));
    await expectCode(201, 'POST', gadgets, { body: gadget('thinks-not') });
    resolve();
    expect((await patching).body).toMatchObject({ spec: { size: 2 }, metadata: { annotations: { by: 'another' } } });
    const asked = hook.asked().map(({ object }) => JSON.stringify(object).includes('"by":"another"'));
    expect(asked).toEqual([false, false, true, true]);
  });

  it('a replacement of what has changed meanwhile is a conflict', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hook = await hooked('overtaken', async ({ object }) => {
      if (JSON.stringify(object).includes('"size":2')) await promise;
      return { allowed: true };
    });
    const path = at(gadgets, 'overtaken');
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('overtaken', { size: 1 }, hook.metadata) });
    const replacing = ask('PUT', path, { body: { ...created, spec: { size: 2 } } });
    await eventually('it is asked', () => hook.asked().length === 2);
    await expectCode(200, 'PATCH', path, merge({ spec: { size: 3 } }));
    resolve();
    expect((await replacing).code).toBe(409);
    expect(await expectCode(200, 'GET', path)).toMatchObject({ spec: { size: 3 } });
  });

  it('an object that was made meanwhile is not overwritten', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hook = await hooked('raced', async () => {
      await promise;
      return { allowed: true };
    });
    const creating = ask('POST', gadgets, { body: gadget('raced', { size: 2 }, hook.metadata) });
    await eventually('it is asked', () => hook.asked().length === 1);
    await expectCode(201, 'POST', gadgets, { body: gadget('raced', { size: 3 }) });
    resolve();
    expect((await creating).code).toBe(409);
  });
});

describe("the service's own admission", () => {
  const path = '/validate-managed-gitops-redhat-com-v1alpha1-gitopsdeployment';
  const source = { repoURL: 'https://github.com/org/repo', path: 'app' };

  it('is understood: what it denies is denied in its words, the rest is let in', async () => {
    await using admission = await startAdmission({ clock: systemClock, log: silentLog });
    const clientConfig = {
      url: `https://127.0.0.1:${admission.server.port}${path}`,
      caBundle: Buffer.from(admission.ca).toString('base64'),
    };
    // A kind that takes any field: the rules look at nothing but the spec.
    const rule = { resources: ['notes'], scope: 'Cluster' };
    const hook = await hooked('own', () => ({ allowed: true }), { hook: { clientConfig }, rule });
    const note = (type: string) => ({
      body: {
        apiVersion: `${group}/v1`,
        kind: 'Note',
        metadata: { ...hook.metadata, name: uniqueName() },
        spec: { source, type },
      },
    });
    expect(await expectCode(403, 'POST', notes, note('auto'))).toMatchObject({
      reason: 'Forbidden',
      message: `admission webhook "${hook.name}" denied the request: spec type must be manual or automated`,
    });
    const created = await expectCode(201, 'POST', notes, note('manual'));
    const name = textAt(created, 'metadata', 'name');
    await expectCode(403, 'PATCH', at(notes, name), merge({ spec: { type: 'auto' } }));
    await expectCode(200, 'PATCH', at(notes, name), merge({ metadata: { labels: { more: 'of-it' } } }));
    await expectCode(200, 'DELETE', at(notes, name));
  });
});
