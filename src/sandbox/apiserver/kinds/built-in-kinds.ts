// The kinds every Kubernetes cluster has, as far as they are served: names and scope, no schemas.
import { isRecord } from '../../../kube/json.ts';
import { builtInColumns } from './built-in-columns.ts';
import { invalid, type FieldError } from '../schema/field-error.ts';
import { configMapStrategy, eventStrategy, leaseStrategy, secretStrategy } from './built-in-strategies.ts';
import { isStruct } from './go-structs.ts';
import { isEqualJson } from '../../../kube/patch.ts';
import { asObject, valueAt } from '../json.ts';
import { resourceName, type ApiObject, type Kind, type Strategy } from './kind.ts';
import { mutatingWebhookStrategy, validatingWebhookStrategy } from './webhook-configurations.ts';

type Row = Pick<Kind, 'group' | 'version' | 'plural' | 'kind'> &
  Partial<Pick<Kind, 'shortNames' | 'nameRule' | 'fieldLabels' | 'strategy' | 'tokenRequests'>> & {
    readonly clusterWide?: boolean;
    readonly status?: boolean;
    readonly generation?: boolean;
    readonly inAll?: boolean;
    readonly needsVersion?: boolean;
    readonly createOnUpdate?: boolean;
    /** Paths that may not change once the object is there. */
    readonly fixed?: readonly string[];
  };

const core = { group: '', version: 'v1' } as const;
const apps = { group: 'apps', version: 'v1', status: true, generation: true, inAll: true } as const;
const batch = { group: 'batch', version: 'v1', status: true, generation: true, inAll: true } as const;
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', nameRule: 'path' } as const;
const networking = { group: 'networking.k8s.io', version: 'v1', generation: true } as const;
const admission = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  generation: true,
  clusterWide: true,
} as const;

const namespaceStrategy: Strategy = {
  prepare: (object, existing) => ({
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name },
    },
    spec: existing ? existing['spec'] : { finalizers: ['kubernetes'] },
    status: object['status'] ?? { phase: 'Active' },
  }),
};

/** Fills in fields of `spec` that the real server always shows. */
const withSpec = (defaults: Readonly<Record<string, unknown>>): Strategy => ({
  prepare: (object) => ({ ...object, spec: { ...defaults, ...asObject(object['spec']) } }),
});

const podStrategy: Strategy = {
  prepare: (object) => ({ ...object, status: object['status'] ?? { phase: 'Pending' } }),
};

const rows: readonly Row[] = [
  {
    ...core,
    plural: 'namespaces',
    kind: 'Namespace',
    shortNames: ['ns'],
    clusterWide: true,
    status: true,
    nameRule: 'label',
    fieldLabels: ['status.phase'],
    strategy: namespaceStrategy,
  },
  { ...core, plural: 'secrets', kind: 'Secret', fieldLabels: ['type'], fixed: ['type'], strategy: secretStrategy },
  { ...core, plural: 'configmaps', kind: 'ConfigMap', shortNames: ['cm'], strategy: configMapStrategy },
  {
    ...core,
    plural: 'services',
    kind: 'Service',
    shortNames: ['svc'],
    status: true,
    inAll: true,
    strategy: withSpec({ type: 'ClusterIP', sessionAffinity: 'None' }),
  },
  { ...core, plural: 'serviceaccounts', kind: 'ServiceAccount', shortNames: ['sa'], tokenRequests: true },
  {
    ...core,
    plural: 'pods',
    kind: 'Pod',
    shortNames: ['po'],
    status: true,
    inAll: true,
    fieldLabels: ['spec.nodeName', 'status.phase', 'spec.serviceAccountName', 'status.podIP'],
    strategy: podStrategy,
  },
  {
    ...core,
    plural: 'events',
    kind: 'Event',
    shortNames: ['ev'],
    nameRule: 'path',
    fieldLabels: ['involvedObject.*', 'reason', 'type', 'reportingComponent', 'source'],
    createOnUpdate: true,
    strategy: eventStrategy,
  },
  { ...core, plural: 'endpoints', kind: 'Endpoints', shortNames: ['ep'] },
  { ...core, plural: 'persistentvolumeclaims', kind: 'PersistentVolumeClaim', shortNames: ['pvc'], status: true },
  {
    ...core,
    plural: 'persistentvolumes',
    kind: 'PersistentVolume',
    shortNames: ['pv'],
    clusterWide: true,
    status: true,
  },
  {
    ...core,
    plural: 'nodes',
    kind: 'Node',
    shortNames: ['no'],
    clusterWide: true,
    status: true,
    fieldLabels: ['spec.unschedulable'],
  },
  {
    ...core,
    plural: 'replicationcontrollers',
    kind: 'ReplicationController',
    shortNames: ['rc'],
    status: true,
    generation: true,
    inAll: true,
  },
  { ...core, plural: 'limitranges', kind: 'LimitRange', shortNames: ['limits'] },
  { ...core, plural: 'resourcequotas', kind: 'ResourceQuota', shortNames: ['quota'], status: true },
  {
    ...apps,
    plural: 'deployments',
    kind: 'Deployment',
    shortNames: ['deploy'],
    fixed: ['spec.selector'],
    strategy: withSpec({ replicas: 1 }),
  },
  {
    ...apps,
    plural: 'replicasets',
    kind: 'ReplicaSet',
    shortNames: ['rs'],
    fixed: ['spec.selector'],
    strategy: withSpec({ replicas: 1 }),
  },
  {
    ...apps,
    plural: 'statefulsets',
    kind: 'StatefulSet',
    shortNames: ['sts'],
    fixed: ['spec.selector'],
    strategy: withSpec({ replicas: 1 }),
  },
  { ...apps, plural: 'daemonsets', kind: 'DaemonSet', shortNames: ['ds'], fixed: ['spec.selector'] },
  { ...batch, plural: 'jobs', kind: 'Job', fixed: ['spec.template'] },
  { ...batch, plural: 'cronjobs', kind: 'CronJob', shortNames: ['cj'] },
  {
    group: 'autoscaling',
    version: 'v2',
    plural: 'horizontalpodautoscalers',
    kind: 'HorizontalPodAutoscaler',
    shortNames: ['hpa'],
    status: true,
    inAll: true,
  },
  {
    group: 'policy',
    version: 'v1',
    plural: 'poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    shortNames: ['pdb'],
    status: true,
    generation: true,
  },
  { ...networking, plural: 'ingresses', kind: 'Ingress', shortNames: ['ing'], status: true },
  { ...networking, plural: 'ingressclasses', kind: 'IngressClass', clusterWide: true },
  { ...networking, plural: 'networkpolicies', kind: 'NetworkPolicy', shortNames: ['netpol'] },
  { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices', kind: 'EndpointSlice' },
  { ...rbac, plural: 'roles', kind: 'Role' },
  { ...rbac, plural: 'rolebindings', kind: 'RoleBinding', fixed: ['roleRef'] },
  { ...rbac, plural: 'clusterroles', kind: 'ClusterRole', clusterWide: true },
  { ...rbac, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding', clusterWide: true, fixed: ['roleRef'] },
  {
    group: 'coordination.k8s.io',
    version: 'v1',
    plural: 'leases',
    kind: 'Lease',
    needsVersion: true,
    createOnUpdate: true,
    strategy: leaseStrategy,
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    plural: 'storageclasses',
    kind: 'StorageClass',
    shortNames: ['sc'],
    clusterWide: true,
  },
  {
    group: 'scheduling.k8s.io',
    version: 'v1',
    plural: 'priorityclasses',
    kind: 'PriorityClass',
    shortNames: ['pc'],
    clusterWide: true,
  },
  {
    ...admission,
    plural: 'mutatingwebhookconfigurations',
    kind: 'MutatingWebhookConfiguration',
    strategy: mutatingWebhookStrategy,
  },
  {
    ...admission,
    plural: 'validatingwebhookconfigurations',
    kind: 'ValidatingWebhookConfiguration',
    strategy: validatingWebhookStrategy,
  },
  {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    plural: 'customresourcedefinitions',
    kind: 'CustomResourceDefinition',
    shortNames: ['crd', 'crds'],
    clusterWide: true,
    status: true,
    generation: true,
    needsVersion: true,
  },
];

const fixedErrors = (fixed: readonly string[], object: ApiObject, existing?: ApiObject): FieldError[] => {
  if (!existing) return [];
  return fixed
    .filter((path) => !isEqualJson(valueAt(object, ...path.split('.')), valueAt(existing, ...path.split('.'))))
    .map((path) => invalid(path, valueAt(object, ...path.split('.')), 'field is immutable'));
};

const shapeErrors = (object: ApiObject): FieldError[] =>
  ['spec', 'status', 'data']
    .filter((field) => object[field] !== undefined && object[field] !== null && !isRecord(object[field]))
    .map((field) => invalid(field, object[field], 'must be an object'));

const kindOf = (row: Row, strategies: Readonly<Record<string, Strategy>>): Kind => {
  const { clusterWide, status, generation, inAll, fixed = [], ...rest } = row;
  const strategy = strategies[resourceName(row)] ?? row.strategy ?? {};
  return {
    shortNames: [],
    nameRule: 'subdomain',
    fieldLabels: [],
    needsVersion: false,
    createOnUpdate: false,
    ...(isStruct(row.kind) ? { struct: row.kind } : {}),
    ...rest,
    namespaced: !clusterWide,
    singular: row.kind.toLowerCase(),
    listKind: `${row.kind}List`,
    categories: inAll ? ['all'] : [],
    custom: false,
    statusSubresource: status ?? false,
    generation: generation ?? false,
    columns: builtInColumns(resourceName(row)),
    strategy: {
      ...strategy,
      validate: (object, existing) => [
        ...shapeErrors(object),
        ...fixedErrors(fixed, object, existing),
        ...(strategy.validate?.(object, existing) ?? []),
      ],
    },
  };
};

/** All built-in kinds. `strategies` replaces the table's own, by `plural.group`. */
export const builtInKinds = (strategies: Readonly<Record<string, Strategy>>): Kind[] =>
  rows.map((row) => kindOf(row, strategies));
