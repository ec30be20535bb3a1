// That what is published is a schema a server takes, and documentation a person can use.
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { KubeObject, ResourceType } from '../kube/object.ts';
import { argoKinds } from './argocd/kinds.ts';
import { applications, type Application } from './argocd/application.ts';
import { customResourceDefinition, toStructuralSchema } from './crd.ts';
import { objectSchema, type CustomKind } from './custom-kind.ts';
import { int64, list, object, text, textMap, time } from './fields.ts';
import { structuralProblems } from './structural.ts';
import { gitOpsDeployments, type GitOpsDeployment } from './v1alpha1/gitops-deployment.ts';
import { ownKinds } from './v1alpha1/kinds.ts';
import { operations } from './v1alpha1/operation.ts';

const kindWith = (field: z.ZodType): CustomKind => ({
  resource: operations,
  schema: objectSchema('A kind.', { field }),
  columns: [],
  statusSubresource: true,
  keepsUnknownFields: false,
});

test.each([...ownKinds, ...argoKinds].map((kind) => [kind.resource.kind, kind] as const))(
  'the schema of %s is structural and every field has a description',
  (_name, kind) => {
    expect(structuralProblems(toStructuralSchema(kind.schema, kind.keepsUnknownFields))).toEqual([]);
  },
);

test.each<[string, z.ZodType, RegExp]>([
  ['a union', z.union([z.string(), z.number()]).describe('x'), /\.field: anyOf is not structural/],
  ['a union of objects', z.discriminatedUnion('a', [z.object({ a: z.literal('b') })]).describe('x'), /not structural/],
  ['a field without a description', z.string(), /\.field: has no description/],
  ['a nested field without a description', object('x', { inner: z.number() }), /\.field\.inner: has no description/],
  ['an item without a description', list('x', z.string()), /\.field\[\]: has no description/],
  ['a field without a type', z.any().describe('x'), /\.field: has no single type/],
])('%s is refused, by its path', (_name, field, message) => {
  expect(() => customResourceDefinition(kindWith(field))).toThrow(message);
});

test('a schema that says anything about metadata but its type is refused', () => {
  const schema = { description: 'x', type: 'object', properties: { metadata: { type: 'object', description: 'y' } } };
  expect(structuralProblems(schema)).toEqual(['.metadata: may hold nothing but its type']);
});

test('numbers, times, maps and loose objects become what the API server calls them', () => {
  const schema = object('all', {
    count: int64('n').min(0),
    at: time('t'),
    labels: textMap('l'),
    loose: z.looseObject({}).describe('o'),
  });
  expect(toStructuralSchema(schema).properties).toEqual({
    count: { description: 'n', type: 'integer', format: 'int64', minimum: 0 },
    at: { description: 't', type: 'string', format: 'date-time' },
    labels: { description: 'l', type: 'object', additionalProperties: { type: 'string' } },
    loose: { description: 'o', type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  });
});

test('a kind that is not ours keeps unknown fields at every depth', () => {
  const schema = object('outer', { inner: object('inner', { field: text('f') }) });
  const structural = toStructuralSchema(schema, true);
  expect(structural['x-kubernetes-preserve-unknown-fields']).toBe(true);
  expect(structural.properties?.['inner']?.['x-kubernetes-preserve-unknown-fields']).toBe(true);
});

test('the five kinds are namespaced, have a status subresource and neither short names nor categories', () => {
  const definitions = ownKinds.map(customResourceDefinition);
  expect(definitions.map(({ metadata }) => metadata.name)).toEqual([
    'gitopsdeployments.managed-gitops.redhat.com',
    'gitopsdeploymentsyncruns.managed-gitops.redhat.com',
    'gitopsdeploymentmanagedenvironments.managed-gitops.redhat.com',
    'gitopsdeploymentrepositorycredentials.managed-gitops.redhat.com',
    'operations.managed-gitops.redhat.com',
  ]);
  for (const { spec } of definitions) {
    expect(spec.scope).toBe('Namespaced');
    expect(Object.keys(spec.names)).toEqual(['kind', 'listKind', 'plural', 'singular']);
    expect(spec.versions).toEqual([
      expect.objectContaining({ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } }),
    ]);
  }
});

test('a descriptor and its objects are what the client takes', () => {
  const descriptors: [ResourceType<GitOpsDeployment>, ResourceType<Application>] = [gitOpsDeployments, applications];
  const deployment: KubeObject = { apiVersion: 'v', kind: 'k', metadata: { name: 'n' } } satisfies GitOpsDeployment;
  expect(descriptors.map(({ plural }) => plural)).toEqual(['gitopsdeployments', 'applications']);
  expect(deployment.metadata.name).toBe('n');
});
