// OpenAPI v3 of what is served: enough for `kubectl explain`, and for kubectl to see that the server validates fields.
import { isRecord } from '../../../kube/json.ts';
import { apiVersionOf } from '../../../kube/object.ts';
import { without, type JsonObject } from '../json.ts';
import type { Kind } from '../kinds/kind.ts';
import type { Schema } from '../schema/schema.ts';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.';

const text = (description: string): JsonObject => ({ type: 'string', description });
const texts = (description: string): JsonObject => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string', default: '' },
});
const reference = (name: string, description: string): JsonObject => ({
  description,
  allOf: [{ $ref: `#/components/schemas/${meta}${name}` }],
});

const ownerProperties = {
  apiVersion: text('API version of the owner.'),
  kind: text('Kind of the owner.'),
  name: text('Name of the owner.'),
  uid: text('UID of the owner.'),
  controller: { type: 'boolean', description: 'Whether the owner manages this object.' },
  blockOwnerDeletion: {
    type: 'boolean',
    description: 'Whether a foreground deletion of the owner waits for this object.',
  },
};

const metadataProperties = {
  name: text('Name of the object, unique within its namespace and kind. It never changes.'),
  generateName: text('Prefix from which the server makes a unique name when none is given.'),
  namespace: text('Namespace the object lives in. It never changes.'),
  uid: text('Identity of the object in time and space, set by the server.'),
  resourceVersion: text('Version of the object, set by the server; to be compared for equality only.'),
  generation: { type: 'integer', format: 'int64', description: 'Counts the changes of the desired state.' },
  creationTimestamp: { ...text('When the object was created.'), format: 'date-time' },
  deletionTimestamp: { ...text('When the object was asked to go; finalizers may still hold it.'), format: 'date-time' },
  deletionGracePeriodSeconds: { type: 'integer', format: 'int64', description: 'Seconds given to end gracefully.' },
  labels: texts('Keys and values by which objects are selected.'),
  annotations: texts('Keys and values for tools and libraries; not selected by.'),
  finalizers: {
    type: 'array',
    description: 'Who has to agree before a deleted object goes.',
    items: { type: 'string', default: '' },
  },
  ownerReferences: {
    type: 'array',
    description: 'The objects this one depends on; it goes when all of them have gone.',
    items: { default: {}, allOf: [{ $ref: `#/components/schemas/${meta}OwnerReference` }] },
  },
};

const sharedSchemas: JsonObject = {
  [`${meta}ObjectMeta`]: { type: 'object', description: 'What every object has.', properties: metadataProperties },
  [`${meta}OwnerReference`]: {
    type: 'object',
    description: 'An object that this one depends on.',
    properties: ownerProperties,
  },
};

const typeProperties = {
  apiVersion: text('Version of the schema of this object.'),
  kind: text('Kind of this object.'),
  metadata: reference('ObjectMeta', 'Name, labels and what else every object has.'),
};

const builtInSchema: JsonObject = {
  type: 'object',
  description: 'A built-in kind. The sandbox API server serves it without the schema of its fields.',
  properties: {
    spec: { type: 'object', description: 'The desired state.', 'x-kubernetes-preserve-unknown-fields': true },
    status: { type: 'object', description: 'The observed state.', 'x-kubernetes-preserve-unknown-fields': true },
  },
  'x-kubernetes-preserve-unknown-fields': true,
};

/** Nullable and int-or-string in the words of OpenAPI v3, as clients read them. */
const published = (schema: Schema): JsonObject => {
  const entries = Object.entries(schema).map(([field, value]): [string, unknown] => {
    if (field === 'properties' && isRecord(value)) {
      const children = Object.entries(value).map(([name, child]) => [name, isRecord(child) ? published(child) : child]);
      return [field, Object.fromEntries(children)];
    }
    if ((field === 'items' || field === 'additionalProperties') && isRecord(value)) return [field, published(value)];
    return [field, value];
  });
  return Object.fromEntries(entries);
};

const schemaOf = (kind: Kind): JsonObject => {
  const own = kind.schema ? published(kind.schema) : builtInSchema;
  const properties = isRecord(own['properties']) ? without(own['properties'], 'apiVersion', 'kind', 'metadata') : {};
  const { group, version } = kind;
  return {
    ...own,
    properties: { ...typeProperties, ...properties },
    'x-kubernetes-group-version-kind': [{ group, kind: kind.kind, version }],
  };
};

const schemaName = (kind: Kind): string => {
  const group = kind.group === '' ? 'io.k8s.api.core' : kind.group.split('.').toReversed().join('.');
  return `${group}.${kind.version}.${kind.kind}`;
};

const queryParameter = (name: string, description: string): JsonObject => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string', uniqueItems: true },
});

const writeParameters = [
  queryParameter('dryRun', 'All: everything is checked, nothing is kept.'),
  queryParameter('fieldValidation', 'What becomes of unknown fields: Strict, Warn or Ignore.'),
];

const operation = (kind: Kind, action: string): JsonObject => ({
  'x-kubernetes-action': action,
  'x-kubernetes-group-version-kind': { group: kind.group, kind: kind.kind, version: kind.version },
  responses: {
    '200': {
      description: 'OK',
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(kind)}` } } },
    },
  },
});

// Strategic merge is left out on purpose: kubectl would look for merge keys in these schemas, instead of its own types.
const patchBody = {
  content: Object.fromEntries(
    ['application/merge-patch+json', 'application/json-patch+json'].map((type) => [
      type,
      { schema: { type: 'object' } },
    ]),
  ),
};

const pathsOf = (kind: Kind): JsonObject => {
  const root = kind.group === '' ? '/api/v1' : `/apis/${apiVersionOf(kind)}`;
  const collection = `${root}${kind.namespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}`;
  const patch = { ...operation(kind, 'patch'), parameters: writeParameters, requestBody: patchBody };
  return {
    [collection]: {
      get: operation(kind, 'list'),
      post: { ...operation(kind, 'post'), parameters: writeParameters },
    },
    [`${collection}/{name}`]: {
      get: operation(kind, 'get'),
      put: { ...operation(kind, 'put'), parameters: writeParameters },
      patch,
      delete: operation(kind, 'delete'),
    },
  };
};

const pathOf = (kind: Kind): string => (kind.group === '' ? 'api/v1' : `apis/${apiVersionOf(kind)}`);

/** Where the document of each group version stands. */
export const openApiIndex = (kinds: readonly Kind[], revision: number): JsonObject => ({
  paths: Object.fromEntries(
    kinds.map((kind) => [pathOf(kind), { serverRelativeURL: `/openapi/v3/${pathOf(kind)}?hash=${revision}` }]),
  ),
});

/** The document of one group version, by its path without the leading slash; undefined when there is none. */
export const openApiDocument = (kinds: readonly Kind[], path: string): JsonObject | undefined => {
  const described = kinds.filter((kind) => pathOf(kind) === path);
  if (described.length === 0) return undefined;
  const schemas = Object.fromEntries(described.map((kind) => [schemaName(kind), schemaOf(kind)]));
  return {
    openapi: '3.0.0',
    info: { title: 'managed-gitops sandbox, a stand-in for Kubernetes', version: 'v1' },
    paths: Object.assign({}, ...described.map(pathsOf)),
    components: { schemas: { ...sharedSchemas, ...schemas } },
  };
};
