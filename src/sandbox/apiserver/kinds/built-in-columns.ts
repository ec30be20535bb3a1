// The columns `kubectl get` shows for built-in kinds.
import { isRecord } from '../../../kube/json.ts';
import { ageOf } from './age.ts';
import { asArray, asText, valueAt } from '../json.ts';
import type { ApiObject, Column } from './kind.ts';

type Cell = Column['cell'];

const column = (name: string, cell: Cell, options: Partial<Column> = {}): Column => ({
  name,
  type: 'string',
  description: `${name} of the object.`,
  priority: 0,
  cell,
  ...options,
});

const at =
  (...path: string[]): Cell =>
  (object) =>
    valueAt(object, ...path);

const textAt =
  (none: string, ...path: string[]): Cell =>
  (object) =>
    asText(valueAt(object, ...path)) || none;

const countAt =
  (...path: string[]): Cell =>
  (object) => {
    const value = valueAt(object, ...path);
    return isRecord(value) ? Object.keys(value).length : asArray(value).length;
  };

const numberAt = (object: ApiObject, ...path: string[]): number => Number(valueAt(object, ...path) ?? 0);

const wide = { priority: 1 };

/** The column every table begins with. */
export const nameColumn = column('Name', (object) => object.metadata.name, {
  description: 'Name of the object, unique within its namespace and kind.',
});

/** How long ago the object was created. */
export const ageColumn = column('Age', (object, nowMs) => ageOf(object.metadata.creationTimestamp, nowMs), {
  description: 'Time since the object was created.',
});

const createdColumn = column('Created At', (object) => object.metadata.creationTimestamp ?? '<unknown>');

const readyOf =
  (ready: string, wanted: string): Cell =>
  (object) =>
    `${numberAt(object, 'status', ready)}/${numberAt(object, 'spec', wanted)}`;

const ports: Cell = (object) =>
  asArray(valueAt(object, 'spec', 'ports'))
    .map((port) => `${String(valueAt(port, 'port'))}/${asText(valueAt(port, 'protocol')) || 'TCP'}`)
    .join(',') || '<none>';

const containerReady: Cell = (object) => {
  const statuses = asArray(valueAt(object, 'status', 'containerStatuses'));
  const ready = statuses.filter((status) => valueAt(status, 'ready') === true).length;
  return `${ready}/${asArray(valueAt(object, 'spec', 'containers')).length}`;
};

const restarts: Cell = (object) =>
  asArray(valueAt(object, 'status', 'containerStatuses')).reduce<number>(
    (sum, status) => sum + Number(valueAt(status, 'restartCount') ?? 0),
    0,
  );

const podStatus: Cell = (object) =>
  object.metadata.deletionTimestamp ? 'Terminating' : asText(valueAt(object, 'status', 'phase')) || 'Pending';

const nodeStatus: Cell = (object) => {
  const conditions = asArray(valueAt(object, 'status', 'conditions'));
  const ready = conditions.find((condition) => valueAt(condition, 'type') === 'Ready');
  return valueAt(ready, 'status') === 'True' ? 'Ready' : ready ? 'NotReady' : 'Unknown';
};

const eventObject: Cell = (object) =>
  `${asText(valueAt(object, 'involvedObject', 'kind')).toLowerCase()}/${asText(valueAt(object, 'involvedObject', 'name'))}`;

const lastSeen: Cell = (object, nowMs) => {
  const seen = ['lastTimestamp', 'eventTime', 'firstTimestamp'].map((field) => object[field]).find(Boolean);
  return ageOf(seen ?? object.metadata.creationTimestamp, nowMs);
};

const roleOf: Cell = (object) =>
  `${asText(valueAt(object, 'roleRef', 'kind'))}/${asText(valueAt(object, 'roleRef', 'name'))}`;

const hosts: Cell = (object) =>
  asArray(valueAt(object, 'spec', 'rules'))
    .map((rule) => asText(valueAt(rule, 'host')) || '*')
    .join(',') || '*';

const selector: Cell = (object) => {
  const labels = Object.entries(
    (valueAt(object, 'spec', 'podSelector', 'matchLabels') as object | undefined) ?? {}, // a map of labels where there is one
  );
  return labels.map(([key, value]) => `${key}=${String(value)}`).join(',') || '<none>';
};

/** The columns between Name and Age of the kinds that have some, by `plural.group`. */
const middles: Readonly<Record<string, readonly Column[]>> = {
  namespaces: [column('Status', at('status', 'phase'))],
  secrets: [column('Type', at('type')), column('Data', countAt('data'), { type: 'integer' })],
  configmaps: [column('Data', countAt('data'), { type: 'integer' })],
  serviceaccounts: [column('Secrets', countAt('secrets'), { type: 'integer' })],
  services: [
    column('Type', textAt('ClusterIP', 'spec', 'type')),
    column('Cluster-IP', textAt('<none>', 'spec', 'clusterIP')),
    column('External-IP', textAt('<none>', 'spec', 'externalName')),
    column('Port(s)', ports),
  ],
  pods: [
    column('Ready', containerReady),
    column('Status', podStatus),
    column('Restarts', restarts, { type: 'integer' }),
  ],
  nodes: [column('Status', nodeStatus), column('Version', textAt('', 'status', 'nodeInfo', 'kubeletVersion'))],
  events: [
    column('Type', at('type')),
    column('Reason', at('reason')),
    column('Object', eventObject),
    column('Source', textAt('', 'source', 'component'), wide),
    column('Message', at('message')),
  ],
  persistentvolumeclaims: [
    column('Status', textAt('Pending', 'status', 'phase')),
    column('Volume', textAt('', 'spec', 'volumeName')),
    column('Capacity', textAt('', 'status', 'capacity', 'storage')),
    column('StorageClass', textAt('', 'spec', 'storageClassName')),
  ],
  persistentvolumes: [
    column('Capacity', textAt('', 'spec', 'capacity', 'storage')),
    column('Status', textAt('Pending', 'status', 'phase')),
    column('StorageClass', textAt('', 'spec', 'storageClassName')),
  ],
  'deployments.apps': [
    column('Ready', readyOf('readyReplicas', 'replicas')),
    column('Up-to-date', (object) => numberAt(object, 'status', 'updatedReplicas'), { type: 'integer' }),
    column('Available', (object) => numberAt(object, 'status', 'availableReplicas'), { type: 'integer' }),
  ],
  'replicasets.apps': [
    column('Desired', (object) => numberAt(object, 'spec', 'replicas'), { type: 'integer' }),
    column('Current', (object) => numberAt(object, 'status', 'replicas'), { type: 'integer' }),
    column('Ready', (object) => numberAt(object, 'status', 'readyReplicas'), { type: 'integer' }),
  ],
  'statefulsets.apps': [column('Ready', readyOf('readyReplicas', 'replicas'))],
  'daemonsets.apps': [
    column('Desired', (object) => numberAt(object, 'status', 'desiredNumberScheduled'), { type: 'integer' }),
    column('Ready', (object) => numberAt(object, 'status', 'numberReady'), { type: 'integer' }),
  ],
  'jobs.batch': [
    column(
      'Completions',
      (object) => `${numberAt(object, 'status', 'succeeded')}/${Number(valueAt(object, 'spec', 'completions') ?? 1)}`,
    ),
  ],
  'cronjobs.batch': [
    column('Schedule', at('spec', 'schedule')),
    column('Suspend', (object) => valueAt(object, 'spec', 'suspend') === true),
  ],
  'ingresses.networking.k8s.io': [
    column('Class', textAt('<none>', 'spec', 'ingressClassName')),
    column('Hosts', hosts),
  ],
  'networkpolicies.networking.k8s.io': [column('Pod-Selector', selector)],
  'rolebindings.rbac.authorization.k8s.io': [column('Role', roleOf)],
  'clusterrolebindings.rbac.authorization.k8s.io': [column('Role', roleOf)],
  'leases.coordination.k8s.io': [column('Holder', textAt('', 'spec', 'holderIdentity'))],
  'storageclasses.storage.k8s.io': [column('Provisioner', at('provisioner'))],
};

const created = ['roles', 'clusterroles', 'customresourcedefinitions'];

/** The table of a built-in kind, given as `plural.group`. */
export const builtInColumns = (resource: string): readonly Column[] => {
  if (resource === 'events') {
    return [column('Last Seen', lastSeen), ...(middles['events'] ?? []), { ...nameColumn, priority: 1 }];
  }
  const last = created.includes(resource.split('.')[0] ?? '') ? createdColumn : ageColumn;
  return [nameColumn, ...(middles[resource] ?? []), last];
};
