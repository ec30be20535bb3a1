// What an AppProject allows, by Argo CD's rules. Pure.
import { matchesGlob } from './glob.ts';
import { normalizeGitUrl } from './git-url.ts';
import type { AppProject } from '../../api/argocd/app-project.ts';
import { textAt } from './fields.ts';
import type { Application, Condition, Destination, GroupKind } from './shapes.ts';

/** The server by which Argo CD calls the cluster that it runs in. */
const IN_CLUSTER_SERVER = 'https://kubernetes.default.svc';
/** The name by which Argo CD calls the cluster that it runs in. */
const IN_CLUSTER_NAME = 'in-cluster';
/** The project of an Application that names none. */
export const DEFAULT_PROJECT = 'default';

/** The destination with both its name and its server, or undefined when it is not the engine's one cluster. */
export const resolveDestination = (destination: Destination): Destination | undefined => {
  const mine = destination.name
    ? destination.name === IN_CLUSTER_NAME && !destination.server
    : destination.server === IN_CLUSTER_SERVER;
  return mine ? { ...destination, name: IN_CLUSTER_NAME, server: IN_CLUSTER_SERVER } : undefined;
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

const destinationFault = (destination: Destination): string => {
  if (destination.name && destination.server)
    return `application destination can't have both name and server defined: ${destination.name} ${destination.server}`;
  if (destination.name)
    return `unable to find destination server: there are no clusters with this name: ${destination.name} (the sandbox has one cluster, ${IN_CLUSTER_NAME})`;
  if (destination.server)
    return `cluster '${destination.server}' has not been configured (the sandbox has one cluster, ${IN_CLUSTER_SERVER})`;
  return 'Destination server missing from app spec';
};

const destinationErrors = (application: Application, project: AppProject): readonly string[] => {
  const destination = resolveDestination(application.spec.destination);
  if (!destination) return [destinationFault(application.spec.destination)];
  if (isDestinationPermitted(project, destination)) return [];
  return [
    `application destination server '${IN_CLUSTER_SERVER}' and namespace '${destination.namespace ?? ''}' do not match any of the allowed destinations in project '${project.metadata.name}'`,
  ];
};

/** What is wrong with the Application's spec in the light of its project, as InvalidSpecError conditions. */
export const validateSpec = (application: Application, project: AppProject | undefined): readonly Condition[] => {
  const name = application.spec.project || DEFAULT_PROJECT;
  const { source } = application.spec;
  const errors: string[] = [];
  if (!project) errors.push(`Application referencing project ${name} which does not exist`);
  else if (!source?.repoURL || !(source.path || textAt(source, 'chart')))
    errors.push('spec.source.repoURL and either spec.source.path or spec.source.chart are required');
  else {
    if (!isSourcePermitted(project, source.repoURL))
      errors.push(`application repo ${source.repoURL} is not permitted in project '${name}'`);
    errors.push(...destinationErrors(application, project));
  }
  return errors.map((message) => ({ type: 'InvalidSpecError', message }));
};
