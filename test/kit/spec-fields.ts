// The fields of our kinds that a user can write text into, as the schemas have them.
import { customResourceDefinition } from '../../src/api/crd.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';

/** What of a schema is looked at. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

interface Definition {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
}

const textsBelow = (schema: Schema | undefined, path: string): readonly string[] => {
  if (schema?.type === 'string') return [path];
  if (schema?.type === 'array') return textsBelow(schema.items, `${path}[]`);
  return Object.entries(schema?.properties ?? {}).flatMap(([name, one]) => textsBelow(one, `${path}.${name}`));
};

/** Each field of a spec that holds text, as `<Kind> spec.<path>`; `[]` stands for the entries of a list. */
export const specTexts = (): readonly string[] =>
  ownKinds.flatMap((kind) => {
    const { spec } = customResourceDefinition(kind) as unknown as Definition; // as it is applied to a cluster
    const schema = spec.versions[0]?.schema.openAPIV3Schema.properties?.['spec'];
    return textsBelow(schema, 'spec').map((path) => `${kind.resource.kind} ${path}`);
  });
