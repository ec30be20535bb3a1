// `metadata`: read from a request, checked, and carried over from one state of an object to the next.
import type { ObjectMeta, OwnerReference } from '../../../kube/object.ts';
import { isRecord } from '../../../kube/json.ts';
import type { Random } from '../../../lib/random.ts';
import { forbidden, invalid, required, type FieldError } from '../schema/field-error.ts';
import { asArray, asText, type JsonObject } from '../json.ts';
import type { ApiObject, NameRule } from '../kinds/kind.ts';
import { badRequest } from '../refusal.ts';

const textFields = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
];
const knownFields = new Set([
  ...textFields,
  'generation',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  // Known, and not kept: this server does not track who set which field.
  'managedFields',
  'selfLink',
]);

const refuseType = (field: string, expected: string): never => {
  throw badRequest(`unable to decode the object: metadata.${field}: expected ${expected}`);
};

const readText = (source: JsonObject, field: string): string | undefined => {
  const value = source[field];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : refuseType(field, 'a string');
};

const readMap = (source: JsonObject, field: string): Record<string, string> | undefined => {
  const value = source[field];
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) return refuseType(field, 'a map of strings');
  const texts = Object.entries(value).map(([key, item]): [string, string] => {
    if (item === null) return [key, ''];
    return typeof item === 'string' ? [key, item] : refuseType(`${field}.${key}`, 'a string');
  });
  return texts.length === 0 ? undefined : Object.fromEntries(texts);
};

const readTexts = (source: JsonObject, field: string): string[] | undefined => {
  const value = source[field];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) return refuseType(field, 'a list of strings');
  const texts = value.map((item) => (typeof item === 'string' ? item : refuseType(field, 'a list of strings')));
  return texts.length === 0 ? undefined : texts;
};

const readOwner = (value: unknown): OwnerReference => {
  if (!isRecord(value)) return refuseType('ownerReferences', 'a list of objects');
  return {
    apiVersion: asText(value['apiVersion']),
    kind: asText(value['kind']),
    name: asText(value['name']),
    uid: asText(value['uid']),
    ...(typeof value['controller'] === 'boolean' ? { controller: value['controller'] } : {}),
    ...(typeof value['blockOwnerDeletion'] === 'boolean' ? { blockOwnerDeletion: value['blockOwnerDeletion'] } : {}),
  };
};

const optional = <K extends string, V>(field: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [field]: value }) as { [P in K]?: V }; // a computed key loses its literal type

/** Reads `metadata`; what it does not know is left out and named in `unknown`. Throws 400 on a wrong type. */
export const readMetadata = (value: unknown): { metadata: ObjectMeta; unknown: string[] } => {
  if (value !== undefined && value !== null && !isRecord(value)) refuseType('', 'an object');
  const source = isRecord(value) ? value : {};
  const owners = asArray(source['ownerReferences']).map(readOwner);
  const metadata: ObjectMeta = {
    name: readText(source, 'name') ?? '',
    ...optional('generateName', readText(source, 'generateName') || undefined),
    ...optional('namespace', readText(source, 'namespace') || undefined),
    ...optional('uid', readText(source, 'uid') || undefined),
    ...optional('resourceVersion', readText(source, 'resourceVersion') || undefined),
    ...optional('labels', readMap(source, 'labels')),
    ...optional('annotations', readMap(source, 'annotations')),
    ...optional('finalizers', readTexts(source, 'finalizers')),
    ...optional('ownerReferences', owners.length === 0 ? undefined : owners),
  };
  const unknown = Object.keys(source).filter((field) => !knownFields.has(field));
  return { metadata, unknown: unknown.map((field) => `metadata.${field}`) };
};

/** The fields only the server sets, taken over from the state before. */
export const carriedOver = (existing: ObjectMeta): Partial<ObjectMeta> => ({
  ...optional('generateName', existing.generateName),
  ...optional('namespace', existing.namespace),
  ...optional('uid', existing.uid),
  ...optional('resourceVersion', existing.resourceVersion),
  ...optional('generation', existing.generation),
  ...optional('creationTimestamp', existing.creationTimestamp),
  ...optional('deletionTimestamp', existing.deletionTimestamp),
  ...optional('deletionGracePeriodSeconds', existing.deletionGracePeriodSeconds),
});

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A name that begins with `base`: five characters that spell nothing are added. */
export const generatedName = (base: string, random: Random): string => {
  const letters = Array.from({ length: 5 }, () => alphabet.charAt(Math.floor(random.next() * alphabet.length)));
  return base.slice(0, 58) + letters.join('');
};

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const rules: Record<NameRule, { test: (name: string) => boolean; most: number; says: string }> = {
  subdomain: {
    test: (name) => new RegExp(`^${label}(\\.${label})*$`).test(name),
    most: 253,
    says: `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${label}(\\.${label})*')`,
  },
  label: {
    test: (name) => new RegExp(`^${label}$`).test(name),
    most: 63,
    says: `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`,
  },
  path: {
    test: (name) => name !== '.' && name !== '..' && !/[/%]/.test(name),
    most: 253,
    says: `may not contain '/' or '%'`,
  },
};

const nameErrors = (name: string, rule: NameRule): FieldError[] => {
  if (name === '') return [required('metadata.name', 'name or generateName is required')];
  const { test, most, says } = rules[rule];
  return [
    ...(name.length > most ? [invalid('metadata.name', name, `must be no more than ${most} characters`)] : []),
    ...(test(name) ? [] : [invalid('metadata.name', name, says)]),
  ];
};

const namePart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const isQualifiedName = (key: string): boolean => {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? (parts[0] ?? '') : undefined;
  if (parts.length > 2 || name.length > 63 || !namePart.test(name)) return false;
  return prefix === undefined || (prefix.length <= 253 && rules.subdomain.test(prefix));
};

const keyRule = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`;
const valueRule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;

const labelErrors = (labels: Record<string, string>): FieldError[] =>
  Object.entries(labels).flatMap(([key, value]) => [
    ...(isQualifiedName(key) ? [] : [invalid('metadata.labels', key, keyRule)]),
    ...(value === '' || (value.length <= 63 && namePart.test(value))
      ? []
      : [invalid('metadata.labels', value, valueRule)]),
  ]);

const ownerErrors = (owners: readonly OwnerReference[]): FieldError[] =>
  owners.flatMap((owner, at) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter((field) => owner[field] === '')
      .map((field) => invalid(`metadata.ownerReferences[${at}].${field}`, '', 'must not be empty')),
  );

const finalizerErrors = (object: ApiObject, existing?: ApiObject): FieldError[] => {
  if (!existing?.metadata.deletionTimestamp) return [];
  const before = existing.metadata.finalizers ?? [];
  const added = (object.metadata.finalizers ?? []).filter((name) => !before.includes(name));
  if (added.length === 0) return [];
  const shown = added.map((name) => JSON.stringify(name)).join(', ');
  return [
    forbidden(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`,
    ),
  ];
};

const totalAnnotationBytes = 256 * 1024;

/** What is wrong with an object's metadata. */
export const metadataErrors = (object: ApiObject, rule: NameRule, existing?: ApiObject): FieldError[] => {
  const { metadata } = object;
  const annotations = Object.entries(metadata.annotations ?? {});
  const bytes = annotations.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return [
    ...(existing ? [] : nameErrors(metadata.name, rule)),
    ...labelErrors(metadata.labels ?? {}),
    ...annotations
      .filter(([key]) => !isQualifiedName(key.toLowerCase()))
      .map(([key]) => invalid('metadata.annotations', key, keyRule)),
    ...(bytes > totalAnnotationBytes
      ? [
          {
            field: 'metadata.annotations',
            reason: 'FieldValueTooLong',
            message: `Too long: may not be more than ${totalAnnotationBytes} bytes`,
          },
        ]
      : []),
    ...ownerErrors(metadata.ownerReferences ?? []),
    ...finalizerErrors(object, existing),
  ];
};
