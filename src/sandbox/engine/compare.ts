// What an object should look like in the cluster, and whether it does. Pure.
import { isRecord } from '../../kube/json.ts';
import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { instanceLabel } from '../../api/labels.ts';
import { at, textAt } from './fields.ts';

/** Where `kubectl apply`, and Argo CD with it, keeps what was applied last: it tells a removed field from a foreign one. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The names under which Kubernetes keeps amounts, so that `1000m` and `1` are one. */
const QUANTITY_MAPS = new Set(['limits', 'requests', 'capacity', 'hard']);
const UNITS: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

const quantity = (value: unknown): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|)$/.exec(String(value));
  const unit = match ? UNITS[match[2] ?? ''] : undefined;
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
};

const isSameScalar = (want: unknown, live: unknown, parent: string): boolean => {
  if (want === live) return true;
  const amount = QUANTITY_MAPS.has(parent) ? quantity(want) : undefined;
  return amount !== undefined && amount === quantity(live);
};

/**
 * Whether `live` has everything that the merge patch `want` says: fields that only `live` has don't count, null means
 * absent, empty is absent, lists have the same length and order. `parent` is the name of the map that holds the value.
 */
export const covers = (want: unknown, live: unknown, parent = ''): boolean => {
  if (want === null || want === undefined) return live === null || live === undefined;
  if (Array.isArray(want)) {
    const items: readonly unknown[] = Array.isArray(live) ? live : [];
    return want.length === items.length && want.every((item, index) => covers(item, items[index]));
  }
  if (isRecord(want)) {
    if (live !== undefined && live !== null && !isRecord(live)) return false;
    return Object.entries(want).every(([key, value]) => covers(value, at(live, key), isRecord(value) ? key : parent));
  }
  return isSameScalar(want, live, parent);
};

/** `want`, with null for every field that `last` has and `want` no longer has: a merge patch that also removes. */
const withRemovals = (want: Record<string, unknown>, last: Record<string, unknown>): Record<string, unknown> => {
  const patch: Record<string, unknown> = { ...want };
  for (const [key, before] of Object.entries(last)) {
    const now = want[key];
    if (isRecord(before) && (now === undefined || isRecord(now))) patch[key] = withRemovals(now ?? {}, before);
    else if (now === undefined) patch[key] = null;
  }
  return patch;
};

const lastApplied = (live: KubeObject): Record<string, unknown> => {
  try {
    const last: unknown = JSON.parse(live.metadata.annotations?.[LAST_APPLIED] ?? '{}');
    return isRecord(last) ? last : {};
  } catch {
    return {};
  }
};

/** The merge patch that makes `live` what `desired` says, field owners other than us left alone. */
const patchFor = (desired: KubeObject, live: KubeObject): Record<string, unknown> =>
  withRemovals({ ...desired }, lastApplied(live));

/** Whether the cluster's object is what Git says. */
export const isSynced = (desired: KubeObject, live: KubeObject): boolean => covers(patchFor(desired, live), live);

/** What to create: the object, annotated with itself for the next comparison. */
export const bodyToCreate = (desired: KubeObject): KubeObject => ({
  ...desired,
  metadata: {
    ...desired.metadata,
    annotations: { ...desired.metadata.annotations, [LAST_APPLIED]: JSON.stringify(desired) },
  },
});

/** What to patch an existing object with (RFC 7386). */
export const bodyToPatch = (desired: KubeObject, live: KubeObject): Record<string, unknown> => {
  const patch = patchFor(desired, live);
  const metadata = at(patch, 'metadata');
  const annotations = at(metadata, 'annotations');
  return {
    ...patch,
    metadata: {
      ...(isRecord(metadata) ? metadata : {}),
      annotations: { ...(isRecord(annotations) ? annotations : {}), [LAST_APPLIED]: JSON.stringify(desired) },
    },
  };
};

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** A Secret's `stringData` is written for people; the server keeps `data` only. */
const withoutStringData = (object: KubeObject): Record<string, unknown> => {
  const { stringData, ...rest } = { ...object } as Record<string, unknown>; // any kind, read by field name
  if (object.kind !== 'Secret' || !isRecord(stringData)) return { ...object };
  const encoded = Object.entries(stringData).map(([key, value]) => [key, base64(String(value))]);
  const data = at(rest, 'data');
  return { ...rest, data: { ...(isRecord(data) ? data : {}), ...Object.fromEntries(encoded) } };
};

/**
 * The object as it is applied: with the tracking label, in its namespace or in none, without status and server fields.
 */
export const prepareDesired = (
  object: KubeObject,
  into: { readonly application: string; readonly namespace: string; readonly resource: ResourceType | undefined },
): KubeObject => {
  const { status: _status, ...plain } = withoutStringData(object);
  const { name, generateName, labels, annotations, finalizers } = object.metadata;
  const namespaced = into.resource?.namespaced ?? true;
  const namespace = textAt(object, 'metadata', 'namespace') || into.namespace;
  return {
    ...plain,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      ...(generateName ? { generateName } : {}),
      ...(namespaced ? { namespace } : {}),
      labels: { ...labels, [instanceLabel]: into.application },
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
    },
  };
};
