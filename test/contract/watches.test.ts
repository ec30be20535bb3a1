import { describe, expect } from 'vitest';
import { valueAt } from '../../src/sandbox/apiserver/json.ts';
import { eventually } from '../kit/eventually.ts';
import type { Event, Json, Watch } from './connection.ts';
import { at, configMap, gadget, group, it, patchTypes, seen, useSuite, versionOf } from './suite.ts';

const { configMaps, gadgets, namespace, ask, createNamespace, expectCode, watch } = useSuite();

const merge = (body: unknown) => ({ body, contentType: patchTypes.merge });
const newPlace = async (): Promise<string> => configMaps.replace(namespace, await createNamespace());
const create = (path: string, name: string, labels: object = {}): Promise<Json> =>
  expectCode(201, 'POST', path, { body: configMap(name, {}, { labels: { mine: 'yes', ...labels } }) });
const mine = 'labelSelector=mine';
const bookmarks = (opened: Watch): Event[] => opened.events.filter(({ type }) => type === 'BOOKMARK');

describe('a watch', () => {
  it('gives each change after the version it starts from, in order, with the object as it then was', async () => {
    const place = await newPlace();
    const first = await create(place, 'first');
    await using opened = await watch(`${place}?${mine}&resourceVersion=${versionOf(first)}`);
    const second = await create(place, 'second');
    const changed = await expectCode(200, 'PATCH', at(place, 'second'), merge({ data: { a: '1' } }));
    await expectCode(200, 'DELETE', at(place, 'second'));
    expect(await seen(opened, 3)).toEqual(['ADDED second', 'MODIFIED second', 'DELETED second']);
    expect(opened.events.map(({ object }) => object).slice(0, 2)).toEqual([second, changed]);
    expect(opened.events[2]?.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { a: '1' } });
    expect(Number(versionOf(opened.events[2]?.object))).toBeGreaterThan(Number(versionOf(changed)));
  });

  it('catches up on what happened between its version and now', async () => {
    const place = await newPlace();
    const first = await create(place, 'first');
    await create(place, 'second');
    await expectCode(200, 'DELETE', at(place, 'second'));
    await using opened = await watch(`${place}?${mine}&resourceVersion=${versionOf(first)}`);
    expect(await seen(opened, 2)).toEqual(['ADDED second', 'DELETED second']);
  });

  for (const version of ['', '0']) {
    it(`begins with what is there when its version is "${version}"`, async () => {
      const place = await newPlace();
      await create(place, 'a');
      await create(place, 'b');
      await using opened = await watch(`${place}?${mine}&resourceVersion=${version}`);
      expect((await seen(opened, 2)).toSorted()).toEqual(['ADDED a', 'ADDED b']);
      await create(place, 'c');
      expect((await seen(opened, 3)).at(-1)).toBe('ADDED c');
    });
  }

  it('is answered with an event that says Expired when its version is too old', async () => {
    await using opened = await watch(`${gadgets}?resourceVersion=1`);
    await eventually('an event comes', () => opened.events.length > 0);
    expect(opened.events[0]).toMatchObject({
      type: 'ERROR',
      object: {
        kind: 'Status',
        status: 'Failure',
        code: 410,
        reason: 'Expired',
        message: expect.stringMatching(/^too old resource version: 1 \(\d+\)$/),
      },
    });
    await eventually('it ends', () => opened.ended);
  });

  it('ends by itself after timeoutSeconds', async () => {
    await using opened = await watch(`${await newPlace()}?timeoutSeconds=1`);
    await eventually('it ends', () => opened.ended);
  });

  it('sees one object alone when its name is selected', async () => {
    const place = await newPlace();
    const first = await create(place, 'first');
    await using opened = await watch(
      `${place}?fieldSelector=metadata.name%3Dsecond&resourceVersion=${versionOf(first)}`,
    );
    await create(place, 'other');
    await create(place, 'second');
    expect(await seen(opened, 1)).toEqual(['ADDED second']);
  });

  it('sees every namespace where none is named', async () => {
    const [one, two] = [await newPlace(), await newPlace()];
    const first = await create(one, 'first', { every: namespace });
    await using opened = await watch(
      `/api/v1/configmaps?labelSelector=every%3D${namespace}&resourceVersion=${versionOf(first)}`,
    );
    await create(one, 'here', { every: namespace });
    await create(two, 'there', { every: namespace });
    expect(await seen(opened, 2)).toEqual(['ADDED here', 'ADDED there']);
  });

  it('shows custom objects with defaults, and their status', async () => {
    await using opened = await watch(`${gadgets}?fieldSelector=metadata.name%3Dshown`);
    await expectCode(201, 'POST', gadgets, { body: gadget('shown') });
    await expectCode(200, 'PATCH', `${at(gadgets, 'shown')}/status`, merge({ status: { phase: 'Up' } }));
    expect(await seen(opened, 2)).toEqual(['ADDED shown', 'MODIFIED shown']);
    expect(opened.events[1]?.object).toMatchObject({
      kind: 'Gadget',
      spec: { colour: 'grey' },
      status: { phase: 'Up' },
    });
  });

  it('is refused on a selector that makes no sense', async () => {
    expect((await ask('GET', `${configMaps}?watch=true&labelSelector=${encodeURIComponent('a in b')}`)).code).toBe(400);
    expect((await ask('GET', `${configMaps}?watch=true&fieldSelector=data.a%3D1`)).code).toBe(400);
  });
});

describe('a selection that is watched', () => {
  it('is entered as ADDED and left as DELETED, with the object as it was when it still belonged', async () => {
    const place = await newPlace();
    const first = await create(place, 'moving', { team: 'a' });
    await using opened = await watch(`${place}?labelSelector=team%3Da&resourceVersion=${versionOf(first)}`);
    const label = (team: string) =>
      expectCode(200, 'PATCH', at(place, 'moving'), merge({ metadata: { labels: { team } } }));
    const left = await label('b');
    await label('c');
    await label('a');
    expect(await seen(opened, 2)).toEqual(['DELETED moving', 'ADDED moving']);
    expect(opened.events[0]?.object).toMatchObject({
      metadata: { labels: { team: 'a' }, resourceVersion: versionOf(left) },
    });
  });

  it('is entered and left by a field as well', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('painted') });
    await using opened = await watch(`${gadgets}?fieldSelector=spec.colour%3Dred`);
    const paint = (colour: string) => expectCode(200, 'PATCH', at(gadgets, 'painted'), merge({ spec: { colour } }));
    await paint('red');
    await paint('grey');
    expect(await seen(opened, 2)).toEqual(['ADDED painted', 'DELETED painted']);
  });
});

describe('bookmarks', () => {
  const initialEvents = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

  it('mark the end of the objects that are there, for who asks for initial events', async () => {
    const place = await newPlace();
    await create(place, 'a');
    const last = await create(place, 'b');
    await using opened = await watch(`${place}?${mine}&${initialEvents}`);
    await eventually('the bookmark comes', () => bookmarks(opened).length > 0);
    const types = opened.events.map(({ type }) => type);
    expect(types).toEqual(['ADDED', 'ADDED', 'BOOKMARK']);
    const [mark] = bookmarks(opened);
    expect(mark?.object).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    expect(Number(versionOf(mark?.object))).toBeGreaterThanOrEqual(Number(versionOf(last)));
    await create(place, 'c');
    expect((await seen(opened, 3)).at(-1)).toBe('ADDED c');
  });

  it('mark it on an empty collection too, of a custom kind', async () => {
    const place = gadgets.replace(namespace, await createNamespace());
    await using opened = await watch(`${place}?${initialEvents}`);
    await eventually('the bookmark comes', () => bookmarks(opened).length > 0);
    expect(opened.events).toHaveLength(1);
    expect(opened.events[0]?.object).toMatchObject({ kind: 'Gadget', apiVersion: `${group}/v1` });
    expect(valueAt(opened.events[0]?.object, 'spec')).toBeUndefined();
  });

  it('come before a watch ends by itself, for who allows them', async () => {
    await using opened = await watch(`${gadgets}?timeoutSeconds=4&allowWatchBookmarks=true&resourceVersion=0`);
    await eventually('it ends', () => opened.ended);
    expect(bookmarks(opened).length).toBeGreaterThan(0);
  });

  it('can be started from', async () => {
    const place = await newPlace();
    await using marked = await watch(`${place}?${mine}&${initialEvents}`);
    await eventually('the bookmark comes', () => bookmarks(marked).length > 0);
    await using opened = await watch(`${place}?${mine}&resourceVersion=${versionOf(bookmarks(marked)[0]?.object)}`);
    await create(place, 'after');
    expect(await seen(opened, 1)).toEqual(['ADDED after']);
  });

  it('are not sent with initial events to who did not ask for a match', async () => {
    expect(await expectCode(422, 'GET', `${configMaps}?watch=true&sendInitialEvents=true`)).toMatchObject({
      reason: 'Invalid',
      message:
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    });
  });
});
