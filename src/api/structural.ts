// What a Kubernetes API server demands of a CRD's schema (structural schemas), and what we demand besides: a description
// for every field, because `kubectl explain` is documentation.

/** A schema as it stands in a CRD (`JSONSchemaProps`), as far as ours use it. */
export interface StructuralSchema {
  type?: string;
  description?: string;
  format?: string;
  enum?: unknown[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  items?: StructuralSchema;
  properties?: Record<string, StructuralSchema>;
  additionalProperties?: StructuralSchema;
  required?: string[];
  'x-kubernetes-preserve-unknown-fields'?: true;
}

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'type',
  'description',
  'format',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'items',
  'properties',
  'additionalProperties',
  'required',
  'x-kubernetes-preserve-unknown-fields',
]);

const TYPES: ReadonlySet<unknown> = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

/** Everything about a schema that a server would refuse, or that a reader would miss; empty when all is well. */
export const structuralProblems = (schema: StructuralSchema): string[] => [
  ...metadataProblems(schema.properties?.['metadata']),
  ...problemsAt(schema, ''),
];

/** The server fills in metadata itself and refuses a schema that says more than its type. */
const metadataProblems = (metadata: StructuralSchema | undefined): string[] =>
  metadata === undefined || (metadata.type === 'object' && Object.keys(metadata).length === 1)
    ? []
    : ['.metadata: may hold nothing but its type'];

const problemsAt = (schema: StructuralSchema, path: string): string[] => {
  const at = path === '' ? '.' : path;
  const problems = Object.keys(schema)
    .filter((key) => !KNOWN_KEYS.has(key))
    .map((key) => `${at}: ${key} is not structural`);
  if (!TYPES.has(schema.type)) problems.push(`${at}: has no single type`);
  if (!schema.description && path !== '.metadata') problems.push(`${at}: has no description`);
  if (schema.type === 'array' && !schema.items) problems.push(`${at}: does not say what its items are`);
  if (schema.properties && schema.additionalProperties !== undefined)
    problems.push(`${at}: has both properties and additionalProperties`);
  for (const name of schema.required ?? [])
    if (!schema.properties?.[name]) problems.push(`${at}: requires ${name}, which it does not define`);
  return [...problems, ...childProblems(schema, path)];
};

const childProblems = (schema: StructuralSchema, path: string): string[] => [
  ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => problemsAt(child, `${path}.${name}`)),
  ...(schema.items ? problemsAt(schema.items, `${path}[]`) : []),
  ...(schema.additionalProperties ? valueProblems(schema.additionalProperties, `${path}{}`) : []),
];

/** The values of a map are described by the map. */
const valueProblems = (schema: StructuralSchema, path: string): string[] =>
  problemsAt({ description: 'a value', ...schema }, path);
