// The Argo CD that the operator is asked for: sizes, what is on and off, and who may administer it. Pure.
import { argoCdFinalizer } from '../api/labels.ts';
import type { ArgoCd } from '../api/argocd/argo-cd.ts';

const sized = (limits: readonly [string, string], requests: readonly [string, string]) => ({
  resources: {
    limits: { cpu: limits[0], memory: limits[1] },
    requests: { cpu: requests[0], memory: requests[1] },
  },
});

const off = { enabled: false };
const often = { env: [{ name: 'ARGOCD_RECONCILIATION_TIMEOUT', value: '60s' }] };
const small = sized(['500m', '256Mi'], ['250m', '128Mi']);

const spec = {
  applicationSet: sized(['1', '1Gi'], ['250m', '128Mi']),
  controller: { ...sized(['1', '1Gi'], ['250m', '256Mi']), ...often },
  repo: { ...sized(['1', '1Gi'], ['250m', '256Mi']), ...often },
  server: {
    ...sized(['500m', '256Mi'], ['125m', '128Mi']),
    route: { enabled: true, tls: { termination: 'reencrypt' } },
    autoscale: off,
    ingress: off,
    grpc: { ingress: off },
    service: { type: '' },
  },
  redis: small,
  ha: { ...off, ...small },
  grafana: { ...off, ...small, ingress: off, route: off },
  sso: { provider: 'dex', dex: { openShiftOAuth: true, ...small } },
  prometheus: { ...off, ingress: off, route: off },
  // Not every user of the cluster: those who administer the cluster anyway.
  rbac: { policy: 'g, system:cluster-admins, role:admin', scopes: '[groups]' },
};

/** The object to create in a namespace; it is named like it. */
export const newArgoCd = (namespace: string): ArgoCd => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ArgoCD',
  metadata: { name: namespace, namespace, finalizers: [argoCdFinalizer] },
  spec: structuredClone(spec),
});

/** The spec of a present one with what is decided here as it should be; the rest is the operator's and others'. */
export const correctedSpec = ({ spec: present }: ArgoCd): unknown => merged(present, spec);

const merged = (present: unknown, desired: unknown): unknown => {
  if (!isObject(desired)) return desired;
  const own = isObject(present) ? present : {};
  return {
    ...own,
    ...Object.fromEntries(Object.entries(desired).map(([name, value]) => [name, merged(own[name], value)])),
  };
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
