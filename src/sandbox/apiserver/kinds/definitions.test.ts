import { describe, expect, it } from 'vitest';
import { createTestApi, widget, widgetsPath } from '../api-fixture.ts';
import { asText, valueAt } from '../json.ts';
import { applyMergePatch } from '../patch/patch-merge.ts';
import { widgetDefinition } from '../widget-fixture.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const message = (answer: { body: unknown }): string => asText(valueAt(answer.body, 'message'));
const altered = (spec: object, name = 'widgets.example.test'): unknown =>
  applyMergePatch(widgetDefinition, { metadata: { name }, spec });

describe('a CustomResourceDefinition', () => {
  it('is established at once and makes its kind served', () => {
    const { ask } = createTestApi({ crds: [] });
    expect(ask('GET', widgetsPath).code).toBe(404);
    expect(ask('POST', definitions, { body: widgetDefinition }).body).toMatchObject({
      spec: { names: { singular: 'widget', listKind: 'WidgetList' }, conversion: { strategy: 'None' } },
      status: {
        acceptedNames: { kind: 'Widget' },
        storedVersions: ['v1'],
        conditions: [
          { type: 'NamesAccepted', status: 'True' },
          { type: 'Established', status: 'True' },
        ],
      },
    });
    expect(ask('GET', widgetsPath).body).toMatchObject({ kind: 'WidgetList', items: [] });
  });

  it('changes what is served when it changes', () => {
    const { ask, merge } = createTestApi();
    const [version] = widgetDefinition.spec.versions;
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    merge(`${definitions}/widgets.example.test`, { spec: { versions: [{ ...version, schema }] } });
    expect(ask('POST', widgetsPath, { body: widget('one', { free: true }) }).body).toMatchObject({
      spec: { free: true },
    });
  });

  it('serves the same object in each of its versions', () => {
    const [version] = widgetDefinition.spec.versions;
    const { ask } = createTestApi({
      crds: [altered({ versions: [version, { ...version, name: 'v2', storage: false }] })],
    });
    ask('POST', widgetsPath, { body: widget('one') });
    expect(ask('GET', `${widgetsPath.replace('/v1/', '/v2/')}/one`).body).toMatchObject({
      apiVersion: 'example.test/v2',
      spec: { size: 1 },
    });
  });

  it('is not established when its kind is taken', () => {
    const { ask } = createTestApi();
    const body = altered({ names: { plural: 'others', kind: 'Widget' } }, 'others.example.test');
    expect(valueAt(ask('POST', definitions, { body }).body, 'status', 'conditions')).toMatchObject([
      { type: 'NamesAccepted', status: 'False', message: '"WidgetList" is already in use' },
      { type: 'Established', status: 'False' },
    ]);
    expect(ask('GET', widgetsPath.replace('widgets', 'others')).code).toBe(404);
  });

  const cases: readonly [string, object, string | undefined, string][] = [
    ['a name that is not plural and group', {}, 'other.example.test', 'must be spec.names.plural+"."+spec.group'],
    ['no scope', { scope: null }, undefined, 'spec.scope: Required value'],
    [
      'no storage version',
      { versions: [{ ...widgetDefinition.spec.versions[0], storage: false }] },
      undefined,
      'must have exactly one version marked as storage version',
    ],
    [
      'no schema',
      { versions: [{ name: 'v1', served: true, storage: true }] },
      undefined,
      'spec.versions[0].schema.openAPIV3Schema: Required value',
    ],
    [
      'a field without a type',
      {
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { a: {} } } },
          },
        ],
      },
      undefined,
      'openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields',
    ],
  ];
  it.each(cases.map(([what, ...rest]) => ({ what, rest })))(
    'is refused for $what',
    ({ rest: [spec, name, expected] }) => {
      const { ask } = createTestApi({ crds: [] });
      const refused = ask('POST', definitions, { body: altered(spec, name) });
      expect(refused.code).toBe(422);
      expect(message(refused)).toContain(expected);
    },
  );

  it('holds its objects to the schema', () => {
    const { ask } = createTestApi();
    expect(message(ask('POST', widgetsPath, { body: widget('one', { size: '1', colour: 'blue' }) }))).toBe(
      'Widget.example.test "one" is invalid: [spec.size: Invalid value: "string": spec.size in body must be of type integer: "string", spec.colour: Unsupported value: "blue": supported values: "grey", "red"]',
    );
    expect(message(ask('POST', widgetsPath, { body: { ...widget('one'), spec: undefined } }))).toBe(
      'Widget.example.test "one" is invalid: spec: Required value',
    );
  });
});
