import { describe, expect } from 'vitest';
import { at, gadget, group, it, patchTypes, textAt, uniqueName, useSuite } from './suite.ts';
import { useHooks } from './webhooks.ts';

const suite = useSuite();
const { ask, expectCode, gadgets, notes, namespace } = suite;
const { hooked } = useHooks(suite);

const allow = () => ({ allowed: true });
const patchOf = (...operations: object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
const merge = (body: unknown) => ({ body, contentType: patchTypes.merge });

describe('a validating webhook', () => {
  it('is asked about a new object, and told what it is', async () => {
    const hook = await hooked('asked-new', allow);
    await expectCode(201, 'POST', gadgets, { body: gadget('asked-new', { size: 3 }, hook.metadata) });
    expect(hook.asked()).toHaveLength(1);
    expect(hook.asked()[0]).toMatchObject({
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      kind: { group, version: 'v1', kind: 'Gadget' },
      resource: { group, version: 'v1', resource: 'gadgets' },
      requestKind: { group, version: 'v1', kind: 'Gadget' },
      requestResource: { group, version: 'v1', resource: 'gadgets' },
      name: 'asked-new',
      namespace,
      operation: 'CREATE',
      userInfo: { username: expect.any(String), groups: expect.arrayContaining(['system:masters']) },
      object: {
        apiVersion: `${group}/v1`,
        kind: 'Gadget',
        metadata: { name: 'asked-new', namespace, uid: expect.any(String), generation: 1 },
        spec: { size: 3, colour: 'grey' },
      },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    });
  });

  it('is asked about a change, and told what stood there', async () => {
    const hook = await hooked('asked-change', allow);
    await expectCode(201, 'POST', gadgets, { body: gadget('asked-change', { size: 3 }, hook.metadata) });
    await expectCode(200, 'PATCH', at(gadgets, 'asked-change'), merge({ spec: { size: 4 } }));
    expect(hook.asked()[1]).toMatchObject({
      name: 'asked-change',
      operation: 'UPDATE',
      object: { spec: { size: 4 }, metadata: { generation: 2 } },
      oldObject: { spec: { size: 3 }, metadata: { generation: 1 } },
      options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1' },
    });
  });

  it('is asked about an object that stays, or ceases, to be selected', async () => {
    const hook = await hooked('unselected', allow);
    await expectCode(201, 'POST', gadgets, { body: gadget('unselected', { size: 3 }, hook.metadata) });
    await expectCode(200, 'PATCH', at(gadgets, 'unselected'), merge({ metadata: { labels: null } }));
    expect(hook.asked()).toHaveLength(2);
    await expectCode(200, 'PATCH', at(gadgets, 'unselected'), merge({ spec: { size: 5 } }));
    expect(hook.asked()).toHaveLength(2);
  });

  it('denies with its own code, reason and text', async () => {
    const status = { code: 403, reason: 'Forbidden', message: 'size does not fit' };
    const hook = await hooked('denies', () => ({ allowed: false, status }));
    expect(await expectCode(403, 'POST', gadgets, { body: gadget('denied', undefined, hook.metadata) })).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `admission webhook "${hook.name}" denied the request: size does not fit`,
      reason: 'Forbidden',
      code: 403,
    });
    await expectCode(404, 'GET', at(gadgets, 'denied'));
  });

  for (const [what, said, code, text] of [
    ['nothing', {}, 400, 'denied the request without explanation'],
    ['a reason', { status: { reason: 'Gone' } }, 400, 'denied the request: Gone'],
    ['a code of success', { status: { code: 200, message: 'no' } }, 400, 'denied the request: no'],
    ['a code', { status: { code: 418, message: 'no' } }, 418, 'denied the request: no'],
  ] as const)
    it(`may deny with ${what}`, async () => {
      const hook = await hooked(`denies-with-${what.replaceAll(' ', '-')}`, () => ({ allowed: false, ...said }));
      const body = gadget('denied', undefined, hook.metadata);
      expect(await expectCode(code, 'POST', gadgets, { body })).toMatchObject({
        message: `admission webhook "${hook.name}" ${text}`,
        code,
      });
    });

  it('denies a change, which then has not happened', async () => {
    const hook = await hooked('denies-change', ({ operation }) => ({
      allowed: operation === 'CREATE',
      status: { code: 403, reason: 'Forbidden', message: 'it stays' },
    }));
    const path = at(gadgets, 'stays');
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('stays', { size: 1 }, hook.metadata) });
    await expectCode(403, 'PATCH', path, merge({ spec: { size: 2 } }));
    await expectCode(403, 'PUT', path, { body: { ...created, spec: { size: 2 } } });
    expect(await expectCode(200, 'GET', path)).toEqual(created);
    await expectCode(200, 'DELETE', path);
  });

  it('is not asked about what the schema refuses', async () => {
    const hook = await hooked('invalid', allow);
    await expectCode(422, 'POST', gadgets, { body: gadget('invalid', { size: 1000 }, hook.metadata) });
    expect(hook.asked()).toEqual([]);
  });

  it('is asked about a name that is taken before that is told', async () => {
    const hook = await hooked('taken', allow);
    const body = gadget('taken', undefined, hook.metadata);
    await expectCode(201, 'POST', gadgets, { body });
    await expectCode(409, 'POST', gadgets, { body });
    expect(hook.asked()).toHaveLength(2);
  });

  it('is asked about a try as about the real thing, and told so', async () => {
    const hook = await hooked('tried', ({ dryRun }) => ({ allowed: dryRun === true }));
    const body = gadget('tried', undefined, hook.metadata);
    await expectCode(201, 'POST', `${gadgets}?dryRun=All`, { body });
    await expectCode(400, 'POST', gadgets, { body });
    expect(hook.asked()[0]).toMatchObject({ dryRun: true, options: { dryRun: ['All'] } });
  });

  it('may warn', async () => {
    const hook = await hooked('warns', () => ({ allowed: true, warnings: ['mind the gap'] }));
    const answer = await ask('POST', gadgets, { body: gadget('warned', undefined, hook.metadata) });
    expect([answer.code, answer.headers['warning']]).toEqual([201, '299 - "mind the gap"']);
  });

  it('that could not be asked about itself is not asked about webhooks', async () => {
    const hook = await hooked('itself', () => ({ allowed: false }), {
      rule: { apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] },
    });
    const body = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: uniqueName(), ...hook.metadata },
    };
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
    await expectCode(201, 'POST', path, { body });
    await expectCode(200, 'DELETE', at(path, body.metadata.name));
  });
});

describe('the rules of a webhook', () => {
  const status = { status: { phase: 'Shiny' } };

  it('name the operations', async () => {
    const hook = await hooked('only-create', allow, { rule: { operations: ['CREATE'] } });
    await expectCode(201, 'POST', gadgets, { body: gadget('only-create', undefined, hook.metadata) });
    await expectCode(200, 'PATCH', at(gadgets, 'only-create'), merge({ spec: { size: 2 } }));
    expect(hook.asked()).toHaveLength(1);
  });

  for (const [what, resources, parts] of [
    ['of the object alone', ['gadgets'], ['']],
    ['of its status', ['gadgets/status'], ['status']],
    ['of any resource', ['*'], ['']],
    ['of the object and all its parts', ['gadgets/*'], ['', 'status']],
    ['of everything', ['*/*'], ['', 'status']],
  ] as const)
    it(`name the resources: writes ${what}`, async () => {
      const hook = await hooked(`resources-${what.replaceAll(' ', '-')}`, allow, {
        rule: { resources, operations: ['UPDATE'] },
      });
      const name = uniqueName();
      await expectCode(201, 'POST', gadgets, { body: gadget(name, undefined, hook.metadata) });
      await expectCode(200, 'PATCH', at(gadgets, name), merge({ spec: { size: 2 } }));
      await expectCode(200, 'PATCH', `${at(gadgets, name)}/status`, merge(status));
      expect(hook.asked().map(({ subResource = '' }) => subResource)).toEqual(parts);
    });

  for (const [what, rule] of [
    ['group', { apiGroups: ['apps'] }],
    ['version', { apiVersions: ['v2'] }],
    ['resource', { resources: ['widgets'] }],
    ['scope', { scope: 'Cluster' }],
  ] as const)
    it(`have to fit the ${what}`, async () => {
      const hook = await hooked(`other-${what}`, allow, { rule });
      await expectCode(201, 'POST', gadgets, { body: gadget(`other-${what}`, undefined, hook.metadata) });
      expect(hook.asked()).toEqual([]);
    });

  it('may ask for objects of the whole cluster, which no selector of namespaces leaves out', async () => {
    const hook = await hooked('cluster', allow, { rule: { resources: ['*'], scope: 'Cluster' } });
    const name = uniqueName();
    const body = { apiVersion: `${group}/v1`, kind: 'Note', metadata: { name, ...hook.metadata } };
    await expectCode(201, 'POST', notes, { body });
    expect(hook.asked()).toMatchObject([{ name, resource: { resource: 'notes' } }]);
    expect(hook.asked()[0]).not.toHaveProperty('namespace');
    await expectCode(200, 'DELETE', at(notes, name));
  });

  it('come after the selector of namespaces', async () => {
    const selector = {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [namespace] }],
    };
    const hook = await hooked('elsewhere', allow, { hook: { namespaceSelector: selector } });
    await expectCode(201, 'POST', gadgets, { body: gadget('elsewhere', undefined, hook.metadata) });
    expect(hook.asked()).toEqual([]);
  });

  it('come after the selector of objects', async () => {
    const key = 'contract.example/level';
    const terms = [
      { key, operator: 'Exists' },
      { key, operator: 'In', values: ['high', 'higher'] },
      { key: 'contract.example/quiet', operator: 'DoesNotExist' },
    ];
    const hook = await hooked('terms', allow, { hook: { objectSelector: { matchExpressions: terms } } });
    const labels = [{}, { [key]: 'low' }, { [key]: 'high', 'contract.example/quiet': '' }, { [key]: 'higher' }];
    for (const [index, each] of labels.entries()) {
      await expectCode(201, 'POST', gadgets, { body: gadget(`terms-${index}`, undefined, { labels: each }) });
    }
    expect(hook.asked().map(({ name }) => name)).toEqual(['terms-3']);
  });
});

describe('a mutating webhook', () => {
  const mutating = { phase: 'mutating' } as const;

  it('changes what is kept by a JSON patch', async () => {
    const hook = await hooked(
      'changes',
      () => patchOf({ op: 'replace', path: '/spec/size', value: 7 }, { op: 'add', path: '/spec/shiny', value: true }),
      mutating,
    );
    const created = await expectCode(201, 'POST', gadgets, { body: gadget('changed', { size: 1 }, hook.metadata) });
    expect(created).toMatchObject({ spec: { size: 7, shiny: true, colour: 'grey' } });
    expect(hook.asked()[0]).toMatchObject({ object: { spec: { size: 1 }, metadata: { namespace } } });
    expect(await expectCode(200, 'GET', at(gadgets, 'changed'))).toEqual(created);
    await expectCode(200, 'PATCH', at(gadgets, 'changed'), merge({ spec: { size: 9 } }));
    expect(await expectCode(200, 'GET', at(gadgets, 'changed'))).toMatchObject({ spec: { size: 7 } });
  });

  it('comes before the judges, in the order of the configurations, each seeing what came before', async () => {
    const add = (text: string) => () => patchOf({ op: 'add', path: '/spec/tags/-', value: text });
    const second = await hooked('order', add('second'), { ...mutating, order: 'b-' });
    const first = await hooked('order-first', add('first'), { ...mutating, order: 'a-', of: 'order' });
    const judge = await hooked('order', allow);
    const body = gadget('order', { size: 1, tags: ['none'] }, second.metadata);
    const created = await expectCode(201, 'POST', gadgets, { body });
    expect(created).toMatchObject({ spec: { tags: ['none', 'first', 'second'] } });
    expect(first.asked()[0]).toMatchObject({ object: { spec: { tags: ['none'] } } });
    expect(second.asked()[0]).toMatchObject({ object: { spec: { tags: ['none', 'first'] } } });
    expect(judge.asked()[0]).toMatchObject({ object: { spec: { tags: ['none', 'first', 'second'] } } });
  });

  it('may break the schema, which is told as if the user had', async () => {
    const hook = await hooked('breaks', () => patchOf({ op: 'replace', path: '/spec/size', value: 1000 }), mutating);
    const body = gadget('broken', { size: 1 }, hook.metadata);
    expect(await expectCode(422, 'POST', gadgets, { body })).toMatchObject({
      message: expect.stringContaining('spec.size'),
    });
  });

  it('may deny', async () => {
    const hook = await hooked(
      'mutating-denies',
      () => ({ allowed: false, status: { code: 403, message: 'no' } }),
      mutating,
    );
    const body = gadget('denied', undefined, hook.metadata);
    expect(await expectCode(403, 'POST', gadgets, { body })).toMatchObject({
      message: `admission webhook "${hook.name}" denied the request: no`,
    });
  });

  it('is asked before a name is given', async () => {
    const hook = await hooked('generated', allow, mutating);
    const metadata = { ...hook.metadata, generateName: 'generated-' };
    const created = await expectCode(201, 'POST', gadgets, { body: { ...gadget(''), metadata } });
    expect(textAt(created, 'metadata', 'name')).toMatch(/^generated-.{5}$/);
    expect(hook.asked()[0]).not.toHaveProperty('name');
  });
});
