// Carries out a sync: checks every object, then applies and prunes wave by wave.
import type { AppProject } from '../../api/argocd/app-project.ts';
import type { KubeClient } from '../../kube/client.ts';
import { namespaces, type KubeObject } from '../../kube/object.ts';
import { isAlreadyExists } from '../../kube/status-error.ts';
import { createApply, kindNotFound, resultLine, spokenName } from './apply.ts';
import type { Comparison } from './comparison.ts';
import { healthOf } from './health.ts';
import type { Kinds } from './kinds.ts';
import type { LiveObjects } from './live.ts';
import { isDestinationPermitted, isKindPermitted, resolveDestination } from './project.ts';
import { groupOf, type Application, type OperationState, type SyncedResource, type SyncOrder } from './shapes.ts';
import { hasOption, objectOf, planWaves, type Pair } from './sync-plan.ts';

/** What to sync, and how. */
export interface SyncRequest {
  readonly application: Application;
  readonly project: AppProject;
  readonly order: SyncOrder;
  readonly comparison: Comparison;
  readonly signal: AbortSignal;
}

/** How far a sync has come. `Running` means that a wave waits to become healthy. */
export interface SyncProgress {
  readonly phase: OperationState['phase'];
  readonly message: string;
  readonly resources: SyncedResource[];
}

/** Syncs. Running it again goes on where it was: what is as it should be is not written again. */
export type Sync = (request: SyncRequest) => Promise<SyncProgress>;

/** Whether one of the pairs defines the kind of `object`: then the kind may come with this very sync. */
const definesKind = (pairs: readonly Pair[], { apiVersion, kind }: KubeObject): boolean =>
  pairs.some(({ desired }) => {
    const spec = desired?.kind === 'CustomResourceDefinition' ? JSON.stringify(desired) : '';
    return spec.includes(`"kind":"${kind}"`) && spec.includes(`"group":"${groupOf(apiVersion)}"`);
  });

/** Why the project, or the cluster, does not let this object be synced. */
const objection = ({ application, project, comparison }: SyncRequest, pair: Pair): string | undefined => {
  const object = objectOf(pair);
  const { resource } = pair;
  if (!resource) return definesKind(comparison.pairs, object) ? undefined : kindNotFound(object);
  const group = groupOf(object.apiVersion);
  const name = project.metadata.name;
  if (!isKindPermitted(project, { group, kind: object.kind }, resource.namespaced))
    return `resource ${group}:${object.kind} is not permitted in project ${name}`;
  if (!resource.namespaced) return undefined;
  const { namespace = '' } = object.metadata;
  if (namespace === '') return `Namespace for ${object.metadata.name} ${object.kind} is missing.`;
  const destination = resolveDestination(application.spec.destination);
  const allowed = destination && isDestinationPermitted(project, { ...destination, namespace });
  return allowed ? undefined : `namespace ${namespace} is not permitted in project '${name}'`;
};

const failureOf = (message: string, resources: SyncedResource[], mark: string): SyncProgress => {
  const reasons = resources.filter(({ status }) => status === 'SyncFailed').map((resource) => resource.message);
  return { phase: 'Failed', message: `${message}${mark}${reasons.join(',')}`, resources };
};

/** Creates the function that syncs. */
export const createSync = (parts: {
  readonly client: KubeClient;
  readonly kinds: Kinds;
  readonly live: LiveObjects;
}): Sync => {
  const { client, live } = parts;
  const apply = createApply(parts);

  /** The namespace that `CreateNamespace=true` asks for, when nobody has made it. It gets no label: it outlives the Application. */
  const namespacePair = async ({ application, order, comparison, signal }: SyncRequest): Promise<readonly Pair[]> => {
    const name = application.spec.destination.namespace ?? '';
    if (name === '' || !hasOption(order, 'CreateNamespace=true')) return [];
    const isIt = ({ desired }: Pair): boolean => desired?.kind === 'Namespace' && desired.metadata.name === name;
    if (comparison.pairs.some(isIt)) return [];
    const desired = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    const present = await live.find(namespaces, desired, signal);
    return present ? [] : [{ desired, resource: namespaces, synced: false }];
  };

  const createNamespace = async (pair: Pair, { order, signal }: SyncRequest): Promise<SyncedResource> => {
    const object = objectOf(pair);
    if (!order.dryRun)
      await client.create(namespaces, object, { signal }).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    return {
      ...resultLine(pair, { status: 'Synced', message: `${spokenName(object)} created` }),
      syncPhase: 'PreSync',
    };
  };

  /** What a wave that others follow still waits for, or why it never will be well. */
  const waitFor = async (
    wave: readonly Pair[],
    signal: AbortSignal,
  ): Promise<Pick<SyncProgress, 'phase' | 'message'> | undefined> => {
    for (const { desired, resource } of wave) {
      if (!desired || !resource) continue;
      const present = await live.find(resource, desired, signal);
      const health = present && healthOf(present);
      const name = `${groupOf(desired.apiVersion)}/${desired.kind}/${desired.metadata.name}`;
      if (health?.status === 'Degraded')
        return {
          phase: 'Failed',
          message: `one or more synchronization tasks completed unsuccessfully, reason: ${health.message ?? name}`,
        };
      if (health && health.status !== 'Healthy')
        return { phase: 'Running', message: `waiting for healthy state of ${name}` };
    }
    return undefined;
  };

  return async (request) => {
    const { order, comparison, signal } = request;
    const waves = planWaves(order, comparison.pairs);
    const namespace = await namespacePair(request);
    const objections = [...namespace, ...waves.flat()].flatMap((pair) => {
      const message = pair.desired ? objection(request, pair) : undefined;
      return message ? [resultLine(pair, { status: 'SyncFailed', message })] : [];
    });
    if (objections.length > 0) return failureOf('one or more synchronization tasks are not valid', objections, ': ');
    const resources: SyncedResource[] = [];
    for (const pair of namespace) resources.push(await createNamespace(pair, request));
    for (const [index, wave] of waves.entries()) {
      for (const pair of wave) resources.push(await apply(pair, request));
      if (resources.some(({ status }) => status === 'SyncFailed'))
        return failureOf('one or more objects failed to apply', resources, ', reason: ');
      const waiting = index < waves.length - 1 && !order.dryRun ? await waitFor(wave, signal) : undefined;
      if (waiting) return { ...waiting, resources };
    }
    const all = waves.length > 0 ? 'all tasks run' : 'no more tasks';
    return { phase: 'Succeeded', message: `successfully synced (${all})`, resources };
  };
};
