// The Argo CD operator's ArgoCD: what it is to make of Argo CD in a namespace. Only where the operator is installed.
import type { ApiObject } from '../metadata.ts';
import type { ApiResource } from '../resource.ts';

/** An Argo CD that the operator makes. */
export interface ArgoCd extends ApiObject {
  spec?: Record<string, unknown>;
}

/** Addresses ArgoCDs. */
export const argoCds: ApiResource<ArgoCd> = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  plural: 'argocds',
  kind: 'ArgoCD',
  namespaced: true,
};
