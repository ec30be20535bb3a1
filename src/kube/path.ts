// Where a kind, an object or a subresource stands on an API server.
import { apiVersionOf, type ResourceType } from './object.ts';

/** Query parameters; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The path of a collection, or with `name` of one object. A cluster-scoped kind's namespace is ignored. */
export const resourcePath = (
  resource: ResourceType,
  at: { readonly namespace?: string; readonly name?: string; readonly subresource?: string },
): string =>
  [
    resource.group === '' ? '/api' : '/apis',
    apiVersionOf(resource),
    ...(resource.namespaced && at.namespace ? ['namespaces', encodeURIComponent(at.namespace)] : []),
    resource.plural,
    ...(at.name ? [encodeURIComponent(at.name)] : []),
    ...(at.subresource ? [at.subresource] : []),
  ].join('/');

/** `path` with the parameters that are set. */
export const withQuery = (path: string, query: Query): string => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
};

/** What a path is about, without any object's name: `secrets`, `deployments/scale`, or its first segment (`version`). */
export const subjectOfPath = (path: string): string => {
  const [first = '', ...rest] = (path.split('?')[0] ?? '').split('/').filter((segment) => segment !== '');
  if (first !== 'api' && first !== 'apis') return first;
  const inGroup = rest.slice(first === 'api' ? 1 : 2);
  const isInNamespace = inGroup[0] === 'namespaces' && inGroup.length > 2 && !isSubresourceOfNamespace(inGroup);
  const [plural, , subresource] = isInNamespace ? inGroup.slice(2) : inGroup;
  if (plural === undefined) return first;
  return subresource === undefined ? plural : `${plural}/${subresource}`;
};

/** `namespaces/<name>/status` looks like a collection in a namespace. */
const isSubresourceOfNamespace = (segments: readonly string[]): boolean =>
  segments.length === 3 && (segments[2] === 'status' || segments[2] === 'finalize');
