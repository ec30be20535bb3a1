// What a tenant's AppProject permits.
import type { AppProject } from '../api/argocd/app-project.ts';
import type { ApplicationSpec } from '../api/argocd/application.ts';
import { appProjectName, inCluster, managedEnvironmentSecretName, usernameAnnotation } from '../api/labels.ts';
import { normalizeGitUrl } from './repository-url.ts';

/** The rows that a tenant's project is made from. */
export interface ProjectRows {
  readonly userId: string;
  /** Name of the tenant's namespace, where known. */
  readonly namespace: string | null;
  /** Normalised URLs. */
  readonly repositories: readonly string[];
  /** Ids of managed environments, in the order in which the tenant got them. */
  readonly environments: readonly string[];
}

/** What a project permits, without repetition: repositories sorted, destinations with `in-cluster` at the end. */
export interface Permissions {
  readonly sourceRepos: readonly string[];
  readonly destinations: readonly PermittedDestination[];
}

interface PermittedDestination {
  readonly name: string;
  readonly namespace: string;
}

/**
 * What the rows permit. On the cluster of Argo CD itself a tenant may deploy to its own namespace when
 * `ownNamespaceOnly`, which is nowhere as long as its name is not known; otherwise to all.
 */
export const permissionsOf = (rows: ProjectRows, ownNamespaceOnly: boolean): Permissions => {
  const namespace = ownNamespaceOnly ? rows.namespace : '*';
  return {
    sourceRepos: unique(rows.repositories.map(asSource)),
    destinations: [
      ...[...new Set(rows.environments)].map((id) => ({ name: managedEnvironmentSecretName(id), namespace: '*' })),
      ...(namespace ? [{ name: inCluster, namespace }] : []),
    ],
  };
};

/**
 * The key of a repository as Argo CD has to read it. It normalises what a project has once more, and would take the port in
 * `git@host:22/path` for the beginning of a path.
 */
const asSource = (key: string): string => (key.includes(':') && !key.includes('://') ? `ssh://${key}` : key);

/** True when the rows permit nothing but the cluster that everyone may use: then the project can go. */
export const isUnused = (rows: ProjectRows): boolean =>
  rows.repositories.length === 0 && rows.environments.length === 0;

/**
 * Permissions that also cover what these Applications still use: without its project, or with an object outside of it,
 * Argo CD could not delete what such an Application deployed.
 */
export const coveringUses = (permissions: Permissions, uses: readonly ApplicationSpec[]): Permissions => {
  const { sourceRepos, destinations } = permissions;
  // A thousand Applications most often have a handful of repositories, and normalising is what costs here.
  const written = new Set(uses.map((use) => use.source?.repoURL ?? ''));
  const repos = [...written]
    .map(normalizeGitUrl)
    .filter((url) => url !== '')
    .map(asSource);
  const named = uses.map(({ destination }) => ({
    name: destination.name ?? '',
    namespace: destination.namespace ?? '',
  }));
  const uncovered = named.filter(
    (use) =>
      use.name !== '' &&
      !destinations.some((one) => one.name === use.name && (one.namespace === '*' || one.namespace === use.namespace)),
  );
  const added = new Map(uncovered.map((use) => [`${use.name}/${use.namespace}`, use]));
  return {
    sourceRepos: unique([...sourceRepos, ...repos]),
    destinations: inClusterLast([...destinations, ...added.values()]),
  };
};

const inClusterLast = (destinations: readonly PermittedDestination[]): PermittedDestination[] => [
  ...destinations.filter(({ name }) => name !== inCluster),
  ...destinations.filter(({ name }) => name === inCluster),
];

/** The project with these permissions. */
export const desiredProject = (namespace: string, userId: string, permissions: Permissions): AppProject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: appProjectName(userId), namespace, annotations: { [usernameAnnotation]: userId } },
  spec: {
    sourceRepos: [...permissions.sourceRepos],
    destinations: permissions.destinations.map((destination) => ({ ...destination })),
  },
});

/** True when a project permits exactly this, in whatever order. */
export const permitsExactly = (project: AppProject, permissions: Permissions): boolean =>
  sameSet(project.spec.sourceRepos ?? [], permissions.sourceRepos) &&
  sameSet((project.spec.destinations ?? []).map(destinationKey), permissions.destinations.map(destinationKey));

type Destination = NonNullable<AppProject['spec']['destinations']>[number];

const destinationKey = (one: Destination): string =>
  JSON.stringify([one.server ?? '', one.name ?? '', one.namespace ?? '']);

const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && unique(one).join('\n') === unique(other).join('\n');

const unique = (values: readonly string[]): string[] => [...new Set(values)].toSorted();
