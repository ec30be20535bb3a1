import { describe, expect } from 'vitest';
import type { Json } from './connection.ts';
import { at, gadget, it, uniqueName, useSuite } from './suite.ts';
import { useHooks } from './webhooks.ts';

const suite = useSuite();
const { ask, expectCode, gadgets } = suite;
const { configurations, hooked, hookOf } = useHooks(suite);

const allow = () => ({ allowed: true });
const validating = configurations('validating');
const configurationOf = (name: string, ...webhooks: Json[]): Json => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name },
  webhooks,
});
/** A selector of objects that no test has. */
const nobody = { matchLabels: { 'contract.example/case': 'nobody' } };

describe('a configuration of webhooks', () => {
  it('has filled in what it leaves out', async () => {
    const service = { name: 'hooks', namespace: 'default' };
    for (const [phase, more] of [
      ['validating', {}],
      ['mutating', { reinvocationPolicy: 'Never' }],
    ] as const) {
      const kind = phase === 'mutating' ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration';
      const { namespaceSelector: _all, ...hook } = hookOf('a.b.example', { clientConfig: { service } });
      const rule = { apiGroups: ['x.example'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['x'] };
      const name = uniqueName();
      const body = { ...configurationOf(name, { ...hook, rules: [rule] }), kind };
      const created = await expectCode(201, 'POST', configurations(phase), { body });
      expect(created['webhooks']).toEqual([
        {
          ...hook,
          ...more,
          clientConfig: { service: { ...service, port: 443 } },
          rules: [{ ...rule, scope: '*' }],
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          namespaceSelector: {},
          objectSelector: {},
          timeoutSeconds: 10,
        },
      ]);
      await expectCode(200, 'DELETE', at(configurations(phase), name));
    }
  });

  for (const [what, fields, says] of [
    [
      'a short name',
      { name: 'a.example' },
      'webhooks[0].name: Invalid value: "a.example": should be a domain with at least three segments separated by dots',
    ],
    ['no name', { name: '' }, 'webhooks[0].name: Required value'],
    [
      'no word on side effects',
      { sideEffects: undefined },
      'webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun',
    ],
    [
      'side effects',
      { sideEffects: 'Some' },
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ],
    [
      'no version of reviews',
      { admissionReviewVersions: [] },
      'webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1',
    ],
    [
      'an unknown version of reviews',
      { admissionReviewVersions: ['v7'] },
      'webhooks[0].admissionReviewVersions: Invalid value: ["v7"]: must include at least one of v1, v1beta1',
    ],
    [
      'too long a time',
      { timeoutSeconds: 31 },
      'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
    ],
    [
      'an unknown policy',
      { failurePolicy: 'Retry' },
      'webhooks[0].failurePolicy: Unsupported value: "Retry": supported values: "Fail", "Ignore"',
    ],
    [
      'no address',
      { clientConfig: {} },
      'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
    ],
    [
      'an address without TLS',
      { clientConfig: { url: 'http://x.example' } },
      `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
    ],
    [
      'an address with a query',
      { clientConfig: { url: 'https://x.example/?a=b' } },
      'webhooks[0].clientConfig.url: Invalid value: "a=b": query parameters are not permitted in the URL',
    ],
    [
      'a service without a name and a namespace',
      { clientConfig: { service: {} } },
      '[webhooks[0].clientConfig.service.name: Required value, webhooks[0].clientConfig.service.namespace: Required value]',
    ],
    [
      'a rule without resources',
      { rules: [{ apiGroups: ['a'], apiVersions: ['v1'], operations: ['CREATE'] }] },
      'webhooks[0].rules[0].resources: Required value',
    ],
    [
      'an unknown operation',
      { rules: [{ apiGroups: ['a'], apiVersions: ['v1'], operations: ['PATCH'], resources: ['a'] }] },
      'webhooks[0].rules[0].operations[0]: Unsupported value: "PATCH": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
    ],
    [
      'a wrong selector',
      { objectSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
      "webhooks[0].objectSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
  ] as const)
    it(`is refused with ${what}`, async () => {
      const body = configurationOf(uniqueName(), hookOf('a.b.example', { objectSelector: nobody, ...fields }));
      const { message } = await expectCode(422, 'POST', validating, { body });
      expect(String(message).split(' is invalid: ')[1]).toBe(says);
    });

  it('is refused with two webhooks of one name', async () => {
    const hook = hookOf('a.b.example', { objectSelector: nobody });
    const { message } = await expectCode(422, 'POST', validating, { body: configurationOf(uniqueName(), hook, hook) });
    expect(message).toContain('webhooks[1].name: Duplicate value: "a.b.example"');
  });

  it('that is taken away takes its webhooks with it', async () => {
    const hook = await hooked('taken-away', () => ({ allowed: false }));
    const body = gadget('taken-away', undefined, hook.metadata);
    await expectCode(400, 'POST', gadgets, { body });
    const { items } = await expectCode(200, 'GET', validating);
    const mine = JSON.stringify(items).match(new RegExp(`"name":"([^"]+)"[^]*?${hook.name}`))?.[1];
    expect(mine).toBeDefined();
    for (const item of Array.isArray(items) ? items : []) {
      if (JSON.stringify(item).includes(hook.name)) await ask('DELETE', at(validating, String(item.metadata.name)));
    }
    await expect.poll(async () => (await ask('POST', gadgets, { body })).code, { timeout: 10_000 }).toBe(201);
  });
});

describe('more than the service needs of webhooks:', () => {
  it('conditions in CEL decide whether a webhook is asked', async () => {
    const conditions = [{ name: 'large', expression: 'object.spec.size > 5' }];
    const hook = await hooked('conditions', allow, { hook: { matchConditions: conditions } });
    await expectCode(201, 'POST', gadgets, { body: gadget('small', { size: 1 }, hook.metadata) });
    await expectCode(201, 'POST', gadgets, { body: gadget('large', { size: 9 }, hook.metadata) });
    expect(hook.asked().map(({ name }) => name)).toEqual(['large']);
  });

  it('a webhook is asked about a deletion', async () => {
    const hook = await hooked('deletion', allow, { rule: { operations: ['DELETE'] } });
    await expectCode(201, 'POST', gadgets, { body: gadget('deletion', undefined, hook.metadata) });
    await expectCode(200, 'DELETE', at(gadgets, 'deletion'));
    expect(hook.asked()).toMatchObject([{ operation: 'DELETE', name: 'deletion', object: null }]);
  });

  it('a webhook that others came after is asked again', async () => {
    const patch = Buffer.from('[{"op":"replace","path":"/spec/size","value":7}]').toString('base64');
    const first = await hooked('again', allow, {
      phase: 'mutating',
      order: 'a-',
      hook: { reinvocationPolicy: 'IfNeeded' },
    });
    await hooked('again-changes', () => ({ allowed: true, patchType: 'JSONPatch', patch }), {
      phase: 'mutating',
      order: 'b-',
      of: 'again',
    });
    await expectCode(201, 'POST', gadgets, { body: gadget('again', { size: 1 }, first.metadata) });
    expect(first.asked()).toMatchObject([{ object: { spec: { size: 1 } } }, { object: { spec: { size: 7 } } }]);
  });
});
