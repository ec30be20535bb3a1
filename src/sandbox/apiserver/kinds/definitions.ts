// CustomResourceDefinitions: what they must say, what becomes of them, and the kinds they make.
import { isRecord } from '../../../kube/json.ts';
import { rfc3339, type Clock } from '../../../lib/clock.ts';
import { ageOf } from './age.ts';
import { ageColumn, nameColumn } from './built-in-columns.ts';
import { definitionErrors } from './definition-errors.ts';
import { parseJsonPath } from './json-path.ts';
import { asArray, asObject, asText, asTexts, valueAt, type JsonObject } from '../json.ts';
import { resourceName, type ApiObject, type Column, type Kind, type Strategy } from './kind.ts';
import type { Registry } from './registry.ts';
import type { Storage } from '../storage/storage.ts';

/** What storage and errors call the kind of definitions. */
export const definitionsResource = 'customresourcedefinitions.apiextensions.k8s.io';
/** The finalizer that holds a definition until its objects are gone. */
export const definitionFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

const completedNames = (names: JsonObject): JsonObject => {
  const kind = asText(names['kind']);
  return { ...names, singular: names['singular'] || kind.toLowerCase(), listKind: names['listKind'] || `${kind}List` };
};

const condition = (type: string, status: boolean, rest: { reason: string; message: string; time: string }) => ({
  type,
  status: status ? 'True' : 'False',
  lastTransitionTime: rest.time,
  reason: rest.reason,
  message: rest.message,
});

/** A name that another definition or a built-in kind of the group has: what for, and which. */
interface Taken {
  readonly reason: string;
  readonly name: string;
}

/** The last of the names that is taken, in the order in which they are looked at. */
const takenName = (object: ApiObject, registry: Registry): Taken | undefined => {
  const names = asObject(valueAt(object, 'spec', 'names'));
  const others = registry
    .all()
    .filter((kind) => kind.group === valueAt(object, 'spec', 'group') && resourceName(kind) !== object.metadata.name);
  const resources = new Set(others.flatMap((kind) => [kind.plural, kind.singular, ...kind.shortNames]));
  const kinds = new Set(others.flatMap((kind) => [kind.kind, kind.listKind]));
  const asked: readonly [reason: string, name: string, taken: ReadonlySet<string>][] = [
    ['PluralConflict', asText(names['plural']), resources],
    ['SingularConflict', asText(names['singular']), resources],
    ...asTexts(names['shortNames']).map((name): [string, string, Set<string>] => [
      'ShortNamesConflict',
      name,
      resources,
    ]),
    ['KindConflict', asText(names['kind']), kinds],
    ['ListKindConflict', asText(names['listKind']), kinds],
  ];
  const [reason, name] = asked.findLast(([, each, taken]) => taken.has(each)) ?? [];
  return reason === undefined || name === undefined ? undefined : { reason, name };
};

const storedVersionsOf = (object: ApiObject): string[] =>
  asArray(valueAt(object, 'spec', 'versions'))
    .filter((version) => valueAt(version, 'storage') === true)
    .map((version) => asText(valueAt(version, 'name')));

const statusOf = (object: ApiObject, taken: Taken | undefined, time: string): JsonObject => {
  const free = taken === undefined;
  const names = free
    ? condition('NamesAccepted', true, { reason: 'NoConflicts', message: 'no conflicts found', time })
    : condition('NamesAccepted', false, {
        reason: taken.reason,
        message: `${JSON.stringify(taken.name)} is already in use`,
        time,
      });
  const established = free
    ? condition('Established', true, {
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
        time,
      })
    : condition('Established', false, { reason: 'NotAccepted', message: 'not all names are accepted', time });
  return {
    conditions: [names, established],
    acceptedNames: free ? valueAt(object, 'spec', 'names') : { plural: '', kind: '' },
    storedVersions: storedVersionsOf(object),
  };
};

/** The status of a changed definition: a version that is stored now is added to those that were. */
const laterStatus = (object: ApiObject, existing: ApiObject): JsonObject => {
  const status = asObject(existing['status']);
  const stored = [...asTexts(status['storedVersions']), ...storedVersionsOf(object)];
  return { ...status, storedVersions: [...new Set(stored)] };
};

/** How definitions are written: names completed, status filled in at once, names that are taken not accepted. */
export const definitionStrategy = (parts: { registry: () => Registry; clock: Clock }): Strategy => ({
  prepare(object, existing) {
    const spec = asObject(object['spec']);
    const names = completedNames(asObject(spec['names']));
    const completed: ApiObject = { ...object, spec: { conversion: { strategy: 'None' }, ...spec, names } };
    if (existing) return { ...completed, status: laterStatus(completed, existing) };
    const taken = takenName(completed, parts.registry());
    const finalizers = [...(object.metadata.finalizers ?? []), definitionFinalizer];
    return {
      ...completed,
      metadata: { ...object.metadata, finalizers: [...new Set(finalizers)] },
      status: statusOf(completed, taken, rfc3339(parts.clock.now())),
    };
  },
  validate: (object, existing) => definitionErrors(object, existing),
});

const columnTypes = ['string', 'integer', 'number', 'boolean', 'date'] as const;

const matchesType = (value: unknown, type: Column['type']): boolean => {
  if (type === 'string' || type === 'date') return typeof value === 'string';
  return type === 'boolean' ? typeof value === 'boolean' : typeof value === 'number';
};

const shownAs = (value: unknown, type: Column['type']): unknown => {
  if (value === undefined || value === null || matchesType(value, type)) return value;
  if (type !== 'string') return undefined;
  return JSON.stringify(value);
};

const columnOf = (source: unknown): Column => {
  const path = parseJsonPath(asText(valueAt(source, 'jsonPath')));
  const type = columnTypes.find((known) => known === valueAt(source, 'type')) ?? 'string';
  const name = asText(valueAt(source, 'name'));
  return {
    name,
    type: type === 'date' ? 'date' : type,
    description: asText(valueAt(source, 'description')) || `${name} of the object.`,
    priority: Number(valueAt(source, 'priority') ?? 0),
    cell: (object, nowMs) => {
      const value = path?.(object);
      return type === 'date' ? ageOf(value, nowMs) : shownAs(value, type);
    },
  };
};

const columnsOf = (version: unknown): Column[] => {
  const own = asArray(valueAt(version, 'additionalPrinterColumns')).map(columnOf);
  return [nameColumn, ...(own.length > 0 ? own : [ageColumn])];
};

const kindOf = (definition: ApiObject, version: unknown): Kind => {
  const names = asObject(valueAt(definition, 'spec', 'names'));
  const schema = valueAt(version, 'schema', 'openAPIV3Schema');
  const selectable = asArray(valueAt(version, 'selectableFields'));
  return {
    group: asText(valueAt(definition, 'spec', 'group')),
    version: asText(valueAt(version, 'name')),
    plural: asText(names['plural']),
    kind: asText(names['kind']),
    namespaced: valueAt(definition, 'spec', 'scope') === 'Namespaced',
    singular: asText(names['singular']),
    listKind: asText(names['listKind']),
    shortNames: asTexts(names['shortNames']),
    categories: asTexts(names['categories']),
    custom: true,
    statusSubresource: isRecord(valueAt(version, 'subresources', 'status')),
    generation: true,
    nameRule: 'subdomain',
    fieldLabels: selectable.map((field) => asText(valueAt(field, 'jsonPath')).replace(/^\./, '')),
    columns: columnsOf(version),
    strategy: {},
    needsVersion: true,
    createOnUpdate: false,
    ...(isRecord(schema) ? { schema } : {}),
  };
};

const isAccepted = (definition: ApiObject): boolean =>
  asArray(valueAt(definition, 'status', 'conditions')).some(
    (item) => valueAt(item, 'type') === 'Established' && valueAt(item, 'status') === 'True',
  );

const kindsOf = (definition: ApiObject): Kind[] => {
  if (!isAccepted(definition)) return [];
  const versions = asArray(valueAt(definition, 'spec', 'versions'));
  return versions
    .filter((version) => valueAt(version, 'served') === true)
    .map((version) => kindOf(definition, version));
};

/** Serves what the stored definitions define, at once with every change. Returns the function that ends it. */
export const serveDefinitions = (parts: { storage: Storage; registry: Registry }): (() => void) => {
  const { storage, registry } = parts;
  return storage.followAll(({ resource, type, object }) => {
    if (resource !== definitionsResource) return;
    registry.serve(object.metadata.name, type === 'DELETED' ? [] : kindsOf(object));
    if (type === 'DELETED') storage.endFollowers(object.metadata.name);
  });
};
