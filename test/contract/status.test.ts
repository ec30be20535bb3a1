import { describe, expect } from 'vitest';
import { valueAt } from '../../src/sandbox/apiserver/json.ts';
import { at, gadget, group, it, patchTypes, uniqueName, useSuite, versionOf } from './suite.ts';

const { gadgets, notes, ask, expectCode } = useSuite();

const merge = (body: unknown) => ({ body, contentType: patchTypes.merge });
const ready = { conditions: [{ type: 'Ready', status: 'True' }] };

describe('a kind with a status subresource', () => {
  it('leaves the status out of a create, an update and a patch of the object', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: { ...gadget('plain'), status: ready } });
    expect(created).not.toHaveProperty('status');
    const updated = await expectCode(200, 'PUT', at(gadgets, 'plain'), { body: { ...created, status: ready } });
    expect(updated).not.toHaveProperty('status');
    const patched = await expectCode(200, 'PATCH', at(gadgets, 'plain'), merge({ status: ready }));
    expect(patched).not.toHaveProperty('status');
    expect(versionOf(patched)).toBe(versionOf(created));
  });

  it('writes nothing but the status through the subresource, and counts no generation', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('split') });
    const body = { spec: { size: 9 }, metadata: { finalizers: ['contract.example/x'] }, status: ready };
    const patched = await expectCode(200, 'PATCH', `${at(gadgets, 'split')}/status`, merge(body));
    expect(patched).toMatchObject({ metadata: { generation: 1 }, spec: { size: 1 }, status: ready });
    expect(valueAt(patched, 'metadata')).not.toHaveProperty('finalizers');
  });

  it('replaces the status, and refuses an older version', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('put') });
    const path = `${at(gadgets, 'put')}/status`;
    const updated = await expectCode(200, 'PUT', path, { body: { ...created, status: { phase: 'Up' } } });
    expect(updated['status']).toEqual({ phase: 'Up' });
    await expectCode(409, 'PUT', path, { body: { ...created, status: { phase: 'Down' } } });
  });

  it('checks the status against the schema', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('checked') });
    const refused = await expectCode(
      422,
      'PATCH',
      `${at(gadgets, 'checked')}/status`,
      merge({ status: { conditions: [{ type: 'Ready' }] } }),
    );
    expect(refused['message']).toBe(
      `Gadget.${group} "checked" is invalid: status.conditions[0].status: Required value`,
    );
  });

  it('prunes the status', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('pruned') });
    const patched = await expectCode(
      200,
      'PATCH',
      `${at(gadgets, 'pruned')}/status`,
      merge({ status: { phase: 'Up', other: 1 } }),
    );
    expect(patched['status']).toEqual({ phase: 'Up' });
  });

  it('keeps the status when the object changes', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('kept') });
    await expectCode(200, 'PATCH', `${at(gadgets, 'kept')}/status`, merge({ status: ready }));
    expect(await expectCode(200, 'PATCH', at(gadgets, 'kept'), merge({ spec: { size: 2 } }))).toMatchObject({
      status: ready,
    });
  });

  it('makes a patch of the status conditional on the version in it', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('conditional') });
    await expectCode(200, 'PATCH', at(gadgets, 'conditional'), merge({ spec: { size: 2 } }));
    const body = { metadata: { resourceVersion: versionOf(created) }, status: ready };
    expect(await expectCode(409, 'PATCH', `${at(gadgets, 'conditional')}/status`, merge(body))).toMatchObject({
      reason: 'Conflict',
    });
  });

  it('reads the whole object through the subresource', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('read') });
    expect(await expectCode(200, 'GET', `${at(gadgets, 'read')}/status`)).toEqual(created);
  });

  it('takes labels and annotations through the subresource, as custom kinds do not', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('labelled') });
    const body = { metadata: { labels: { a: 'b' } }, status: ready };
    const patched = await expectCode(200, 'PATCH', `${at(gadgets, 'labelled')}/status`, merge(body));
    expect(valueAt(patched, 'metadata')).not.toHaveProperty('labels');
  });
});

describe('a kind without a status subresource', () => {
  const note = (name: string, rest: object) => ({
    apiVersion: `${group}/v1`,
    kind: 'Note',
    metadata: { name },
    ...rest,
  });

  it('takes the status as a field like any other, and counts it as a change', async () => {
    const name = uniqueName();
    const created = await expectCode(201, 'POST', notes, { body: note(name, { status: { phase: 'Up' } }) });
    expect(created).toMatchObject({ status: { phase: 'Up' }, metadata: { generation: 1 } });
    const patched = await expectCode(200, 'PATCH', at(notes, name), merge({ status: { phase: 'Down' } }));
    expect(patched).toMatchObject({ status: { phase: 'Down' }, metadata: { generation: 2 } });
    await expectCode(200, 'DELETE', at(notes, name));
  });

  it('has no path for the status', async () => {
    const name = uniqueName();
    await expectCode(201, 'POST', notes, { body: note(name, {}) });
    expect((await ask('GET', `${at(notes, name)}/status`)).code).toBe(404);
    expect((await ask('PATCH', `${at(notes, name)}/status`, merge({ status: {} }))).code).toBe(404);
    await expectCode(200, 'DELETE', at(notes, name));
  });
});
