// What a path names: a kind, perhaps one object of it, perhaps a part of that object.
import type { ObjectRef } from '../../../kube/object.ts';
import type { Kind } from '../kinds/kind.ts';
import { noSuchPath } from '../refusal.ts';
import type { Registry } from '../kinds/registry.ts';

/** What a request is about. */
export interface Target {
  readonly kind: Kind;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: 'status' | 'finalize';
}

interface Parts {
  readonly group: string;
  readonly version: string;
  readonly rest: readonly string[];
}

const split = (segments: readonly string[]): Parts | undefined => {
  const [root, first = '', second = '', ...rest] = segments;
  if (root === 'api' && first === 'v1')
    return { group: '', version: 'v1', rest: second === '' ? [] : [second, ...rest] };
  return root === 'apis' && second !== '' ? { group: first, version: second, rest } : undefined;
};

const subresourceOf = (kind: Kind, name: string | undefined): Target['subresource'] => {
  if (name === undefined) return undefined;
  if (name === 'status' && kind.statusSubresource) return 'status';
  if (name === 'finalize' && kind.kind === 'Namespace') return 'finalize';
  throw noSuchPath();
};

/** Reads a path below `/api/v1` or `/apis`. Throws 404 when nothing is served there. */
export const readTarget = (registry: Registry, segments: readonly string[]): Target => {
  const parts = split(segments);
  if (!parts) throw noSuchPath();
  const { group, version, rest } = parts;
  const inNamespace = rest[0] === 'namespaces' && rest.length >= 3 && registry.find(group, version, rest[2] ?? '');
  const [plural = '', name, subresource, ...more] = inNamespace ? rest.slice(2) : rest;
  const kind = inNamespace || registry.find(group, version, plural);
  if (!kind || more.length > 0) throw noSuchPath();
  const namespace = inNamespace ? rest[1] : undefined;
  if ((namespace === undefined) === kind.namespaced && name !== undefined) throw noSuchPath();
  if (namespace !== undefined && !kind.namespaced) throw noSuchPath();
  const part = subresourceOf(kind, subresource);
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(part === undefined ? {} : { subresource: part }),
  };
};

/** The object that a path names. */
export const refOf = (target: Target): ObjectRef => ({
  name: target.name ?? '',
  ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
});
