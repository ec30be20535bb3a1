// How Secrets, config maps, Leases and Events are completed and checked: the built-in kinds that services write themselves.
import { isEqualJson } from '../../../kube/patch.ts';
import { forbidden, invalid, required, tooLong, type FieldError } from '../schema/field-error.ts';
import { asObject, asText, valueAt, without } from '../json.ts';
import type { ApiObject, Strategy } from './kind.ts';

const base64 = (text: unknown): string => Buffer.from(String(text), 'utf8').toString('base64');

const contentLimitBytes = 1024 * 1024;

const keyRule = `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`;

const keyErrors = (object: ApiObject, ...fields: readonly string[]): FieldError[] =>
  fields.flatMap((field) =>
    Object.keys(asObject(object[field]))
      .filter((key) => !/^[-._a-zA-Z0-9]+$/.test(key) || key === '.' || key === '..')
      .map((key) => invalid(`${field}[${key}]`, key, keyRule)),
  );

const fixedWhenImmutable = (object: ApiObject, existing?: ApiObject): FieldError[] => {
  if (existing?.['immutable'] !== true) return [];
  return ['immutable', 'data', 'binaryData']
    .filter((field) => !isEqualJson(object[field], existing[field]))
    .map((field) => forbidden(field, 'field is immutable when `immutable` is set'));
};

/** What a Secret of a type has to hold. */
const neededKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
};

const neededErrors = (object: ApiObject): FieldError[] => {
  const type = asText(object['type']);
  const missing = (keys: readonly string[]): string[] =>
    keys.filter((key) => valueAt(object, 'data', key) === undefined);
  const either = ['username', 'password'];
  const absent = type === 'kubernetes.io/basic-auth' ? missing(either) : missing(neededKeys[type] ?? []);
  if (type === 'kubernetes.io/basic-auth' && absent.length < either.length) return [];
  return absent.map((key) => required(`data[${key}]`));
};

/** A Secret for a token names the account. */
const accountErrors = ({ type, metadata }: ApiObject): FieldError[] =>
  type === 'kubernetes.io/service-account-token' && !metadata.annotations?.['kubernetes.io/service-account.name']
    ? [required('metadata.annotations[kubernetes.io/service-account.name]')]
    : [];

const sizeOf = (object: ApiObject, field: string, encoding: 'utf8' | 'base64'): number =>
  Object.values(asObject(object[field])).reduce<number>(
    (sum, text) => sum + Buffer.byteLength(asText(text), encoding),
    0,
  );

/** `stringData` goes into `data`; the type is given; contents are checked as far as their type asks. */
export const secretStrategy: Strategy = {
  prepare(object) {
    const { stringData, data } = object;
    const encoded = Object.entries(asObject(stringData)).map(([key, text]) => [key, base64(text)]);
    const merged = { ...asObject(data), ...Object.fromEntries(encoded) };
    return {
      ...(without(object, 'stringData', 'data') as ApiObject), // only two optional fields are left out
      ...(Object.keys(merged).length > 0 ? { data: merged } : {}),
      type: object['type'] || 'Opaque',
    };
  },
  validate: (object, existing) => [
    ...keyErrors(object, 'data'),
    ...(sizeOf(object, 'data', 'base64') > contentLimitBytes ? [tooLong('data', contentLimitBytes)] : []),
    ...neededErrors(object),
    ...accountErrors(object),
    ...fixedWhenImmutable(object, existing),
  ],
};

/** Keys are names, contents are no more than 1 MiB, and stay once they are immutable. */
export const configMapStrategy: Strategy = {
  validate: (object, existing) => [
    ...keyErrors(object, 'data', 'binaryData'),
    ...(sizeOf(object, 'data', 'utf8') + sizeOf(object, 'binaryData', 'base64') > contentLimitBytes
      ? [tooLong('[]', contentLimitBytes)]
      : []),
    ...fixedWhenImmutable(object, existing),
  ],
};

/** A Lease lasts longer than nothing. */
export const leaseStrategy: Strategy = {
  validate(object) {
    const [duration, transitions] = ['leaseDurationSeconds', 'leaseTransitions'].map((field) =>
      valueAt(object, 'spec', field),
    );
    return [
      ...(typeof duration === 'number' && duration <= 0
        ? [invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0')]
        : []),
      ...(typeof transitions === 'number' && transitions < 0
        ? [invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0')]
        : []),
    ];
  },
};

/** An Event lies in the namespace of its object, or in `default` when the object has none. */
export const eventStrategy: Strategy = {
  validate(object) {
    const about = asText(valueAt(object, 'involvedObject', 'namespace'));
    if ((about || 'default') === object.metadata.namespace) return [];
    return [invalid('involvedObject.namespace', about, 'does not match event.namespace')];
  },
};
