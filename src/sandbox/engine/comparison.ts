// Compares an Application's source with the cluster: reads both sides, pairs the objects, and says what differs.
import { instanceLabel } from '../../api/labels.ts';
import type { AppProject } from '../../api/argocd/app-project.ts';
import { Fault, isFault, messageOf } from '../../lib/fault.ts';
import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { ApiError } from '../../kube/status-error.ts';
import { isSynced, prepareDesired } from './compare.ts';
import { at, listAt, textAt } from './fields.ts';
import { hasHealthRule, healthOf, worse } from './health.ts';
import { isHook, isSkipped } from './hooks.ts';
import type { Kinds } from './kinds.ts';
import type { LiveObjects } from './live.ts';
import type { ManifestReader } from './manifests.ts';
import type { Mirrors } from './mirror.ts';
import { DEFAULT_PROJECT, inCluster, isKindPermitted, type ClusterNames } from './project.ts';
import type { Repository } from './repository.ts';
import { unmanaged, type Scope } from './scope.ts';
import {
  groupOf,
  versionOf,
  type Application,
  type ApplicationSource,
  type Condition,
  type HealthCode,
  type ResourceStatus,
  type SyncCode,
} from './shapes.ts';
import { identityOf, objectOf, type Pair } from './sync-plan.ts';

/** What to compare: the source at a revision (a name or a commit) for an Application of a project. */
export interface ComparisonRequest {
  readonly application: Application;
  readonly project: AppProject;
  readonly source: ApplicationSource;
  readonly revision: string;
  readonly signal: AbortSignal;
}

/** What a comparison found. With an error, `pairs` holds the live objects only and nothing is known of the other side. */
export interface Comparison {
  readonly pairs: readonly Pair[];
  /** The hooks that Git has, as they would be applied, without what is live of them. */
  readonly hooks: readonly Pair[];
  /** The objects of hooks that are in the cluster: of this run, or left by an earlier one. */
  readonly liveHooks: readonly Pair[];
  readonly resources: ResourceStatus[];
  readonly sync: SyncCode;
  readonly health: HealthCode;
  /** The commit, '' when the source could not be read. */
  readonly revision: string;
  readonly sourceType: string;
  readonly images: readonly string[];
  readonly conditions: readonly Condition[];
}

type Wanted = Pair & { readonly desired: KubeObject };
type Found = Pick<Comparison, 'pairs' | 'hooks' | 'liveHooks'>;

/** Compares. */
export interface Comparer {
  compare(request: ComparisonRequest): Promise<Comparison>;
  /** The Application's live objects, of all the kinds that it is known to have. */
  tracked(application: Application, signal: AbortSignal): Promise<readonly KubeObject[]>;
}

interface Desired {
  readonly objects: readonly KubeObject[];
  readonly hooks: readonly KubeObject[];
  readonly revision: string;
  readonly sourceType: string;
  readonly conditions: readonly Condition[];
  readonly failed: boolean;
}

/** Argo CD's words around the reason, its remote call included: users search for them. */
const targetError = (reason: string): Condition => ({
  type: 'ComparisonError',
  message: `Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = ${reason}`,
});

/** What Kubernetes' client says where the server does not know who calls. */
const UNAUTHORIZED = 'the server has asked for the client to provide credentials';

/** Argo CD's words around the reason why a cluster could not be asked. */
export const clusterError = ({ server }: ClusterNames, error: unknown): string => {
  const reason = error instanceof ApiError && error.code === 401 ? UNAUTHORIZED : messageOf(error);
  return `failed to get cluster info for "${server}": error synchronizing cache state : ${reason}`;
};

const liveError = (cluster: ClusterNames, error: unknown): Condition => ({
  type: 'ComparisonError',
  message: `Failed to load live state: ${isFault(error, 'user') ? error.message : clusterError(cluster, error)}`,
});

const withoutRepeats = (
  objects: readonly KubeObject[],
): { objects: readonly KubeObject[]; conditions: Condition[] } => {
  const groups = Map.groupBy(objects, identityOf);
  const conditions = [...groups]
    .filter(([, same]) => same.length > 1)
    .map(([identity, same]) => ({
      type: 'RepeatedResourceWarning',
      message: `Resource ${identity} appeared ${same.length} times among application resources.`,
    }));
  return { objects: [...groups.values()].flatMap((same) => same.slice(-1)), conditions };
};

const sharedWith = (application: Application, { desired, live }: Pair): Condition | undefined => {
  const owner = live?.metadata.labels?.[instanceLabel];
  if (!desired || !live || !owner || owner === application.metadata.name) return undefined;
  const message = `${live.kind}/${live.metadata.name} is part of applications ${application.metadata.namespace}/${application.metadata.name} and ${owner}`;
  return { type: 'SharedResourceWarning', message };
};

const withoutNamespace = ({ desired, resource }: Pair): Condition | undefined =>
  desired?.metadata.namespace === '' && resource?.namespaced
    ? { type: 'InvalidSpecError', message: `Namespace for ${desired.metadata.name} ${desired.kind} is missing.` }
    : undefined;

const healthOfPair = (pair: Pair): ResourceStatus['health'] => {
  const health = pair.live ? healthOf(pair.live) : { status: 'Missing' as const };
  return (
    health && { status: health.status, ...('message' in health && health.message ? { message: health.message } : {}) }
  );
};

/** Hooks, and what Git says to leave alone, are shown without a sync status and don't count. */
const isCounted = (pair: Pair): boolean => !isHook(objectOf(pair)) && !isSkipped(objectOf(pair));

const codeOf = (synced: boolean): SyncCode => (synced ? 'Synced' : 'OutOfSync');

const lineOf = (pair: Pair, request: ComparisonRequest, failed: boolean): ResourceStatus => {
  const object = objectOf(pair);
  const { apiVersion, kind, metadata } = object;
  const group = groupOf(apiVersion);
  const namespaced = pair.resource?.namespaced ?? true;
  const permitted = isKindPermitted(request.project, { group, kind }, namespaced);
  const health = healthOfPair(pair);
  const status = failed || !permitted ? 'Unknown' : codeOf(pair.synced);
  return {
    ...(group ? { group } : {}),
    version: versionOf(apiVersion),
    kind,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    name: metadata.name,
    ...(isCounted(pair) ? { status } : {}),
    ...(health ? { health } : {}),
    ...(isHook(object) ? { hook: true } : {}),
    ...(!failed && !pair.desired ? { requiresPruning: true } : {}),
  };
};

/** The worst health among the objects. A missing one counts only where its kind has a health at all. */
const overallHealth = (pairs: readonly Pair[]): HealthCode =>
  pairs.filter(isCounted).reduce<HealthCode>((worst, pair) => {
    const { apiVersion, kind } = objectOf(pair);
    if (!pair.live) return hasHealthRule({ group: groupOf(apiVersion), kind }) ? worse(worst, 'Missing') : worst;
    return worse(worst, healthOf(pair.live)?.status ?? 'Healthy');
  }, 'Healthy');

const imagesOf = (object: KubeObject): readonly string[] => {
  const specs = [at(object, 'spec'), at(object, 'spec', 'template', 'spec')];
  const containers = specs.flatMap((spec) => [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')]);
  return containers.map((container) => textAt(container, 'image')).filter((image) => image !== '');
};

const sortKey = (line: ResourceStatus): string =>
  [line.group ?? '', line.kind, line.namespace ?? '', line.name].join('/');

const evaluate = (request: ComparisonRequest, desired: Desired, found: Found): Comparison => {
  const { pairs, hooks, liveHooks } = found;
  const lines = [...pairs, ...liveHooks].map((pair) => lineOf(pair, request, desired.failed));
  const synced = pairs.every((pair) => pair.synced || !isCounted(pair));
  return {
    ...found,
    resources: lines.toSorted((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1)),
    sync: desired.failed ? 'Unknown' : codeOf(synced),
    health: overallHealth(pairs),
    revision: desired.revision,
    sourceType: desired.sourceType,
    images: [...new Set(pairs.flatMap(({ live }) => (live ? imagesOf(live) : [])))].toSorted(),
    conditions: [
      ...desired.conditions,
      ...pairs.flatMap((pair) => sharedWith(request.application, pair) ?? []),
      ...[...pairs, ...hooks].flatMap((pair) => withoutNamespace(pair) ?? []),
    ],
  };
};

/** Addresses of kinds an Application is known to have: those of its last status and of its last sync. */
const knownKinds = ({ status }: Application): readonly { apiVersion: string; kind: string }[] =>
  [...(status?.resources ?? []), ...(status?.operationState?.syncResult?.resources ?? [])].map((line) => ({
    apiVersion: line.group ? `${line.group}/${line.version}` : (line.version ?? ''),
    kind: line.kind ?? '',
  }));

/** What is left to show where the cluster could not be read: what Git has. */
const unread = ({ application }: ComparisonRequest, { objects }: Desired): Found => {
  const namespace = application.spec.destination.namespace ?? '';
  const into = { application: application.metadata.name, namespace, resource: undefined };
  const pairs = objects.map((object): Pair => ({ desired: prepareDesired(object, into), synced: false }));
  return { pairs, hooks: [], liveHooks: [] };
};

/** Where sources are read. */
export interface Sources {
  readonly manifests: ManifestReader;
  readonly mirrors: Mirrors;
  /** The repository as Applications of the project read it. */
  readonly findRepository: (url: string, project: string) => Repository;
}

/** What one cluster is compared by. */
export interface ComparerParts extends Sources {
  readonly cluster: ClusterNames;
  readonly scope: Scope;
  readonly kinds: Kinds;
  readonly live: LiveObjects;
}

/** Creates the comparer of one cluster. */
export const createComparer = (parts: ComparerParts): Comparer => {
  const { cluster, scope, kinds, live, manifests, mirrors, findRepository } = parts;

  const readDesired = async ({ application, source, revision, signal }: ComparisonRequest): Promise<Desired> => {
    try {
      const repository = findRepository(source.repoURL, application.spec.project || DEFAULT_PROJECT);
      const commit = await mirrors.resolve(repository, revision, signal);
      const { objects, sourceType } = await manifests.read(source, { repository, commit }, signal);
      const kept = withoutRepeats(objects.filter((object) => !isHook(object)));
      return { ...kept, hooks: objects.filter(isHook), revision: commit, sourceType, failed: false };
    } catch (error) {
      if (!isFault(error, 'user')) throw error;
      const conditions = [targetError(error.message)];
      return { objects: [], hooks: [], revision: '', sourceType: '', conditions, failed: true };
    }
  };

  const trackedOf = async (
    application: Application,
    resources: readonly (ResourceType | undefined)[],
    signal: AbortSignal,
  ): Promise<readonly KubeObject[]> => {
    const past = knownKinds(application).map(({ apiVersion, kind }) => kinds.find(apiVersion, kind, signal));
    const all = [...resources, ...(await Promise.all(past))].filter((resource) => resource !== undefined);
    const distinct = [...new Map(all.map((resource) => [`${resource.group}/${resource.kind}`, resource])).values()];
    for (const resource of distinct) live.follow(resource);
    const found = await live.tracked(application.metadata.name, distinct, signal);
    return found.filter(({ metadata }) => !metadata.ownerReferences?.some(({ controller }) => controller));
  };

  const prepare = async (object: KubeObject, { application, signal }: ComparisonRequest): Promise<Wanted> => {
    const resource = await kinds.find(object.apiVersion, object.kind, signal);
    const namespace = application.spec.destination.namespace ?? '';
    const desired = prepareDesired(object, { application: application.metadata.name, namespace, resource });
    return { desired, synced: false, ...(resource ? { resource } : {}) };
  };

  const pairUp = async (request: ComparisonRequest, { objects, hooks }: Desired): Promise<Found> => {
    const { application, signal } = request;
    const wanted = await Promise.all(objects.map((object) => prepare(object, request)));
    const wantedHooks = await Promise.all(hooks.map((hook) => prepare(hook, request)));
    const foreign = wanted.map(({ desired }) => unmanaged(scope, desired)).find((reason) => reason !== undefined);
    if (foreign !== undefined) throw new Fault('user', 'NotManaged', foreign);
    const resources = [...wanted, ...wantedHooks].map(({ resource }) => resource);
    const tracked = await trackedOf(application, resources, signal);
    const rest = new Map(tracked.map((object) => [identityOf(object), object]));
    const pairs = wanted.map(async (pair): Promise<Pair> => {
      const { desired, resource } = pair;
      const readable = resource && (desired.metadata.namespace !== '' ? resource : undefined);
      const identity = identityOf(desired);
      const present = rest.get(identity) ?? (readable && (await live.find(readable, desired, signal)));
      rest.delete(identity);
      return present ? { ...pair, live: present, synced: isSynced(desired, present) } : pair;
    });
    const paired = await Promise.all(pairs);
    const extra = [...rest.values()].map(async (object): Promise<Pair> => {
      const resource = await kinds.find(object.apiVersion, object.kind, signal);
      return { live: object, synced: false, ...(resource ? { resource } : {}) };
    });
    const { hook: liveHooks = [], plain = [] } = Object.groupBy(await Promise.all(extra), (pair) =>
      isHook(objectOf(pair)) ? 'hook' : 'plain',
    );
    return { pairs: [...paired, ...plain], hooks: wantedHooks, liveHooks };
  };

  return {
    async compare(request) {
      const desired = await readDesired(request);
      try {
        return evaluate(request, desired, await pairUp(request, desired));
      } catch (error) {
        // Without its own cluster the engine can't write either: the pass is made again.
        if (request.signal.aborted || cluster.server === inCluster.server) throw error;
        const conditions = [...desired.conditions, liveError(cluster, error)];
        return evaluate(request, { ...desired, conditions, failed: true }, unread(request, desired));
      }
    },
    tracked: (application, signal) => trackedOf(application, [], signal),
  };
};
