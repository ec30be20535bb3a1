// Makes the CustomResourceDefinition of a kind out of its schema.
import { z } from 'zod';
import type { CustomKind } from './custom-kind.ts';
import { structuralProblems, type StructuralSchema } from './structural.ts';

/** `apiextensions.k8s.io/v1` CustomResourceDefinition, as it is made here. */
export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: {
    group: string;
    names: { kind: string; listKind: string; plural: string; singular: string };
    scope: 'Namespaced' | 'Cluster';
    versions: unknown[];
  };
}

/**
 * The CustomResourceDefinition of a kind: one version, served and stored.
 * @throws Error naming each field whose schema a server would refuse or that has no description.
 */
export const customResourceDefinition = (kind: CustomKind): CustomResourceDefinition => {
  const { resource, columns, statusSubresource } = kind;
  const name = `${resource.plural}.${resource.group}`;
  const schema = toStructuralSchema(kind.schema, kind.keepsUnknownFields);
  const problems = structuralProblems(schema);
  if (problems.length > 0) throw new Error(`the schema of ${name} can't be published:\n${problems.join('\n')}`);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: {
      group: resource.group,
      names: {
        kind: resource.kind,
        listKind: `${resource.kind}List`,
        plural: resource.plural,
        singular: resource.kind.toLowerCase(),
      },
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      versions: [
        {
          name: resource.version,
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: schema },
          ...(statusSubresource ? { subresources: { status: {} } } : {}),
        },
      ],
    },
  };
};

/**
 * A zod schema as a structural schema. `keepsUnknownFields` lets every object keep fields that are not named.
 * What has no structural form (unions, records with patterns …) comes out as it is; `structuralProblems` names it.
 */
export const toStructuralSchema = (schema: z.ZodType, keepsUnknownFields = false): StructuralSchema => {
  const { $schema: _, ...root } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
  const structural = structuralOf(root as StructuralSchema, keepsUnknownFields); // the OpenAPI dialect was asked for
  if (structural.properties?.['metadata']) structural.properties['metadata'] = { type: 'object' };
  return structural;
};

const structuralOf = (schema: StructuralSchema, keep: boolean): StructuralSchema => {
  const { type, description, properties, items, additionalProperties, required, ...rest } = withoutSafeBounds(schema);
  const below = (child: StructuralSchema): StructuralSchema => structuralOf(child, keep);
  const loose = additionalProperties !== undefined && Object.keys(additionalProperties).length === 0;
  return {
    ...(description === undefined ? {} : { description }),
    ...(type === undefined ? {} : { type }),
    ...rest,
    ...(items === undefined ? {} : { items: below(items) }),
    ...(additionalProperties === undefined || loose ? {} : { additionalProperties: below(additionalProperties) }),
    ...(loose || (keep && properties) ? { 'x-kubernetes-preserve-unknown-fields': true as const } : {}),
    ...(properties === undefined || Object.keys(properties).length === 0
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, below(child)])) }),
    ...(required === undefined ? {} : { required }),
  };
};

/** zod bounds every integer by what a JavaScript number can count to; the kinds' own numbers have 64 bits. */
const withoutSafeBounds = (schema: StructuralSchema): StructuralSchema => {
  if (schema.type !== 'integer') return schema;
  const { minimum, maximum, ...rest } = schema;
  return {
    ...rest,
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
  };
};
