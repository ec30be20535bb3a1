// The API group of the five kinds.
import type { ApiObject } from '../metadata.ts';
import type { ApiResource } from '../resource.ts';

/** Describes a kind of the group, which are all namespaced. The plural is the lower-case kind with an s. */
export const ownResource = <T extends ApiObject>(kind: string): ApiResource<T> => ({
  group: 'managed-gitops.redhat.com',
  version: 'v1alpha1',
  plural: `${kind.toLowerCase()}s`,
  kind,
  namespaced: true,
});
