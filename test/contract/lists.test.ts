import { beforeAll, describe, expect } from 'vitest';
import { valueAt } from '../../src/sandbox/apiserver/json.ts';
import { at, configMap, gadget, it, namesIn, textAt, useSuite, versionOf } from './suite.ts';
import type { Json } from './connection.ts';

const { gadgets, configMaps, secrets, events, namespace, ask, createNamespace, expectCode } = useSuite();

const selecting = (field: 'labelSelector' | 'fieldSelector', text: string): string =>
  `${field}=${encodeURIComponent(text)}`;

describe('a list in pages', () => {
  let paged: string;
  const page = (query: string, code = 200): Promise<Json> => expectCode(code, 'GET', `${paged}?${query}`);
  const nextOf = (list: Json): string => `continue=${encodeURIComponent(textAt(list, 'metadata', 'continue'))}`;

  beforeAll(async () => {
    paged = gadgets.replace(namespace, await createNamespace());
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await expectCode(201, 'POST', paged, { body: gadget(name, undefined, { labels: { all: 'yes' } }) });
    }
  });

  it('gives the limit and no more, with a token for the rest and how much that is', async () => {
    const first = await page('limit=2');
    expect(namesIn(first)).toEqual(['a', 'b']);
    expect(first).toMatchObject({ metadata: { continue: expect.any(String), remainingItemCount: 3 } });
    const second = await page(`limit=2&${nextOf(first)}`);
    expect(namesIn(second)).toEqual(['c', 'd']);
    expect(valueAt(second, 'metadata', 'remainingItemCount')).toBe(1);
    const third = await page(`limit=2&${nextOf(second)}`);
    expect(namesIn(third)).toEqual(['e']);
    expect(valueAt(third, 'metadata', 'continue') ?? '').toBe('');
    expect(third['metadata']).not.toHaveProperty('remainingItemCount');
  });

  it('shows on every page the state and the version of the first', async () => {
    const first = await page('limit=3');
    await expectCode(201, 'POST', paged, { body: gadget('dd') });
    await expectCode(200, 'DELETE', at(paged, 'e'));
    const second = await page(`limit=3&${nextOf(first)}`);
    expect(namesIn(second)).toEqual(['d', 'e']);
    expect(versionOf(second)).toBe(versionOf(first));
    await expectCode(200, 'DELETE', at(paged, 'dd'));
    await expectCode(201, 'POST', paged, { body: gadget('e', undefined, { labels: { all: 'yes' } }) });
  });

  it('does not count what remains of a selection', async () => {
    const first = await page(`limit=2&${selecting('labelSelector', 'all=yes')}`);
    expect(namesIn(first)).toEqual(['a', 'b']);
    expect(first['metadata']).toHaveProperty('continue');
    expect(first['metadata']).not.toHaveProperty('remainingItemCount');
  });

  it('pages over all namespaces too', async () => {
    const everywhere = gadgets.replace(`/namespaces/${namespace}`, '');
    const first = await expectCode(200, 'GET', `${everywhere}?limit=1`);
    expect(namesIn(first)).toHaveLength(1);
    const second = await expectCode(200, 'GET', `${everywhere}?limit=500&${nextOf(first)}`);
    expect(namesIn(second).length).toBeGreaterThanOrEqual(4);
  });

  it('refuses a token that is none', async () => {
    expect(await page('limit=2&continue=nonsense', 400)).toMatchObject({
      reason: 'BadRequest',
      message: expect.stringContaining('continue key is not valid'),
    });
  });

  it('answers 410 to a token whose state is forgotten, with a token for the rest as it is now', async (context) => {
    const token = textAt(await page('limit=2'), 'metadata', 'continue');
    const content = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as object; // the token's public form
    const old = Buffer.from(JSON.stringify({ ...content, rv: 1 })).toString('base64url');
    const answer = await ask('GET', `${paged}?limit=2&continue=${old}`);
    if (answer.code === 200) return context.skip('this server has forgotten nothing yet');
    expect(answer.code).toBe(410);
    expect(answer.body).toMatchObject({
      reason: 'Expired',
      message: expect.stringMatching(
        /^The provided continue parameter is too old to display a consistent list result\. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results\. /,
      ),
      metadata: { continue: expect.any(String) },
    });
    expect(namesIn(await page(`limit=2&${nextOf(answer.body)}`))).toEqual(['c', 'd']);
  });
});

describe('the version of a list', () => {
  it('is at least that of every write before it', async () => {
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('written') });
    for (const query of [
      '',
      '?resourceVersion=',
      `?resourceVersion=${versionOf(created)}`,
      `?resourceVersion=${versionOf(created)}&resourceVersionMatch=NotOlderThan`,
    ]) {
      const list = await expectCode(200, 'GET', `${gadgets}${query}`);
      expect(Number(versionOf(list)), query).toBeGreaterThanOrEqual(Number(versionOf(created)));
      expect(namesIn(list)).toContain('written');
    }
  });

  it('may be asked for exactly, and shows the state of then', async () => {
    const own = configMaps.replace(namespace, await createNamespace());
    const only = selecting('labelSelector', 'mine');
    await expectCode(201, 'POST', own, { body: configMap('early', {}, { labels: { mine: '' } }) });
    const before = await expectCode(200, 'GET', own);
    await expectCode(201, 'POST', own, { body: configMap('late', {}, { labels: { mine: '' } }) });
    const exact = await expectCode(
      200,
      'GET',
      `${own}?resourceVersion=${versionOf(before)}&resourceVersionMatch=Exact&${only}`,
    );
    expect(namesIn(exact)).toEqual(['early']);
    expect(versionOf(exact)).toBe(versionOf(before));
  });

  it('is refused with 504 where it lies in the future', async () => {
    const future = 4_000_000_000_000_000;
    expect(await expectCode(504, 'GET', `${gadgets}?resourceVersion=${future}`)).toMatchObject({
      reason: 'Timeout',
      message: expect.stringContaining(`Too large resource version: ${future}, current: `),
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
    });
  });

  it('has to be a number', async () => {
    expect(await expectCode(400, 'GET', `${gadgets}?resourceVersion=abc`)).toMatchObject({ reason: 'BadRequest' });
  });

  it('has to be there where a match is asked for', async () => {
    const refused = await expectCode(422, 'GET', `${gadgets}?resourceVersionMatch=Exact`);
    expect(refused).toMatchObject({
      reason: 'Invalid',
      message:
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    });
  });
});

describe('a label selector', () => {
  let labelled: string;
  const selected = async (selector: string): Promise<string[]> =>
    namesIn(await expectCode(200, 'GET', `${labelled}?${selecting('labelSelector', selector)}`));

  beforeAll(async () => {
    labelled = gadgets.replace(namespace, await createNamespace());
    const all = { a: { app: 'web', tier: 'front' }, b: { app: 'web' }, c: { app: 'db', tier: '' }, d: {} };
    for (const [name, labels] of Object.entries(all))
      await expectCode(201, 'POST', labelled, { body: gadget(name, undefined, { labels }) });
  });

  it('asks for a value, or for any other, or for none', async () => {
    expect(await selected('app=web')).toEqual(['a', 'b']);
    expect(await selected('app==web')).toEqual(['a', 'b']);
    expect(await selected('app!=web')).toEqual(['c', 'd']);
    expect(await selected('tier=')).toEqual(['c']);
  });

  it('asks for one of several values, or for none of them', async () => {
    expect(await selected('app in (web, db)')).toEqual(['a', 'b', 'c']);
    expect(await selected('app notin (web)')).toEqual(['c', 'd']);
  });

  it('asks whether a label is there', async () => {
    expect(await selected('tier')).toEqual(['a', 'c']);
    expect(await selected('!tier')).toEqual(['b', 'd']);
  });

  it('asks for several things at once', async () => {
    expect(await selected('app in (web,db),tier,tier!=front')).toEqual(['c']);
  });

  it('is refused where it makes no sense', async () => {
    for (const bad of ['a=b=c', 'a in b', '=b', 'a in (b', 'a,,b', '-a=b', 'a=-b']) {
      const refused = await expectCode(400, 'GET', `${labelled}?${selecting('labelSelector', bad)}`);
      expect(refused, bad).toMatchObject({ reason: 'BadRequest' });
    }
  });
});

describe('a field selector', () => {
  it('asks for name and namespace of any kind', async () => {
    for (const name of ['one', 'two']) await expectCode(201, 'POST', configMaps, { body: configMap(name) });
    const named = await expectCode(200, 'GET', `${configMaps}?${selecting('fieldSelector', 'metadata.name=one')}`);
    expect(namesIn(named)).toEqual(['one']);
    const others = await expectCode(200, 'GET', `${configMaps}?${selecting('fieldSelector', 'metadata.name!=one')}`);
    expect(namesIn(others)).toContain('two');
    expect(namesIn(others)).not.toContain('one');
    const everywhere = `/api/v1/configmaps?${selecting('fieldSelector', `metadata.namespace=${namespace},metadata.name==two`)}`;
    expect(namesIn(await expectCode(200, 'GET', everywhere))).toEqual(['two']);
  });

  it('asks for the type of a Secret', async () => {
    const secret = (name: string, type?: string) => ({
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type },
    });
    await expectCode(201, 'POST', secrets, secret('plain'));
    await expectCode(201, 'POST', secrets, secret('typed', 'contract.example/typed'));
    const typed = await expectCode(
      200,
      'GET',
      `${secrets}?${selecting('fieldSelector', 'type=contract.example/typed')}`,
    );
    expect(namesIn(typed)).toEqual(['typed']);
    const opaque = await expectCode(200, 'GET', `${secrets}?${selecting('fieldSelector', 'type=Opaque')}`);
    expect(namesIn(opaque)).toContain('plain');
  });

  it('asks for the object and the nature of an Event', async () => {
    const event = (name: string, uid: string, reason: string) => ({
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name },
        involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', namespace, uid },
        reason,
        type: 'Warning',
        message: 'it happened',
      },
    });
    await expectCode(201, 'POST', events, event('one.1', 'u-1', 'Painted'));
    await expectCode(201, 'POST', events, event('one.2', 'u-2', 'Broken'));
    const about = async (text: string): Promise<string[]> =>
      namesIn(await expectCode(200, 'GET', `${events}?${selecting('fieldSelector', text)}`));
    expect(
      await about(
        `involvedObject.uid=u-1,involvedObject.name=one,involvedObject.namespace=${namespace},involvedObject.kind=ConfigMap`,
      ),
    ).toEqual(['one.1']);
    expect(await about('reason=Broken,type=Warning')).toEqual(['one.2']);
    expect(await about('involvedObject.uid!=u-1')).toEqual(['one.2']);
  });

  it('asks for the fields that a definition makes selectable', async () => {
    await expectCode(201, 'POST', gadgets, { body: gadget('red-one', { size: 1, colour: 'red' }) });
    await expectCode(201, 'POST', gadgets, { body: gadget('grey-one') });
    const red = await expectCode(200, 'GET', `${gadgets}?${selecting('fieldSelector', 'spec.colour=red')}`);
    expect(namesIn(red)).toEqual(['red-one']);
  });

  it('is refused for any other field, which is named', async () => {
    expect(await expectCode(400, 'GET', `${gadgets}?${selecting('fieldSelector', 'spec.size=1')}`)).toMatchObject({
      reason: 'BadRequest',
      message: expect.stringContaining('field label not supported: spec.size'),
    });
    expect(await expectCode(400, 'GET', `${configMaps}?${selecting('fieldSelector', 'data.a=1')}`)).toMatchObject({
      message: expect.stringContaining(
        '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
      ),
    });
  });

  it('is refused where it makes no sense', async () => {
    expect(await expectCode(400, 'GET', `${configMaps}?${selecting('fieldSelector', 'metadata.name')}`)).toMatchObject({
      message: expect.stringContaining("invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
    });
  });
});
