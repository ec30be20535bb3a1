// The shapes every Kubernetes object shares, and how a kind is addressed. No kind of its own lives here.

/** `metav1.OwnerReference`. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** `metav1.ObjectMeta`, as far as it is read or written here. Times are RFC 3339 text, as on the wire. */
export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: unknown[];
}

/** Any Kubernetes object. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** A list as the API server answers it. */
export interface KubeList<T> {
  readonly metadata: {
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: T[];
}

/**
 * How a kind is addressed: group ('' for the core group), version, plural, and whether it lives in namespaces.
 * `T` is the kind's type; `type` is never set, it only carries `T`.
 */
export interface ResourceType<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly type?: T;
}

/** Names one object of a kind; `namespace` for namespaced kinds only. */
export interface ObjectRef {
  readonly namespace?: string;
  readonly name: string;
}

/** `group/version`, or `version` for the core group. */
export const apiVersionOf = (resource: Pick<ResourceType, 'group' | 'version'>): string =>
  resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;

/** The key of an object in caches and queues: `namespace/name`, or `name` for cluster-scoped kinds. */
export const objectKey = (ref: ObjectRef): string => (ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name);

/** `v1.Namespace`. */
export interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] };
  status?: { phase?: string };
}

/** `v1.Secret`; `data` is base64. */
export interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
}

/** `coordination.k8s.io/v1.Lease`; times are RFC 3339 with microseconds. */
export interface Lease extends KubeObject {
  spec: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number;
    acquireTime?: string | null;
    renewTime?: string | null;
    leaseTransitions?: number;
  };
}

/** `v1.Event`, the core kind that `kubectl describe` shows. */
export interface Event extends KubeObject {
  involvedObject: {
    apiVersion: string;
    kind: string;
    namespace?: string;
    name: string;
    uid?: string;
    resourceVersion?: string;
  };
  reason: string;
  message: string;
  type: 'Normal' | 'Warning';
  count?: number;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  source?: { component?: string };
  reportingComponent?: string;
  reportingInstance?: string;
}

const core = { group: '', version: 'v1' } as const;

/** `v1` namespaces. */
export const namespaces: ResourceType<Namespace> = {
  ...core,
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};
/** `v1` secrets. */
export const secrets: ResourceType<Secret> = { ...core, plural: 'secrets', kind: 'Secret', namespaced: true };
/** `v1` events. */
export const events: ResourceType<Event> = { ...core, plural: 'events', kind: 'Event', namespaced: true };
/** `coordination.k8s.io/v1` leases. */
export const leases: ResourceType<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};
