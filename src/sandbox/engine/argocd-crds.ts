// The definitions of Argo CD's kinds, for a server that has none.
import { argoKinds } from '../../api/argocd/kinds.ts';
import { customResourceDefinition, type CustomResourceDefinition } from '../../api/crd.ts';

/** Application and AppProject as `apiextensions.k8s.io/v1` objects; as in Argo CD, without a status subresource. */
export const argoCdCrds = (): readonly CustomResourceDefinition[] => argoKinds.map(customResourceDefinition);
