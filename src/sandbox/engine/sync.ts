// Carries out a sync: checks every object, then applies, prunes and runs hooks, wave by wave.
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import { createApply, kindNotFound, resultLine } from './apply.ts';
import type { Comparison } from './comparison.ts';
import { createNamespaceMaker } from './create-namespace.ts';
import type { Kinds } from './kinds.ts';
import type { LiveObjects } from './live.ts';
import { isDestinationPermitted, isKindPermitted, type ClusterNames } from './project.ts';
import { createHooks, expandHooks } from './run-hooks.ts';
import { createWaves } from './run-waves.ts';
import { groupOf, type SyncedResource } from './shapes.ts';
import { objectOf, planWaves, type Pair } from './sync-plan.ts';
import { failureOf, isRefused, REFUSED, runOf, type SyncProgress, type SyncRequest } from './sync-request.ts';

/** Syncs. */
export interface Sync {
  /** Makes a step. Another one goes on where it was: what is as it should be is not written again, no hook started twice. */
  step(request: SyncRequest): Promise<SyncProgress>;
  /** Ends hooks that are running; gives a line for each. */
  terminate(comparison: Comparison, signal: AbortSignal): Promise<readonly SyncedResource[]>;
}

/** Whether one of the pairs defines the kind of `object`: then the kind may come with this very sync. */
const definesKind = (pairs: readonly Pair[], { apiVersion, kind }: KubeObject): boolean =>
  pairs.some(({ desired }) => {
    const spec = desired?.kind === 'CustomResourceDefinition' ? JSON.stringify(desired) : '';
    return spec.includes(`"kind":"${kind}"`) && spec.includes(`"group":"${groupOf(apiVersion)}"`);
  });

/** Why the project, or the cluster, does not let this object be synced. */
const objection = (cluster: ClusterNames, { project, comparison }: SyncRequest, pair: Pair): string | undefined => {
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
  const allowed = isDestinationPermitted(project, { name: cluster.name, server: cluster.server, namespace });
  return allowed ? undefined : `namespace ${namespace} is not permitted in project '${name}'`;
};

/** What an earlier step was refused is not tried again while the hooks for that case run. */
const formerRefusal = ({ former }: SyncRequest): SyncProgress | undefined => {
  const refused = former.filter(isRefused).map(({ message }) => message);
  const resources = former.filter(({ syncPhase }) => syncPhase !== 'SyncFail');
  return refused.length > 0 ? { ...failureOf(REFUSED, refused), resources } : undefined;
};

/** Creates the part that syncs to one cluster. */
export const createSync = (parts: {
  readonly cluster: ClusterNames;
  readonly client: KubeClient;
  readonly kinds: Kinds;
  readonly live: LiveObjects;
}): Sync => {
  const { cluster, client, live } = parts;
  const apply = createApply(parts);
  const hooks = createHooks({ client, live, apply });
  const waves = createWaves({ live, apply, hooks });
  const namespaces = createNamespaceMaker(parts);

  /** A failed sync runs its hooks for that case before it has failed. */
  const conclude = async (
    progress: SyncProgress,
    { wanted, onFailure }: { wanted: readonly Pair[]; onFailure: readonly Pair[] },
    request: SyncRequest,
  ): Promise<SyncProgress> => {
    if (progress.phase === 'Running') return progress;
    const run = runOf(request);
    await hooks.clear(wanted, progress.phase === 'Succeeded' ? 'HookSucceeded' : 'HookFailed', run);
    if (progress.phase === 'Succeeded') return progress;
    const { lines, outcome } = await waves.followHooks(onFailure, request);
    const resources = [...progress.resources, ...lines];
    return outcome?.phase === 'Running' ? { ...outcome, resources } : { ...progress, resources };
  };

  const step = async (request: SyncRequest): Promise<SyncProgress> => {
    const { order, comparison } = request;
    const expanded = expandHooks(comparison.hooks, runOf(request));
    const onFailure = planWaves(
      order,
      expanded.filter(({ hook }) => hook === 'SyncFail'),
    ).flat();
    const wanted = expanded.filter(({ hook }) => hook !== 'SyncFail');
    const planned = planWaves(order, [...comparison.pairs, ...wanted]);
    const namespace = await namespaces.wanted(request);
    const objections = [...namespace, ...planned.flat(), ...onFailure].flatMap((pair) => {
      const message = pair.desired ? objection(cluster, request, pair) : undefined;
      return message ? [resultLine(pair, { status: 'SyncFailed', message })] : [];
    });
    const reasons = objections.map(({ message }) => message);
    const invalid = failureOf('one or more synchronization tasks are not valid', reasons, ': ');
    if (objections.length > 0) return { ...invalid, resources: objections };
    const made: SyncedResource[] = [];
    for (const pair of namespace) made.push(await namespaces.create(pair, request));
    const progress = formerRefusal(request) ?? (await waves.run(planned, request));
    return conclude({ ...progress, resources: [...made, ...progress.resources] }, { wanted, onFailure }, request);
  };

  return { step, terminate: ({ liveHooks }, signal) => hooks.terminate(liveHooks, signal) };
};
