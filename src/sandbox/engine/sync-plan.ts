// In which order a sync applies and prunes, and when a failed one is tried again. Pure.
import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { isSkipped, PHASES, type SyncPhase } from './hooks.ts';
import { groupOf, type Operation, type Retry, type SyncOrder } from './shapes.ts';

/** An object as Git wants it, as the cluster has it, or both; `resource` is undefined for a kind nobody serves. */
export interface Pair {
  readonly desired?: KubeObject;
  readonly live?: KubeObject;
  readonly resource?: ResourceType;
  readonly synced: boolean;
  /** For a hook: the phase in which it runs. */
  readonly hook?: SyncPhase;
}

/** The object that a pair is about. */
export const objectOf = ({ desired, live }: Pair): KubeObject => {
  const object = desired ?? live;
  if (!object) throw new TypeError('a pair without objects');
  return object;
};

/** Names an object among all kinds, whatever its version. */
export const identityOf = (object: KubeObject): string =>
  [groupOf(object.apiVersion), object.kind, object.metadata.namespace ?? '', object.metadata.name].join('/');

/** What others need comes first: gitops-engine's order of kinds. Kinds that are not named come last. */
const KINDS = [
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'SecretList',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
];

/** The object's sync wave: lower ones are applied, and healthy, first. */
const waveOf = (object: KubeObject): number => {
  const wave = Number(object.metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? '0');
  return Number.isInteger(wave) ? wave : 0;
};

const phaseOf = ({ hook }: Pair): number => PHASES.indexOf(hook ?? 'Sync');

const rankOf = (pair: Pair): readonly (number | string)[] => {
  const object = objectOf(pair);
  const kind = KINDS.indexOf(object.kind);
  return [phaseOf(pair), waveOf(object), pair.desired ? 1 : 0, kind < 0 ? KINDS.length : kind, identityOf(object)];
};

const compareRanks = (left: readonly (number | string)[], right: readonly (number | string)[]): number => {
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
};

const isWanted = (order: SyncOrder, object: KubeObject): boolean =>
  !order.resources?.length ||
  order.resources.some(
    (wanted) =>
      wanted.kind === object.kind &&
      wanted.name === object.metadata.name &&
      (wanted.group ?? '') === groupOf(object.apiVersion) &&
      (!wanted.namespace || wanted.namespace === object.metadata.namespace),
  );

/**
 * The pairs that the sync is about: phase by phase, and in it wave by wave. Within a wave pruning comes first, then kinds
 * in the order of need.
 */
export const planWaves = (order: SyncOrder, pairs: readonly Pair[]): readonly (readonly Pair[])[] => {
  const ranked = pairs
    .filter((pair) => isWanted(order, objectOf(pair)) && !isSkipped(objectOf(pair)))
    .map((pair) => ({ pair, rank: rankOf(pair) }))
    .toSorted((left, right) => compareRanks(left.rank, right.rank));
  const waves = Map.groupBy(ranked, ({ rank: [phase, wave] }) => `${phase}/${wave}`);
  return [...waves.values()].map((wave) => wave.map(({ pair }) => pair));
};

/** Whether the order carries `option`, such as `CreateNamespace=true`. */
export const hasOption = (order: SyncOrder, option: string): boolean => order.syncOptions?.includes(option) ?? false;

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a Go duration (`1m30s`), or of a plain number of seconds; undefined when it is neither. */
export const durationMs = (text: string): number | undefined => {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g);
  return [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? 0), 0);
};

/** Argo CD's backoff where the order says nothing. */
const DEFAULT_BACKOFF = { duration: '5s', factor: 2, maxDuration: '3m' };

/** How long after its end the failure number `retryCount + 1` is tried again. */
export const retryDelayMs = (retry: Retry, retryCount: number): number => {
  const { duration, factor, maxDuration } = { ...DEFAULT_BACKOFF, ...retry.backoff };
  const first = durationMs(duration ?? '') ?? 5000;
  const longest = durationMs(maxDuration ?? '') ?? Number.POSITIVE_INFINITY;
  return Math.min(first * (factor ?? 2) ** retryCount, longest);
};

/** Whether a failure is tried again. A limit below zero means for ever. */
export const mayRetry = (operation: Operation, retryCount: number): boolean => {
  const limit = operation.retry?.limit ?? 0;
  return limit < 0 || retryCount < limit;
};
