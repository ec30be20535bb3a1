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
import { createHooks, expandHooks, type HookRun } from './run-hooks.ts';
import { isDestinationPermitted, isKindPermitted, resolveDestination } from './project.ts';
import { groupOf, type Application, type OperationState, type SyncedResource, type SyncOrder } from './shapes.ts';
import { hasOption, objectOf, planWaves, type Pair } from './sync-plan.ts';

/** What to sync, and how. */
export interface SyncRequest {
  readonly application: Application;
  readonly project: AppProject;
  readonly order: SyncOrder;
  readonly comparison: Comparison;
  /** When the sync began. */
  readonly startedAtMs: number;
  /** What it did in its earlier steps. */
  readonly former: readonly SyncedResource[];
  readonly signal: AbortSignal;
}

/** How far a sync has come. `Running` means that it waits: for a hook to complete, or a wave to become healthy. */
export interface SyncProgress {
  readonly phase: OperationState['phase'];
  readonly message: string;
  readonly resources: SyncedResource[];
}

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

const runOf = (request: SyncRequest): HookRun => ({ ...request, revision: request.comparison.revision });

type Outcome = Pick<SyncProgress, 'phase' | 'message'>;

const REFUSED = 'one or more objects failed to apply';
const UNSUCCESSFUL = 'one or more synchronization tasks completed unsuccessfully';

/** The failure and, as far as they are told, its reasons. */
const failureOf = (message: string, reasons: readonly (string | undefined)[], mark = ', reason: '): Outcome => {
  const told = reasons.filter((reason) => reason).join(',');
  return { phase: 'Failed', message: told === '' ? message : `${message}${mark}${told}` };
};

const isRefused = ({ status }: SyncedResource): boolean => status === 'SyncFailed';

/** Argo CD's words for what a sync waits for: the first object, and how many more. */
const waitingFor = (what: string, pairs: readonly Pair[]): Outcome => {
  const [first, ...more] = pairs.map(objectOf);
  const name = first ? `${groupOf(first.apiVersion)}/${first.kind}/${first.metadata.name}` : '';
  const others = what === 'completion of hook' ? 'hooks' : 'resources';
  const rest = more.length > 0 ? ` and ${more.length} more ${others}` : '';
  return { phase: 'Running', message: `waiting for ${what} ${name}${rest}` };
};

/** Creates the part that syncs. */
export const createSync = (parts: {
  readonly client: KubeClient;
  readonly kinds: Kinds;
  readonly live: LiveObjects;
}): Sync => {
  const { client, live } = parts;
  const apply = createApply(parts);
  const hooks = createHooks({ client, live, apply });

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
  const waitForHealth = async (wave: readonly Pair[], signal: AbortSignal): Promise<Outcome | undefined> => {
    const unready: Pair[] = [];
    for (const pair of wave) {
      const { desired, resource } = pair;
      if (!desired || !resource || pair.hook) continue;
      const present = await live.find(resource, desired, signal);
      const health = present && healthOf(present);
      if (health?.status === 'Degraded') return failureOf(UNSUCCESSFUL, [health.message ?? desired.metadata.name]);
      if (health && health.status !== 'Healthy') unready.push(pair);
    }
    return unready.length > 0 ? waitingFor('healthy state of', unready) : undefined;
  };

  /** Starts and follows hooks; what they wait for, or why they failed. */
  const followHooks = async (
    wanted: readonly Pair[],
    request: SyncRequest,
  ): Promise<{ lines: SyncedResource[]; outcome: Outcome | undefined }> => {
    const run = runOf(request);
    const lines: SyncedResource[] = [];
    const running: Pair[] = [];
    for (const pair of wanted) {
      const line = await hooks.follow(pair, run);
      if (!line) return { lines, outcome: waitingFor('deletion of', [pair]) };
      lines.push(line);
      if (line.hookPhase === 'Running') running.push(pair);
    }
    if (running.length > 0) return { lines, outcome: waitingFor('completion of hook', running) };
    const failed = lines.filter(({ hookPhase }) => hookPhase === 'Failed');
    const reasons = failed.map(({ message }) => message);
    const failure = failureOf(failed.some(isRefused) ? REFUSED : UNSUCCESSFUL, reasons);
    return { lines, outcome: failed.length > 0 ? failure : undefined };
  };

  const runWaves = async (waves: readonly (readonly Pair[])[], request: SyncRequest): Promise<SyncProgress> => {
    const { order, signal } = request;
    const resources: SyncedResource[] = [];
    for (const [index, wave] of waves.entries()) {
      for (const pair of wave) if (!pair.hook) resources.push(await apply(pair, request));
      const refused = resources.filter(isRefused).map(({ message }) => message);
      if (refused.length > 0) return { ...failureOf(REFUSED, refused), resources };
      const { lines, outcome } = await followHooks(
        wave.filter(({ hook }) => hook),
        request,
      );
      resources.push(...lines);
      if (outcome) return { ...outcome, resources };
      const waiting = index < waves.length - 1 && !order.dryRun ? await waitForHealth(wave, signal) : undefined;
      if (waiting) return { ...waiting, resources };
    }
    const all = waves.length > 0 ? 'all tasks run' : 'no more tasks';
    return { phase: 'Succeeded', message: `successfully synced (${all})`, resources };
  };

  /** A failed sync runs its hooks for that case before it has failed. What was refused is not tried again meanwhile. */
  const conclude = async (
    progress: SyncProgress,
    { wanted, onFailure }: { wanted: readonly Pair[]; onFailure: readonly Pair[] },
    request: SyncRequest,
  ): Promise<SyncProgress> => {
    if (progress.phase === 'Running') return progress;
    const run = runOf(request);
    await hooks.clear(wanted, progress.phase === 'Succeeded' ? 'HookSucceeded' : 'HookFailed', run);
    if (progress.phase === 'Succeeded') return progress;
    const { lines, outcome } = await followHooks(onFailure, request);
    const resources = [...progress.resources, ...lines];
    return outcome?.phase === 'Running' ? { ...outcome, resources } : { ...progress, resources };
  };

  const formerRefusal = ({ former }: SyncRequest): SyncProgress | undefined => {
    const refused = former.filter(isRefused).map(({ message }) => message);
    const resources = former.filter(({ syncPhase }) => syncPhase !== 'SyncFail');
    return refused.length > 0 ? { ...failureOf(REFUSED, refused), resources } : undefined;
  };

  const step = async (request: SyncRequest): Promise<SyncProgress> => {
    const { order, comparison } = request;
    const expanded = expandHooks(comparison.hooks, runOf(request));
    const onFailure = planWaves(
      order,
      expanded.filter(({ hook }) => hook === 'SyncFail'),
    ).flat();
    const wanted = expanded.filter(({ hook }) => hook !== 'SyncFail');
    const waves = planWaves(order, [...comparison.pairs, ...wanted]);
    const namespace = await namespacePair(request);
    const objections = [...namespace, ...waves.flat(), ...onFailure].flatMap((pair) => {
      const message = pair.desired ? objection(request, pair) : undefined;
      return message ? [resultLine(pair, { status: 'SyncFailed', message })] : [];
    });
    const reasons = objections.map(({ message }) => message);
    const invalid = failureOf('one or more synchronization tasks are not valid', reasons, ': ');
    if (objections.length > 0) return { ...invalid, resources: objections };
    const made: SyncedResource[] = [];
    for (const pair of namespace) made.push(await createNamespace(pair, request));
    const progress = formerRefusal(request) ?? (await runWaves(waves, request));
    return conclude({ ...progress, resources: [...made, ...progress.resources] }, { wanted, onFailure }, request);
  };

  return { step, terminate: ({ liveHooks }, signal) => hooks.terminate(liveHooks, signal) };
};
