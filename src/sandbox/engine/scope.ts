// What of a cluster the engine manages: all of it, or some namespaces. Pure; the rules and texts are Argo CD's.
import type { KubeObject, ResourceType } from '../../kube/object.ts';

/** What is managed. */
export interface Scope {
  /** Their names; none for the whole cluster. */
  readonly namespaces: readonly string[];
  /** Whether objects without a namespace are managed beside those namespaces. */
  readonly clusterResources: boolean;
}

/** The whole cluster. */
export const wholeCluster: Scope = { namespaces: [], clusterResources: true };

/** Where objects of the kind are looked for: once for the whole cluster, or in each of the namespaces, or nowhere. */
export const placesOf = (
  { namespaces, clusterResources }: Scope,
  { namespaced }: ResourceType,
): readonly { readonly namespace?: string }[] => {
  if (namespaces.length === 0 || (!namespaced && clusterResources)) return [{}];
  return namespaced ? namespaces.map((namespace) => ({ namespace })) : [];
};

/** Why the object, with its namespace if it has one, is not managed; undefined if it is. */
export const unmanaged = (
  { namespaces, clusterResources }: Scope,
  { kind, metadata: { name, namespace = '' } }: KubeObject,
): string | undefined => {
  if (namespaces.length === 0) return undefined;
  if (namespace === '')
    return clusterResources ? undefined : `cluster level ${kind} "${name}" can not be managed when in namespaced mode`;
  return namespaces.includes(namespace) ? undefined : `namespace "${namespace}" for ${kind} "${name}" is not managed`;
};
