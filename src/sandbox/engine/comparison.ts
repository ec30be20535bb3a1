// Compares an Application's source with the cluster: reads both sides, pairs the objects, and says what differs.
import { instanceLabel } from '../../api/labels.ts';
import type { AppProject } from '../../api/argocd/app-project.ts';
import { isFault } from '../../lib/fault.ts';
import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { isSynced, prepareDesired } from './compare.ts';
import { at, listAt, textAt } from './fields.ts';
import { hasHealthRule, healthOf, worse } from './health.ts';
import type { Kinds } from './kinds.ts';
import type { LiveObjects } from './live.ts';
import type { ManifestReader } from './manifests.ts';
import type { Mirrors } from './mirror.ts';
import { isKindPermitted } from './project.ts';
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
  readonly resources: ResourceStatus[];
  readonly sync: SyncCode;
  readonly health: HealthCode;
  /** The commit, '' when the source could not be read. */
  readonly revision: string;
  readonly sourceType: string;
  readonly images: readonly string[];
  readonly conditions: readonly Condition[];
}

/** Compares. */
export interface Comparer {
  compare(request: ComparisonRequest): Promise<Comparison>;
  /** The Application's live objects, of all the kinds that it is known to have. */
  tracked(application: Application, signal: AbortSignal): Promise<readonly KubeObject[]>;
}

interface Desired {
  readonly objects: readonly KubeObject[];
  readonly revision: string;
  readonly sourceType: string;
  readonly conditions: readonly Condition[];
  readonly failed: boolean;
}

/** Argo CD's words around the reason, its remote call included: users search for them. */
const comparisonError = (reason: string): Condition => ({
  type: 'ComparisonError',
  message: `Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = ${reason}`,
});

/** Hooks are not run by the sandbox, so they are not objects of the Application either. */
const isHook = (object: KubeObject): boolean => {
  const annotations = object.metadata.annotations ?? {};
  return 'argocd.argoproj.io/hook' in annotations || 'helm.sh/hook' in annotations;
};

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

const codeOf = (synced: boolean): SyncCode => (synced ? 'Synced' : 'OutOfSync');

const lineOf = (pair: Pair, request: ComparisonRequest, failed: boolean): ResourceStatus => {
  const object = objectOf(pair);
  const { apiVersion, kind, metadata } = object;
  const group = groupOf(apiVersion);
  const namespaced = pair.resource?.namespaced ?? true;
  const permitted = isKindPermitted(request.project, { group, kind }, namespaced);
  const health = healthOfPair(pair);
  return {
    ...(group ? { group } : {}),
    version: versionOf(apiVersion),
    kind,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    name: metadata.name,
    status: failed || !permitted ? 'Unknown' : codeOf(pair.synced),
    ...(health ? { health } : {}),
    ...(!failed && !pair.desired ? { requiresPruning: true } : {}),
  };
};

/** The worst health among the objects. A missing one counts only where its kind has a health at all. */
const overallHealth = (pairs: readonly Pair[]): HealthCode =>
  pairs.reduce<HealthCode>((worst, pair) => {
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

const evaluate = (request: ComparisonRequest, desired: Desired, pairs: readonly Pair[]): Comparison => {
  const lines = pairs.map((pair) => lineOf(pair, request, desired.failed));
  const synced = pairs.every((pair) => pair.synced);
  return {
    pairs,
    resources: lines.toSorted((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1)),
    sync: desired.failed ? 'Unknown' : codeOf(synced),
    health: overallHealth(pairs),
    revision: desired.revision,
    sourceType: desired.sourceType,
    images: [...new Set(pairs.flatMap(({ live }) => (live ? imagesOf(live) : [])))].toSorted(),
    conditions: [
      ...desired.conditions,
      ...pairs.flatMap((pair) => [sharedWith(request.application, pair) ?? [], withoutNamespace(pair) ?? []].flat()),
    ],
  };
};

/** Addresses of kinds an Application is known to have: those of its last status and of its last sync. */
const knownKinds = ({ status }: Application): readonly { apiVersion: string; kind: string }[] =>
  [...(status?.resources ?? []), ...(status?.operationState?.syncResult?.resources ?? [])].map((line) => ({
    apiVersion: line.group ? `${line.group}/${line.version}` : (line.version ?? ''),
    kind: line.kind ?? '',
  }));

/** Creates the comparer. */
export const createComparer = (parts: {
  readonly kinds: Kinds;
  readonly live: LiveObjects;
  readonly manifests: ManifestReader;
  readonly mirrors: Mirrors;
}): Comparer => {
  const { kinds, live, manifests, mirrors } = parts;

  const readDesired = async ({ source, revision, signal }: ComparisonRequest): Promise<Desired> => {
    try {
      const commit = await mirrors.resolve(source.repoURL, revision, signal);
      const { objects, sourceType } = await manifests.read(source, commit, signal);
      const kept = withoutRepeats(objects.filter((object) => !isHook(object)));
      return { ...kept, revision: commit, sourceType, failed: false };
    } catch (error) {
      if (!isFault(error, 'user')) throw error;
      const conditions = [comparisonError(error.message)];
      return { objects: [], revision: '', sourceType: '', conditions, failed: true };
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

  const pairUp = async (request: ComparisonRequest, objects: readonly KubeObject[]): Promise<readonly Pair[]> => {
    const { application, signal } = request;
    const resources = await Promise.all(objects.map(({ apiVersion, kind }) => kinds.find(apiVersion, kind, signal)));
    const rest = new Map(
      (await trackedOf(application, resources, signal)).map((object) => [identityOf(object), object]),
    );
    const namespace = application.spec.destination.namespace ?? '';
    const wanted = objects.map(async (object, index): Promise<Pair> => {
      const resource = resources[index];
      const desired = prepareDesired(object, { application: application.metadata.name, namespace, resource });
      const identity = identityOf(desired);
      const readable = resource && (desired.metadata.namespace !== '' ? resource : undefined);
      const present = rest.get(identity) ?? (readable && (await live.find(readable, desired, signal)));
      rest.delete(identity);
      const synced = present !== undefined && isSynced(desired, present);
      return { desired, synced, ...(present ? { live: present } : {}), ...(resource ? { resource } : {}) };
    });
    const pairs = await Promise.all(wanted);
    const extra = [...rest.values()].map(async (object): Promise<Pair> => {
      const resource = await kinds.find(object.apiVersion, object.kind, signal);
      return { live: object, synced: false, ...(resource ? { resource } : {}) };
    });
    return [...pairs, ...(await Promise.all(extra))];
  };

  return {
    async compare(request) {
      const desired = await readDesired(request);
      return evaluate(request, desired, await pairUp(request, desired.objects));
    },
    tracked: (application, signal) => trackedOf(application, [], signal),
  };
};
