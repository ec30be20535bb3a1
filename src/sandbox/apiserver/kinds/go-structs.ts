// The fields of built-in kinds as Kubernetes' own Go types have them, and what its decoder says when a value does not fit.
import { isRecord } from '../../../kube/json.ts';
import { parseTime } from '../../../lib/clock.ts';
import { asObject, type JsonObject } from '../json.ts';

// Each line reads `field type`. Only the kinds that services write by themselves are here; all others are taken as they are.
const structs: Readonly<Record<string, string>> = {
  ObjectMeta:
    'name string, generateName string, namespace string, selfLink string, uid types.UID, resourceVersion string, generation int64, creationTimestamp v1.Time, deletionTimestamp v1.Time, deletionGracePeriodSeconds int64, labels map[string]string, annotations map[string]string, ownerReferences []v1.OwnerReference, finalizers []string, managedFields []any',
  OwnerReference:
    'apiVersion string, kind string, name string, uid types.UID, controller bool, blockOwnerDeletion bool',
  ConfigMap: 'metadata v1.ObjectMeta, data map[string]string, binaryData map[string][]uint8, immutable bool',
  Secret:
    'metadata v1.ObjectMeta, data map[string][]uint8, stringData map[string]string, type v1.SecretType, immutable bool',
  Namespace: 'metadata v1.ObjectMeta, spec v1.NamespaceSpec, status v1.NamespaceStatus',
  NamespaceSpec: 'finalizers []v1.FinalizerName',
  NamespaceStatus: 'phase v1.NamespacePhase, conditions []any',
  ServiceAccount: 'metadata v1.ObjectMeta, secrets []any, imagePullSecrets []any, automountServiceAccountToken bool',
  Lease: 'metadata v1.ObjectMeta, spec v1.LeaseSpec',
  LeaseSpec:
    'holderIdentity string, leaseDurationSeconds int32, acquireTime v1.MicroTime, renewTime v1.MicroTime, leaseTransitions int32, strategy v1.CoordinatedLeaseStrategy, preferredHolder string',
  Event:
    'metadata v1.ObjectMeta, involvedObject v1.ObjectReference, reason string, message string, source v1.EventSource, firstTimestamp v1.Time, lastTimestamp v1.Time, count int32, type string, eventTime v1.MicroTime, series v1.EventSeries, action string, related v1.ObjectReference, reportingComponent string, reportingInstance string',
  ObjectReference:
    'kind string, namespace string, name string, uid types.UID, apiVersion string, resourceVersion string, fieldPath string',
  EventSource: 'component string, host string',
  EventSeries: 'count int32, lastObservedTime v1.MicroTime',
};

const fieldsOf: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(
  Object.entries(structs).map(([struct, written]) => [
    struct,
    new Map(written.split(', ').map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? ''])),
  ]),
);

/** True when the fields of this type are known. */
export const isStruct = (name: string): boolean => fieldsOf.has(name);

const jsonType = (value: unknown): string => {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
};

/** Where decoding stands: the struct whose field is read, and the way there from the root. */
interface Place {
  readonly struct: string;
  readonly path: readonly string[];
}

/** What was found on the way: the first value that can't be taken, and every field that is not known. */
interface Findings {
  problem?: string;
  readonly unknown: string[];
}

const layouts: Readonly<Record<string, { form: RegExp; layout: string }>> = {
  'v1.Time': { form: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/, layout: '2006-01-02T15:04:05Z07:00' },
  'v1.MicroTime': { form: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}/, layout: '2006-01-02T15:04:05.000000Z07:00' },
};

/** The byte at which Go's decoder gives a base64 text up; undefined where it does not. */
const base64Problem = (text: string): number | undefined => {
  const content = text.replaceAll(/[\r\n]/g, '');
  const end = content.search(/[^A-Za-z0-9+/]/);
  if (end < 0) return content.length % 4 === 0 ? undefined : content.length - (content.length % 4);
  const padding = content.slice(end);
  return /^={1,2}$/.test(padding) && content.length % 4 === 0 ? undefined : end;
};

const isScalar = (type: string, value: unknown): boolean => {
  if (type === 'any') return true;
  if (type === 'bool') return typeof value === 'boolean';
  return type === 'int32' || type === 'int64' ? Number.isInteger(value) : typeof value === 'string';
};

/** What is wrong with a text that has the right JSON type. */
const contentProblem = (type: string, value: unknown): string | undefined => {
  if (typeof value !== 'string') return undefined;
  if (type === '[]uint8') {
    const at = base64Problem(value);
    return at === undefined ? undefined : `illegal base64 data at input byte ${at}`;
  }
  const time = layouts[type];
  if (!time || (time.form.test(value) && parseTime(value) !== undefined)) return undefined;
  const quoted = JSON.stringify(value);
  return `parsing time ${quoted} as "${time.layout}": cannot parse ${quoted} as "2006"`;
};

const wrongType = (value: unknown, type: string, { struct, path }: Place): string => {
  const what = typeof value === 'number' && type.startsWith('int') ? `number ${value}` : jsonType(value);
  const where = path.length === 0 ? 'value' : `struct field ${struct}.${path.join('.')}`;
  return `json: cannot unmarshal ${what} into Go ${where} of type ${type}`;
};

interface Reading extends Place {
  readonly findings: Findings;
  /** The path as it is shown to people: with indexes and keys. */
  readonly shown: string;
}

/** Null is no value; in a map of texts it is the empty one. */
const readEntries = (source: JsonObject, type: string, at: Reading): JsonObject =>
  Object.fromEntries(
    Object.entries(source).map(([key, item]) => [
      key,
      item === null ? '' : readValue(item, type, { ...at, shown: `${at.shown}.${key}` }),
    ]),
  );

const readValue = (value: unknown, type: string, at: Reading): unknown => {
  if (value === null) return undefined;
  const struct = type.replace(/^v1\./, '');
  if (type.startsWith('map[string]') && isRecord(value))
    return readEntries(value, type.slice('map[string]'.length), at);
  if (type.startsWith('[]') && Array.isArray(value)) {
    return value.map((item, index) => readValue(item, type.slice(2), { ...at, shown: `${at.shown}[${index}]` }));
  }
  if (isStruct(struct) && isRecord(value)) return readStruct(struct, value, at);
  const composed = type !== '[]uint8' && (/^(map)?\[/.test(type) || isStruct(struct));
  const problem = composed || !isScalar(type, value) ? wrongType(value, type, at) : contentProblem(type, value);
  if (problem !== undefined) at.findings.problem ??= problem;
  return value;
};

const readStruct = (struct: string, source: JsonObject, at: Reading): JsonObject => {
  const fields = fieldsOf.get(struct);
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(source)) {
    if (at.shown === '' && (name === 'apiVersion' || name === 'kind')) continue;
    const shown = at.shown === '' ? name : `${at.shown}.${name}`;
    const type = fields?.get(name);
    if (type === undefined) at.findings.unknown.push(shown);
    else if (value !== null) kept[name] = readValue(value, type, { ...at, struct, path: [...at.path, name], shown });
  }
  return kept;
};

/**
 * Reads a value as a struct. `problem` is the decoder's complaint about the first value of a wrong type; `unknown` are the
 * paths of fields that the struct does not have, each beginning with `shown`, and `value` is without them.
 */
export const readAsStruct = (
  struct: string,
  source: unknown,
  shown = '',
): Readonly<Findings> & { readonly value: JsonObject } => {
  const findings: Findings = { unknown: [] };
  const value = readValue(source ?? {}, `v1.${struct}`, { struct, path: [], findings, shown });
  return { ...findings, value: asObject(value) };
};
