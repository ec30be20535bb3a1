// What an AppProject allows, by Argo CD's rules. Pure.
import { matchesGlob } from './glob.ts';
import { normalizeGitUrl } from './git-url.ts';
import type { AppProject } from '../../api/argocd/app-project.ts';
import { textAt } from './fields.ts';
import type { Application, Condition, Destination, GroupKind } from './shapes.ts';

/** The project of an Application that names none. */
export const DEFAULT_PROJECT = 'default';

/** The two ways in which a destination names a cluster. */
export interface ClusterNames {
  readonly name: string;
  readonly server: string;
}

/** The cluster that the engine runs in, as Argo CD calls it. */
export const inCluster: ClusterNames = { name: 'in-cluster', server: 'https://kubernetes.default.svc' };

const withoutSlash = (server: string): string => server.replace(/\/+$/, '');

/** The cluster among `known` that the destination names, or Argo CD's words for why there is none. */
export const chooseCluster = <T extends ClusterNames>(destination: Destination, known: readonly T[]): T | string => {
  const { name = '', server = '' } = destination;
  if (name && server) return `application destination can't have both name and server defined: ${name} ${server}`;
  if (server) {
    const found = known.find((cluster) => cluster.server === withoutSlash(server));
    return (
      found ??
      `error getting cluster by server "${server}": rpc error: code = NotFound desc = cluster "${server}" not found`
    );
  }
  if (!name) return 'Destination server missing from app spec';
  const found = known.filter((cluster) => cluster.name === name);
  if (found.length > 1)
    return `there are ${found.length} clusters with the same name: [${found.map((cluster) => cluster.server).join(' ')}]`;
  return found[0] ?? `there are no clusters with this name: ${name}`;
};

const negated = (pattern: string): string | undefined => (pattern.startsWith('!') ? pattern.slice(1) : undefined);

/** Whether the project allows the repository: some pattern matches and no `!pattern` does. */
export const isSourcePermitted = (project: AppProject, repoURL: string): boolean => {
  const wanted = normalizeGitUrl(repoURL);
  const matches = (pattern: string): boolean => pattern === '*' || matchesGlob(normalizeGitUrl(pattern), wanted, '/');
  const patterns = project.spec.sourceRepos ?? [];
  const denied = patterns.some((pattern) => matches(negated(pattern) ?? '\\'));
  return !denied && patterns.some((pattern) => negated(pattern) === undefined && matches(pattern));
};

/** Whether the project allows the destination, given with both name and server. */
export const isDestinationPermitted = (project: AppProject, destination: Destination): boolean => {
  const { server = '', name = '', namespace = '' } = destination;
  const matches = (pattern: string | undefined, text: string): boolean =>
    pattern !== undefined && pattern !== '' && text !== '' && matchesGlob(negated(pattern) ?? pattern, text);
  const namespaceMatches = (pattern = ''): boolean => matchesGlob(negated(pattern) ?? pattern, namespace);
  const isDenial = (item: Destination): boolean =>
    [item.server, item.name, item.namespace].some((pattern) => pattern?.startsWith('!'));
  const fits = (item: Destination): boolean =>
    (matches(item.server, server) || matches(item.name, name)) && namespaceMatches(item.namespace);
  const items = project.spec.destinations ?? [];
  return !items.some((item) => isDenial(item) && fits(item)) && items.some((item) => !isDenial(item) && fits(item));
};

/** Whether the project allows the kind; without a whitelist every namespaced and no cluster-scoped kind is allowed. */
export const isKindPermitted = (project: AppProject, wanted: GroupKind, namespaced: boolean): boolean => {
  const inList = (list: readonly GroupKind[] | undefined): boolean =>
    (list ?? []).some((item) => matchesGlob(item.group, wanted.group) && matchesGlob(item.kind, wanted.kind));
  const { spec } = project;
  if (!namespaced) return inList(spec.clusterResourceWhitelist) && !inList(spec.clusterResourceBlacklist);
  const open = (spec.namespaceResourceWhitelist ?? []).length === 0;
  return (open || inList(spec.namespaceResourceWhitelist)) && !inList(spec.namespaceResourceBlacklist);
};

const destinationErrors = (
  application: Application,
  project: AppProject,
  cluster: ClusterNames | string,
): readonly string[] => {
  if (typeof cluster === 'string') return [cluster];
  const { name: givenName, namespace = '' } = application.spec.destination;
  const { name, server } = cluster;
  if (isDestinationPermitted(project, { name, server, namespace })) return [];
  return [
    `application destination server '${givenName ? name : server}' and namespace '${namespace}' do not match any of the allowed destinations in project '${project.metadata.name}'`,
  ];
};

/**
 * What is wrong with the Application's spec in the light of its project and of what `chooseCluster` found, as
 * InvalidSpecError conditions.
 */
export const validateSpec = (
  application: Application,
  project: AppProject | undefined,
  cluster: ClusterNames | string,
): readonly Condition[] => {
  const name = application.spec.project || DEFAULT_PROJECT;
  const { source } = application.spec;
  const errors: string[] = [];
  if (!project) errors.push(`Application referencing project ${name} which does not exist`);
  else if (!source?.repoURL || !(source.path || textAt(source, 'chart')))
    errors.push('spec.source.repoURL and either spec.source.path or spec.source.chart are required');
  else {
    if (!isSourcePermitted(project, source.repoURL))
      errors.push(`application repo ${source.repoURL} is not permitted in project '${name}'`);
    errors.push(...destinationErrors(application, project, cluster));
  }
  return errors.map((message) => ({ type: 'InvalidSpecError', message }));
};
