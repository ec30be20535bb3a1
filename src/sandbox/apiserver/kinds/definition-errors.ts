// What a CustomResourceDefinition must say before it is served (apiextensions.k8s.io/v1).
import { isRecord } from '../../../kube/json.ts';
import { forbidden, invalid, required, unsupported, type FieldError } from '../schema/field-error.ts';
import { asArray, asObject, asText, valueAt, type JsonObject } from '../json.ts';
import type { ApiObject } from './kind.ts';

const types = ['object', 'array', 'string', 'integer', 'number', 'boolean'];

const nodeErrors = (schema: JsonObject, path: string): FieldError[] => {
  const { type } = schema;
  const open = schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  const properties = Object.entries(asObject(schema['properties']));
  return [
    ...(type === undefined && !open ? [required(`${path}.type`, 'must not be empty for specified object fields')] : []),
    ...(type !== undefined && !types.includes(asText(type)) ? [unsupported(`${path}.type`, type, types)] : []),
    ...(type === 'array' && !isRecord(schema['items']) ? [required(`${path}.items`, 'must be specified')] : []),
    ...(properties.length > 0 && schema['additionalProperties'] !== undefined
      ? [forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive')]
      : []),
    ...['$ref', 'definitions', 'dependencies', 'patternProperties'].flatMap((field) =>
      schema[field] === undefined ? [] : [forbidden(`${path}.${field}`, `${field} is not supported`)],
    ),
    ...patternErrors(schema, path),
    ...properties.flatMap(([name, child]) => structureErrors(child, `${path}.properties[${name}]`)),
    ...(isRecord(schema['items']) ? structureErrors(schema['items'], `${path}.items`) : []),
    ...(isRecord(schema['additionalProperties'])
      ? structureErrors(schema['additionalProperties'], `${path}.additionalProperties`)
      : []),
  ];
};

const patternErrors = (schema: JsonObject, path: string): FieldError[] => {
  const { pattern } = schema;
  if (typeof pattern !== 'string') return [];
  try {
    RegExp(pattern, 'u');
    return [];
  } catch {
    return [invalid(`${path}.pattern`, pattern, 'must be a valid regular expression')];
  }
};

const structureErrors = (schema: unknown, path: string): FieldError[] =>
  isRecord(schema) ? nodeErrors(schema, path) : [invalid(path, schema, 'must be an object')];

/** What is wrong with the schema of the only version is told of the place where definitions once had it. */
const schemaPath = (path: string, only: boolean): string =>
  only ? 'spec.validation.openAPIV3Schema' : `${path}.schema.openAPIV3Schema`;

const versionErrors = (version: unknown, path: string, only: boolean): FieldError[] => {
  const schema = valueAt(version, 'schema', 'openAPIV3Schema');
  const at = schemaPath(path, only);
  if (asText(valueAt(version, 'name')) === '') return [required(`${path}.name`)];
  if (!isRecord(schema)) return [required(schemaPath(path, false))];
  if (schema['type'] !== 'object') return [invalid(`${at}.type`, schema['type'] ?? '', 'must be object at the root')];
  return nodeErrors(schema, at);
};

const fixed = ['group', 'scope', 'names.plural', 'names.kind'];

/** Everything that is wrong with a definition; `existing` is the one it replaces. */
export const definitionErrors = (definition: ApiObject, existing?: ApiObject): FieldError[] => {
  const text = (...path: string[]): string => asText(valueAt(definition, 'spec', ...path));
  const versions = asArray(valueAt(definition, 'spec', 'versions'));
  const stored = versions.filter((version) => valueAt(version, 'storage') === true);
  const needed = [['group'], ['names', 'plural'], ['names', 'kind'], ['scope']].filter((path) => text(...path) === '');
  const scopes = ['Cluster', 'Namespaced'];
  const { name } = definition.metadata;
  return [
    ...needed.map((path) => required(`spec.${path.join('.')}`)),
    ...(name === `${text('names', 'plural')}.${text('group')}`
      ? []
      : [invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group')]),
    ...(text('scope') === '' || scopes.includes(text('scope'))
      ? []
      : [unsupported('spec.scope', text('scope'), scopes)]),
    ...(stored.length === 1
      ? []
      : [
          invalid(
            'spec.versions',
            versions.map((version) => valueAt(version, 'name')),
            'must have exactly one version marked as storage version',
          ),
        ]),
    ...versions.flatMap((version, at) => versionErrors(version, `spec.versions[${at}]`, versions.length === 1)),
    ...(existing ? fixed : [])
      .filter((path) => text(...path.split('.')) !== asText(valueAt(existing, 'spec', ...path.split('.'))))
      .map((path) => invalid(`spec.${path}`, text(...path.split('.')), 'field is immutable')),
  ];
};
