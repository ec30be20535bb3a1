// Brings one object of a sync into the cluster, or takes it out.
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject, ObjectRef, ResourceType } from '../../kube/object.ts';
import { ApiError, isAlreadyExists, isNotFound } from '../../kube/status-error.ts';
import { bodyToCreate, bodyToPatch, prepareDesired } from './compare.ts';
import type { Kinds } from './kinds.ts';
import type { LiveObjects } from './live.ts';
import { groupOf, versionOf, type Application, type SyncedResource, type SyncOrder } from './shapes.ts';
import { hasOption, objectOf, type Pair } from './sync-plan.ts';

/** How an object is to be applied or pruned. */
export interface ApplyRequest {
  readonly application: Application;
  readonly order: SyncOrder;
  readonly signal: AbortSignal;
}

/** Applies or prunes one object; a refusal of the server is a `SyncFailed` line, not an error. */
export type Apply = (pair: Pair, request: ApplyRequest) => Promise<SyncedResource>;

/** What happened to an object. */
export interface Result {
  readonly status: 'Synced' | 'SyncFailed' | 'Pruned' | 'PruneSkipped';
  readonly message: string;
}

/**
 * The line of `syncResult.resources` for an object. Argo CD leaves `hookPhase` at Running for what is no hook; for a hook
 * it is how far it is.
 */
export const resultLine = (pair: Pair, { status, message }: Result): SyncedResource => {
  const { apiVersion, kind, metadata } = objectOf(pair);
  return {
    group: groupOf(apiVersion),
    version: versionOf(apiVersion),
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    status,
    message,
    ...(pair.hook ? { hookType: pair.hook } : {}),
    hookPhase: status === 'SyncFailed' ? 'Failed' : 'Running',
    syncPhase: pair.hook ?? 'Sync',
  };
};

/** The object as kubectl names it: `deployment.apps/web`. */
export const spokenName = ({ apiVersion, kind, metadata }: KubeObject): string => {
  const group = groupOf(apiVersion);
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${metadata.name}`;
};

/** Argo CD's words for an object whose kind the cluster doesn't serve. */
export const kindNotFound = ({ apiVersion, kind, metadata }: KubeObject): string =>
  `The Kubernetes API could not find ${apiVersion}/${kind} for requested resource ${metadata.namespace ?? ''}/${metadata.name}. Make sure the "${kind}" CRD is installed on the destination cluster.`;

/** Where the object is. */
export const refOf = ({ metadata: { name, namespace } }: KubeObject): ObjectRef =>
  namespace ? { name, namespace } : { name };

const isPruneForbidden = ({ metadata }: KubeObject): boolean =>
  (metadata.annotations?.['argocd.argoproj.io/sync-options'] ?? '').split(',').includes('Prune=false');

/** Creates the function that applies and prunes. */
export const createApply = (parts: {
  readonly client: KubeClient;
  readonly kinds: Kinds;
  readonly live: LiveObjects;
}): Apply => {
  const { client, kinds, live } = parts;

  const write = async (
    desired: KubeObject,
    present: KubeObject | undefined,
    { resource, signal }: { resource: ResourceType; signal: AbortSignal },
  ): Promise<void> => {
    if (!present) await client.create(resource, bodyToCreate(desired), { signal });
    else await client.patch(resource, refOf(desired), { type: 'merge', body: bodyToPatch(desired, present), signal });
  };

  const apply = async (desired: KubeObject, pair: Pair, request: ApplyRequest): Promise<Result> => {
    const { order, signal, application } = request;
    if (pair.synced) return { status: 'Synced', message: `${spokenName(desired)} unchanged` };
    const message = `${spokenName(desired)} ${pair.live ? 'configured' : 'created'}${order.dryRun ? ' (dry run)' : ''}`;
    if (order.dryRun) return { status: 'Synced', message };
    const resource = pair.resource ?? (await kinds.find(desired.apiVersion, desired.kind, signal));
    if (!resource) return { status: 'SyncFailed', message: kindNotFound(desired) };
    const namespace = desired.metadata.namespace ?? '';
    const body = prepareDesired(desired, { application: application.metadata.name, namespace, resource });
    live.follow(resource);
    try {
      await write(body, pair.live, { resource, signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await write(body, await live.find(resource, body, signal), { resource, signal });
    }
    return { status: 'Synced', message };
  };

  const prune = async (object: KubeObject, { resource }: Pair, { order, signal }: ApplyRequest): Promise<Result> => {
    if (!order.prune) return { status: 'PruneSkipped', message: 'ignored (requires pruning)' };
    if (isPruneForbidden(object)) return { status: 'PruneSkipped', message: 'ignored (no prune)' };
    if (order.dryRun) return { status: 'Pruned', message: 'pruned (dry run)' };
    const { uid, deletionTimestamp } = object.metadata;
    if (!resource || deletionTimestamp) return { status: 'Pruned', message: 'pruned' };
    const propagationPolicy = hasOption(order, 'PrunePropagationPolicy=background') ? 'Background' : 'Foreground';
    try {
      await client.delete(resource, refOf(object), { signal, propagationPolicy, ...(uid ? { uid } : {}) });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return { status: 'Pruned', message: 'pruned' };
  };

  return async (pair, request) => {
    const { desired } = pair;
    try {
      return resultLine(
        pair,
        desired ? await apply(desired, pair, request) : await prune(objectOf(pair), pair, request),
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return resultLine(pair, { status: 'SyncFailed', message: error.message });
    }
  };
};
