// What a deployment's status should say: rows and faults in, the wanted status out. Pure.
import { inCluster } from '../api/labels.ts';
import type { GitOpsDeploymentStatus } from '../api/v1alpha1/gitops-deployment.ts';
import { emptyStatus, type StoredOperationState, type StoredStatus } from './application-status.ts';

/** The part of the status that mirrors what Argo CD reports. */
export type MirroredStatus = Omit<GitOpsDeploymentStatus, 'conditions'>;

/** How the id of an environment's row is shown: the name of its object, or '' when it is not known. */
export type EnvironmentName = (environmentId: string) => string;

/** Mirrors a stored status; without one, a status whose required fields are there and empty. */
export const mirrorStatus = (stored: StoredStatus | undefined, environmentName: EnvironmentName): MirroredStatus => {
  const { sync, health, resources, operationState } = stored ?? emptyStatus();
  const { source, destination } = sync.comparedTo;
  return {
    sync: { status: sync.status, ...filled({ revision: sync.revision }) },
    health: filled(health),
    resources: resources.map(({ health: itsHealth, ...resource }) => ({
      ...filled(resource),
      ...(itsHealth && { health: filled(itsHealth) }),
    })),
    reconciledState: {
      source: { path: source.path, repoURL: source.repoURL, branch: source.targetRevision },
      destination: {
        name: destination.name === '' || destination.name === inCluster ? '' : environmentName(destination.name),
        namespace: destination.namespace,
      },
    },
    ...(operationState && { operationState: mirrorOperation(operationState) }),
  };
};

/** Go's zero time: the field must be there, and must be a time. */
const NO_TIME = '0001-01-01T00:00:00Z';

type OperationStateOut = NonNullable<GitOpsDeploymentStatus['operationState']>;

const mirrorOperation = (state: StoredOperationState): OperationStateOut => {
  const { operation, syncResult } = state;
  return {
    operation: mirrorOrder(operation),
    phase: state.phase,
    ...filled({ message: state.message, finishedAt: state.finishedAt, retryCount: state.retryCount }),
    startedAt: state.startedAt ?? NO_TIME,
    ...(syncResult && {
      syncResult: {
        ...filled({ resources: syncResult.resources.map(mirrorResult), revisions: syncResult.revisions }),
        revision: syncResult.revision,
        source: mirrorSource(syncResult.source),
        ...filled({ sources: syncResult.sources.map(mirrorSource) }),
        ...filled({ managedNamespaceMetadata: syncResult.managedNamespaceMetadata }),
      },
    }),
  };
};

const mirrorOrder = ({
  sync,
  initiatedBy,
  info,
  retry,
}: StoredOperationState['operation']): OperationStateOut['operation'] => ({
  ...(sync && {
    sync: {
      ...filled({ ...sync, source: undefined, sources: undefined, syncStrategy: undefined, resources: undefined }),
      ...(sync.source && { source: mirrorSource(sync.source) }),
      ...filled({ sources: sync.sources.map(mirrorSource) }),
      ...(sync.syncStrategy && { syncStrategy: mirrorStrategy(sync.syncStrategy) }),
      ...filled({ resources: sync.resources.map(({ kind, name, ...rest }) => ({ kind, name, ...filled(rest) })) }),
    },
  }),
  ...filled({ initiatedBy: filled(initiatedBy), info: info.map((note) => filled(note)) }),
  ...filled({ retry: filled({ ...retry, backoff: retry.backoff && filled(retry.backoff) }) }),
});

type StoredStrategy = NonNullable<NonNullable<StoredOperationState['operation']['sync']>['syncStrategy']>;

const mirrorStrategy = ({ apply, hook }: StoredStrategy) => ({
  ...(apply && { apply: filled(apply) }),
  ...(hook && { hook: filled(hook.syncStrategyApply) }),
});

type StoredResult = NonNullable<StoredOperationState['syncResult']>['resources'][number];

const mirrorResult = ({ group, version, kind, namespace, name, ...rest }: StoredResult) => ({
  group,
  version,
  kind,
  namespace,
  name,
  ...filled(rest),
});

const mirrorSource = ({ path, repoURL, targetRevision }: StoredStatus['sync']['comparedTo']['source']) => ({
  path,
  repoURL,
  ...filled({ targetRevision }),
});

type Filled<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** The fields that hold something: Go leaves out zero values, empty lists and nil pointers. */
const filled = <T extends object>(value: T): Filled<T> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => !isZero(one))) as Filled<T>; // a part of the same object

const isZero = (value: unknown): boolean => {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
};
