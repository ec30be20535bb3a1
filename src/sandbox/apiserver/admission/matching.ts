// Which webhooks are asked about a write: the rules and selectors of their configurations.
import type { Attributes } from './attributes.ts';
import { asArray, asObject, asText, asTexts, valueAt, type JsonObject } from '../json.ts';
import { resourceName, type ApiObject, type Kind } from '../kinds/kind.ts';
import type { Registry } from '../kinds/registry.ts';
import type { Storage } from '../storage/storage.ts';

/** Where a webhook stands in what happens to a write. */
export type Phase = 'mutating' | 'validating';

/** A webhook that is to be asked, and as which version of its kind it wants to see the object. */
export interface Invocation {
  readonly name: string;
  readonly hook: JsonObject;
  readonly kind: Kind;
}

const group = 'admissionregistration.k8s.io';

const covers = (items: unknown, asked: string): boolean => {
  const texts = asTexts(items);
  return texts.includes('*') || texts.includes(asked);
};

/** `*` is every resource, `*` after a slash every part of it; without a slash the parts are not meant. */
const coversResource = (items: unknown, plural: string, part: string): boolean =>
  asTexts(items).some((item) => {
    const [resource = '', sub = ''] = item.split('/', 2);
    return (resource === '*' || resource === plural) && (sub === '*' || sub === part);
  });

const coversScope = (scope: string, { kind }: Attributes): boolean =>
  scope === '*' || (scope === 'Namespaced') === kind.namespaced;

const ruleMatches = (rule: unknown, kind: Kind, attributes: Attributes): boolean =>
  covers(valueAt(rule, 'operations'), attributes.operation) &&
  covers(valueAt(rule, 'apiGroups'), kind.group) &&
  covers(valueAt(rule, 'apiVersions'), kind.version) &&
  coversResource(valueAt(rule, 'resources'), kind.plural, attributes.subresource ?? '') &&
  coversScope(asText(valueAt(rule, 'scope')), attributes);

const termMatches = (term: unknown, labels: Readonly<Record<string, string>>): boolean => {
  const [key, values] = [asText(valueAt(term, 'key')), asTexts(valueAt(term, 'values'))];
  const has = Object.hasOwn(labels, key);
  switch (valueAt(term, 'operator')) {
    case 'In':
      return has && values.includes(labels[key] ?? '');
    case 'NotIn':
      return !has || !values.includes(labels[key] ?? '');
    case 'Exists':
      return has;
    default:
      return !has;
  }
};

/** `metav1.LabelSelector`; an empty one selects everything. */
const selects = (selector: unknown, labels: Readonly<Record<string, string>> = {}): boolean =>
  Object.entries(asObject(valueAt(selector, 'matchLabels'))).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  ) && asArray(valueAt(selector, 'matchExpressions')).every((term) => termMatches(term, labels));

/** Creates the finder of webhooks among the configurations that are stored. */
export const createMatching = ({ storage, registry }: { storage: Storage; registry: Registry }) => {
  const configurations = (phase: Phase): readonly ApiObject[] => storage.list(`${phase}webhookconfigurations.${group}`);

  /** The labels of the namespace that an object is in; of a namespace its own. Undefined where it is in none. */
  const namespaceLabels = ({ kind, namespace }: Attributes, object: ApiObject) => {
    if (resourceName(kind) === 'namespaces') return object.metadata.labels ?? {};
    if (!kind.namespaced) return undefined;
    return storage.get('namespaces', { name: namespace })?.metadata.labels ?? {};
  };

  const isSelected = (hook: JsonObject, attributes: Attributes, object: ApiObject): boolean => {
    const labels = namespaceLabels(attributes, object);
    if (labels && !selects(hook['namespaceSelector'], labels)) return false;
    return [object, attributes.existing].some((one) => one && selects(hook['objectSelector'], one.metadata.labels));
  };

  /** The version of the kind that a rule names: the one that was written, else any other, unless only the former counts. */
  const kindFor = (hook: JsonObject, attributes: Attributes): Kind | undefined => {
    const { kind } = attributes;
    const same = registry.all().filter((one) => one !== kind && resourceName(one) === resourceName(kind));
    const versions = hook['matchPolicy'] === 'Exact' ? [kind] : [kind, ...same];
    const rules = asArray(hook['rules']);
    return versions.find((version) => rules.some((rule) => ruleMatches(rule, version, attributes)));
  };

  return {
    /** Whether anybody could have to be asked. Nobody is about the configurations themselves: they could lock themselves in. */
    concerns: ({ kind }: Pick<Attributes, 'kind'>): boolean =>
      kind.group !== group && (configurations('mutating').length > 0 || configurations('validating').length > 0),

    /** All webhooks, in the order of their configurations' names. */
    hooks: (phase: Phase): JsonObject[] =>
      configurations(phase).flatMap((configuration) => asArray(configuration['webhooks']).map(asObject)),

    /** How a webhook is to be asked about an object; undefined where it is not. */
    invocation(hook: JsonObject, attributes: Attributes, object: ApiObject): Invocation | undefined {
      const kind = isSelected(hook, attributes, object) ? kindFor(hook, attributes) : undefined;
      return kind && { name: asText(hook['name']), hook, kind };
    },
  };
};
