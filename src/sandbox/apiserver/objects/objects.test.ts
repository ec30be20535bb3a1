import { describe, expect, it } from 'vitest';
import { configMap, configMapsPath, createTestApi, widget, widgetsPath } from '../api-fixture.ts';
import { asText, valueAt } from '../json.ts';

const one = `${widgetsPath}/one`;
const message = (answer: { body: unknown }): string => asText(valueAt(answer.body, 'message'));

describe('writing an object', () => {
  it('gives a new one an identity, a version, a time and its defaults', () => {
    const { ask } = createTestApi();
    const created = ask('POST', widgetsPath, { body: widget('one') });
    expect(created.code).toBe(201);
    expect(created.body).toMatchObject({
      metadata: { name: 'one', namespace: 'team', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { size: 1, colour: 'grey' },
    });
    expect(valueAt(created.body, 'metadata', 'uid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(ask('GET', one).body).toEqual(created.body);
  });

  it('makes a name from generateName', () => {
    const { ask } = createTestApi();
    const body = { ...configMap(''), metadata: { generateName: 'run-' } };
    expect(valueAt(ask('POST', configMapsPath, { body }).body, 'metadata', 'name')).toMatch(/^run-[a-z0-9]{5}$/);
  });

  it('refuses a second object of the name, an unknown namespace and a bad name', () => {
    const { ask } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one') });
    expect(message(ask('POST', widgetsPath, { body: widget('one') }))).toBe(
      'widgets.example.test "one" already exists',
    );
    const nowhere = ask('POST', widgetsPath.replace('team', 'nowhere'), { body: widget('one') });
    expect(nowhere).toMatchObject({ code: 404, body: { message: 'namespaces "nowhere" not found' } });
    const bad = ask('POST', configMapsPath, { body: configMap('Bad_Name') });
    expect(bad.code).toBe(422);
    expect(message(bad)).toMatch(/^ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lower/);
  });

  it('writes nothing, and tells nobody, when nothing differs', () => {
    const { ask, merge, watch } = createTestApi();
    const { body } = ask('POST', widgetsPath, { body: widget('one') });
    const { events } = watch(`${widgetsPath}?resourceVersion=${asText(valueAt(body, 'metadata', 'resourceVersion'))}`);
    expect(merge(one, { spec: { size: 1 } }).body).toEqual(body);
    expect(ask('PUT', one, { body }).body).toEqual(body);
    expect(events).toEqual([]);
  });

  it('refuses to replace or patch an older version', () => {
    const { ask, merge } = createTestApi();
    const { body } = ask('POST', widgetsPath, { body: widget('one') });
    merge(one, { spec: { size: 2 } });
    const stale = ask('PUT', one, { body });
    expect(stale).toMatchObject({ code: 409, body: { reason: 'Conflict' } });
    expect(message(stale)).toBe(
      'Operation cannot be fulfilled on widgets.example.test "one": the object has been modified; please apply your changes to the latest version and try again',
    );
    const resourceVersion = valueAt(body, 'metadata', 'resourceVersion');
    expect(merge(one, { metadata: { resourceVersion }, spec: { size: 3 } }).code).toBe(409);
    expect(merge(one, { metadata: { uid: 'other' } }).code).toBe(422);
  });

  it('wants to know which version of a custom resource is replaced', () => {
    const { ask } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one') });
    expect(message(ask('PUT', one, { body: widget('one') }))).toBe(
      'widgets.example.test "one" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });

  it('counts generations by changes outside metadata and status', () => {
    const { ask, merge } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one') });
    const generation = (answer: { body: unknown }): unknown => valueAt(answer.body, 'metadata', 'generation');
    expect(generation(merge(one, { metadata: { labels: { a: 'b' } } }))).toBe(1);
    expect(generation(merge(`${one}/status`, { status: { conditions: [] } }))).toBe(1);
    expect(generation(merge(one, { spec: { size: 2 } }))).toBe(2);
  });

  it('keeps status and the rest apart where there is a status subresource', () => {
    const { ask, merge } = createTestApi();
    const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
    const created = ask('POST', widgetsPath, { body: { ...widget('one'), status: ready } });
    expect(valueAt(created.body, 'status')).toBeUndefined();
    expect(valueAt(merge(one, { status: ready }).body, 'status')).toBeUndefined();
    const written = merge(`${one}/status`, { status: ready, spec: { size: 9 }, metadata: { labels: { a: 'b' } } });
    expect(written.body).toMatchObject({ status: ready, spec: { size: 1 } });
    expect(valueAt(written.body, 'metadata', 'labels')).toBeUndefined();
  });

  it('keeps nothing of a dry run', () => {
    const { ask } = createTestApi();
    expect(ask('POST', `${widgetsPath}?dryRun=All`, { body: widget('one') }).code).toBe(201);
    expect(ask('GET', one).code).toBe(404);
  });

  it('encodes the stringData of a secret, and makes it Opaque', () => {
    const { ask } = createTestApi();
    const body = { metadata: { name: 's' }, stringData: { user: 'me' }, data: { old: 'eA==' } };
    const created = ask('POST', '/api/v1/namespaces/team/secrets', { body });
    expect(created.body).toMatchObject({ type: 'Opaque', data: { user: 'bWU=', old: 'eA==' } });
    expect(valueAt(created.body, 'stringData')).toBeUndefined();
  });

  it('refuses to change what may not change', () => {
    const { ask, merge } = createTestApi();
    ask('POST', '/api/v1/namespaces/team/secrets', { body: { metadata: { name: 's' } } });
    expect(message(merge('/api/v1/namespaces/team/secrets/s', { type: 'other' }))).toBe(
      'Secret "s" is invalid: type: Invalid value: "other": field is immutable',
    );
  });

  it('counts each verb and subresource', () => {
    const { api, ask, merge } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one') });
    merge(`${one}/status`, { status: {} });
    ask('GET', widgetsPath);
    expect(api.requests()).toEqual({ 'create widgets': 1, 'patch widgets/status': 1, 'list widgets': 1 });
  });
});

describe('fields that a schema does not know', () => {
  const odd = widget('one', { size: 1, foo: 2, options: { any: 'thing' } });

  it('are dropped with a warning unless told otherwise', () => {
    const { ask } = createTestApi();
    const created = ask('POST', widgetsPath, { body: odd });
    expect(created.headers['warning']).toBe(String.raw`299 - "unknown field \"spec.foo\""`);
    expect(valueAt(created.body, 'spec')).toEqual({ size: 1, colour: 'grey', options: { any: 'thing' } });
    expect(
      ask('POST', `${widgetsPath}?fieldValidation=Ignore&dryRun=All`, { body: odd }).headers['warning'],
    ).toBeUndefined();
  });

  it('are refused under strict validation, as are fields that stand twice', () => {
    const { ask } = createTestApi();
    expect(message(ask('POST', `${widgetsPath}?fieldValidation=Strict`, { body: odd }))).toBe(
      'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.foo"',
    );
    const twice = JSON.stringify(widget('one')).replace('"size":1', '"size":1,"size":2');
    expect(message(ask('POST', `${widgetsPath}?fieldValidation=Strict`, { body: twice }))).toContain(
      'strict decoding error: duplicate field "spec.size"',
    );
  });
});
