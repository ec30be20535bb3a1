// Strategic merge patch, Kubernetes' own: like a merge patch, but some lists are merged item by item.
import { isRecord } from '../../../kube/json.ts';
import { isEqualJson } from '../../../kube/patch.ts';
import { asArray, asTexts, without, type JsonObject } from '../json.ts';

/** Lists of objects that are merged, by the field that tells their items apart; every other list is replaced. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  imagePullSecrets: 'name',
  secrets: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
  conditions: 'type',
  ownerReferences: 'uid',
  taints: 'key',
  addresses: 'type',
  webhooks: 'name',
  resourceClaims: 'name',
};

/** Lists of texts that are merged as sets. */
const sets = ['finalizers'];

const directive = (patch: unknown): unknown => (isRecord(patch) ? patch['$patch'] : undefined);

const mergeKeyOf = (field: string, items: readonly unknown[]): string | undefined => {
  if (field !== 'ports') return mergeKeys[field];
  // A container's ports go by containerPort, a Service's by port; other lists of that name are replaced as a whole.
  const has = (key: string): boolean => items.length > 0 && items.every((item) => isRecord(item) && key in item);
  if (has('containerPort')) return 'containerPort';
  return has('port') && !items.some((item) => isRecord(item) && 'endPort' in item) ? 'port' : undefined;
};

const mergeItem = (items: readonly unknown[], change: unknown, key: string): unknown[] => {
  if (!isRecord(change)) return [...items, change];
  const at = items.findIndex((item) => isRecord(item) && isEqualJson(item[key], change[key]));
  if (directive(change) === 'delete') return items.filter((_item, index) => index !== at);
  const merged = applyStrategicPatch(at < 0 ? {} : items[at], change);
  return at < 0 ? [...items, merged] : items.with(at, merged);
};

const mergeList = (field: string, present: unknown, changes: readonly unknown[]): unknown[] => {
  const items = asArray(present);
  if (sets.includes(field)) return [...new Set([...asTexts(items), ...asTexts(changes)])];
  const key = mergeKeyOf(field, [...items, ...changes.filter((change) => directive(change) === undefined)]);
  const entries = changes.filter((change) => !(isRecord(change) && isEqualJson(Object.keys(change), ['$patch'])));
  const replaces = entries.length < changes.length && changes.some((change) => directive(change) === 'replace');
  if (replaces || key === undefined)
    return entries.map((entry) => (isRecord(entry) ? applyStrategicPatch({}, entry) : entry));
  return entries.reduce<unknown[]>((merged, change) => mergeItem(merged, change, key), [...items]);
};

const applyMember = (members: Map<string, unknown>, field: string, change: unknown): void => {
  const [order, primitive] = ['$setElementOrder/', '$deleteFromPrimitiveList/'];
  if (field.startsWith(order ?? '') || field === '$retainKeys' || field === '$patch') return;
  if (primitive && field.startsWith(primitive)) {
    const name = field.slice(primitive.length);
    const removed = asArray(change);
    members.set(
      name,
      asArray(members.get(name)).filter((item) => !removed.includes(item)),
    );
  } else if (change === null || directive(change) === 'delete') members.delete(field);
  else if (Array.isArray(change)) members.set(field, mergeList(field, members.get(field), change));
  else members.set(field, isRecord(change) ? applyStrategicPatch(members.get(field), change) : change);
};

/** What a strategic merge patch makes of an object. `$setElementOrder` is accepted and not acted on. */
export const applyStrategicPatch = (target: unknown, patch: JsonObject): unknown => {
  if (directive(patch) === 'replace') return without(patch, '$patch');
  const source = isRecord(target) ? target : {};
  const retained = patch['$retainKeys'];
  const kept = Array.isArray(retained)
    ? Object.entries(source).filter(([field]) => retained.includes(field))
    : Object.entries(source);
  const members = new Map<string, unknown>(kept);
  for (const [field, change] of Object.entries(patch)) applyMember(members, field, change);
  return Object.fromEntries(members);
};
