// What is wrong with an object's metadata, in the words of the Kubernetes API.
import type { OwnerReference } from '../../../kube/object.ts';
import type { ApiObject, NameRule } from '../kinds/kind.ts';
import { forbidden, invalid, required, tooLong, type FieldError } from '../schema/field-error.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const labelForm = new RegExp(`^${label}$`);
const subdomainForm = new RegExp(`^${label}(\\.${label})*$`);
const keyForm = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const subdomainRule = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${label}(\\.${label})*')`;
const labelRule = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`;
const keyRule = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`;
const valueRule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;

/** Each of the problems that holds. */
const those = (...problems: readonly (readonly [holds: boolean, problem: string])[]): string[] =>
  problems.filter(([holds]) => holds).map(([, problem]) => problem);

const nameProblems: Record<NameRule, (name: string) => string[]> = {
  subdomain: (name) =>
    those([name.length > 253, 'must be no more than 253 characters'], [!subdomainForm.test(name), subdomainRule]),
  label: (name) => {
    if (name.includes('.')) return ['must not contain dots'];
    return those([name.length > 63, 'must be no more than 63 characters'], [!labelForm.test(name), labelRule]);
  },
  path: (name) => {
    if (name === '.' || name === '..') return [`may not be '${name}'`];
    return those([name.includes('/'), `may not contain '/'`], [name.includes('%'), `may not contain '%'`]);
  },
};

const nameErrors = (name: string, rule: NameRule): FieldError[] => {
  if (name === '') return [required('metadata.name', 'name or generateName is required')];
  return nameProblems[rule](name).map((problem) => invalid('metadata.name', name, problem));
};

/** What keeps a text from being a qualified name: `name`, or `domain/name`. */
export const keyProblems = (key: string): string[] => {
  const parts = key.split('/');
  if (parts.length > 2) {
    return [`a valid label key ${keyRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? (parts[0] ?? '') : 'none';
  return those(
    [prefix === '', 'prefix part must be non-empty'],
    [prefix.length > 253, 'prefix part must be no more than 253 characters'],
    [prefix !== '' && !subdomainForm.test(prefix), `prefix part ${subdomainRule}`],
    [name === '', 'name part must be non-empty'],
    [name.length > 63, 'name part must be no more than 63 bytes'],
    [!keyForm.test(name), `name part ${keyRule}`],
  );
};

/** What keeps a text from being the value of a label. */
export const labelValueProblems = (value: string): string[] =>
  those([value.length > 63, 'must be no more than 63 bytes'], [value !== '' && !keyForm.test(value), valueRule]);

const keyErrors = (field: string, key: string, checked = key): FieldError[] =>
  keyProblems(checked).map((problem) => invalid(field, key, problem));

const labelErrors = (labels: Record<string, string>): FieldError[] =>
  Object.entries(labels).flatMap(([key, value]) => [
    ...keyErrors('metadata.labels', key),
    ...labelValueProblems(value).map((problem) => invalid('metadata.labels', value, problem)),
  ]);

const ownerErrors = (owners: readonly OwnerReference[]): FieldError[] => {
  const field = 'metadata.ownerReferences';
  const controllers = owners.filter(({ controller }) => controller);
  const names = controllers.map(({ kind, name }) => `${kind}/${name}`);
  return [
    ...owners.flatMap((owner) =>
      (['apiVersion', 'kind', 'name', 'uid'] as const)
        .filter((part) => owner[part] === '')
        .map((part) => invalid(`${field}.${part}`, '', 'must not be empty')),
    ),
    ...(controllers.length > 1
      ? [
          invalid(
            field,
            owners,
            `Only one reference can have Controller set to true. Found "true" in references for ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`,
          ),
        ]
      : []),
  ];
};

const finalizerErrors = (object: ApiObject, existing?: ApiObject): FieldError[] => {
  const finalizers = object.metadata.finalizers ?? [];
  const misnamed = finalizers.flatMap((name) => keyErrors('metadata.finalizers', name));
  if (!existing?.metadata.deletionTimestamp) return misnamed;
  const before = existing.metadata.finalizers ?? [];
  const added = finalizers.filter((name) => !before.includes(name));
  if (added.length === 0) return misnamed;
  const shown = added.map((name) => JSON.stringify(name)).join(', ');
  return [
    ...misnamed,
    forbidden(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`,
    ),
  ];
};

const totalAnnotationBytes = 256 * 1024;

const annotationErrors = (annotations: Record<string, string>): FieldError[] => {
  const entries = Object.entries(annotations);
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return [
    ...entries.flatMap(([key]) => keyErrors('metadata.annotations', key, key.toLowerCase())),
    ...(bytes > totalAnnotationBytes ? [tooLong('metadata.annotations', totalAnnotationBytes)] : []),
  ];
};

/** What is wrong with an object's metadata; `existing` is the object that it replaces. */
export const metadataErrors = (object: ApiObject, rule: NameRule, existing?: ApiObject): FieldError[] => {
  const { metadata } = object;
  return [
    ...(existing ? [] : nameErrors(metadata.name, rule)),
    ...labelErrors(metadata.labels ?? {}),
    ...annotationErrors(metadata.annotations ?? {}),
    ...ownerErrors(metadata.ownerReferences ?? []),
    ...finalizerErrors(object, existing),
  ];
};
