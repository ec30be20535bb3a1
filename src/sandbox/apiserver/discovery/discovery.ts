// Discovery: which groups, versions and kinds there are, in the old form (a request each) and the aggregated one.
import { apiVersionOf } from '../../../kube/object.ts';
import { jsonResponse, type ApiRequest, type ApiResponse } from '../http/exchange.ts';
import type { JsonObject } from '../json.ts';
import type { Kind } from '../kinds/kind.ts';
import { tokenRequestKind } from '../accounts/token-requests.ts';
import { reviewKinds } from './reviews.ts';

const objectVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const statusVerbs = ['get', 'patch', 'update'];

/** A kind as discovery tells of it. */
type Listed = Pick<Kind, 'group' | 'version' | 'plural' | 'kind' | 'singular' | 'namespaced'> & Partial<Kind>;

const reviews: readonly Listed[] = reviewKinds.map((review) => ({ ...review, singular: review.kind.toLowerCase() }));

const verbsOf = (kind: Listed): string[] => {
  if (kind.listKind === undefined) return ['create'];
  return kind.kind === 'Namespace' ? objectVerbs.filter((verb) => verb !== 'deletecollection') : objectVerbs;
};

interface Subresource {
  readonly name: string;
  readonly verbs: string[];
  /** What is sent and answered, where that is not the kind itself. */
  readonly is?: { readonly group: string; readonly version: string; readonly kind: string };
}

/** The parts of an object that have a path of their own, with what may be done to them. */
const subresourcesOf = (kind: Listed): Subresource[] => [
  ...(kind.tokenRequests ? [{ name: 'token', verbs: ['create'], is: tokenRequestKind }] : []),
  ...(kind.kind === 'Namespace' ? [{ name: 'finalize', verbs: ['update'] }] : []),
  ...(kind.statusSubresource ? [{ name: 'status', verbs: statusVerbs }] : []),
];

const resourcesOf = (kind: Listed): JsonObject[] => {
  const shared = { namespaced: kind.namespaced, kind: kind.kind };
  const names = {
    ...(kind.shortNames?.length ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories?.length ? { categories: kind.categories } : {}),
  };
  const own = { name: kind.plural, singularName: kind.singular, ...shared, verbs: verbsOf(kind), ...names };
  const parts = subresourcesOf(kind).map(({ name, verbs, is }) => ({
    name: `${kind.plural}/${name}`,
    singularName: '',
    ...shared,
    ...is,
    verbs,
  }));
  return [own, ...parts];
};

const aggregatedOf = (kind: Listed): JsonObject => {
  const responseKind = { group: kind.group, version: kind.version, kind: kind.kind };
  const subresources = subresourcesOf(kind).map(({ name, verbs, is = responseKind }) => ({
    subresource: name,
    responseKind: is,
    verbs,
  }));
  return {
    resource: kind.plural,
    responseKind,
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: verbsOf(kind),
    ...(kind.shortNames?.length ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories?.length ? { categories: kind.categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
};

/** Orders versions as Kubernetes prefers them: v2, v1, v1beta1, v1alpha1. */
const byPreference = (left: string, right: string): number => {
  const rank = (version: string): number[] => {
    const [, major = '0', stage = 'stable', minor = '0'] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? [];
    return [['alpha', 'beta', 'stable'].indexOf(stage), Number(major), Number(minor)];
  };
  const [a, b] = [rank(left), rank(right)];
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? 0 : (b[at] ?? 0) - (a[at] ?? 0);
};

const groupsOf = (kinds: readonly Listed[]): Map<string, string[]> => {
  const groups = new Map<string, string[]>();
  for (const { group, version } of kinds) {
    const versions = groups.get(group) ?? [];
    if (!versions.includes(version)) versions.push(version);
    groups.set(group, versions.toSorted(byPreference));
  }
  return groups;
};

const groupObject = (group: string, versions: readonly string[]): JsonObject => {
  const named = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: named, preferredVersion: named[0] };
};

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const isAggregated = (accept: string): boolean =>
  accept.split(',').some((type) => type.replaceAll(' ', '').includes('g=apidiscovery.k8s.io;v=v2;as='));

const aggregated = (kinds: readonly Listed[]): ApiResponse => {
  const items = [...groupsOf(kinds)].map(([group, versions]) => ({
    metadata: { name: group, creationTimestamp: null },
    versions: versions.map((version) => ({
      version,
      resources: kinds.filter((kind) => kind.group === group && kind.version === version).map(aggregatedOf),
      freshness: 'Current',
    })),
  }));
  const list = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
  return jsonResponse(list, 200, { 'content-type': aggregatedType });
};

const resourceList = (kinds: readonly Listed[], group: string, version: string): ApiResponse | undefined => {
  const listed = kinds.filter((kind) => kind.group === group && kind.version === version);
  const [first] = listed;
  if (!first) return undefined;
  const resources = listed.flatMap(resourcesOf);
  return jsonResponse({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf(first), resources });
};

const coreRoot = (kinds: readonly Listed[], request: ApiRequest): ApiResponse =>
  isAggregated(request.accept)
    ? aggregated(kinds.filter((kind) => kind.group === ''))
    : jsonResponse({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] });

const groupsRoot = (kinds: readonly Listed[], request: ApiRequest): ApiResponse => {
  const named = kinds.filter((kind) => kind.group !== '');
  if (isAggregated(request.accept)) return aggregated(named);
  const groups = [...groupsOf(named)].map(([group, versions]) => groupObject(group, versions));
  return jsonResponse({ kind: 'APIGroupList', apiVersion: 'v1', groups });
};

/** Answers a discovery request; undefined when the path is none. */
export const discover = (
  served: readonly Kind[],
  segments: readonly string[],
  request: ApiRequest,
): ApiResponse | undefined => {
  const kinds: readonly Listed[] = [...served, ...reviews];
  const [root, group = '', version = '', ...more] = segments.filter((segment) => segment !== '');
  if (more.length > 0) return undefined;
  if (root === 'api') {
    if (group === '') return coreRoot(kinds, request);
    return version === '' ? resourceList(kinds, '', group) : undefined;
  }
  if (root !== 'apis') return undefined;
  if (group === '') return groupsRoot(kinds, request);
  if (version !== '') return resourceList(kinds, group, version);
  const versions = groupsOf(kinds).get(group);
  return versions && jsonResponse({ kind: 'APIGroup', apiVersion: 'v1', ...groupObject(group, versions) });
};
