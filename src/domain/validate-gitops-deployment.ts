// What is wrong with a GitOpsDeployment's spec: ordered rules, the first that fits decides.
import { admissionMessages, deploymentMessages } from '../api/messages.ts';
import { userFault, type Reason } from '../api/reasons.ts';
import { deploymentSpec, type GitOpsDeployment, type GitOpsDeploymentSpec } from '../api/v1alpha1/gitops-deployment.ts';
import type { Fault } from '../lib/fault.ts';
import { normalizeGitUrl } from './repository-url.ts';

type Rule = (spec: GitOpsDeploymentSpec, about: { readonly known: boolean }) => Fault<Reason> | undefined;

const allowedSyncOptions: ReadonlySet<string> = new Set(['CreateNamespace=true', 'CreateNamespace=false']);

/** Longest normalised repository URL that the rows hold, in characters. */
const MAX_REPOSITORY_URL = 512;

const rules: readonly Rule[] = [
  ({ source }) => (source.path === '' ? userFault('PathRequired', deploymentMessages.pathRequired) : undefined),
  ({ source }) => (source.path === '/' ? userFault('PathIsRoot', deploymentMessages.pathIsRoot) : undefined),
  ({ type }) =>
    /^(automated|manual)$/i.test(type) ? undefined : userFault('InvalidType', admissionMessages.invalidType),
  ({ syncPolicy }) =>
    syncPolicy?.syncOptions?.some((option) => !allowedSyncOptions.has(option))
      ? userFault('UnknownSyncOption', admissionMessages.unknownSyncOption)
      : undefined,
  ({ destination }) =>
    !destination?.environment && destination?.namespace
      ? userFault('NamespaceWithoutEnvironment', admissionMessages.namespaceWithoutEnvironment)
      : undefined,
  ({ destination }, { known }) =>
    destination?.environment && !destination.namespace
      ? userFault(
          'DestinationNamespaceMissing',
          known
            ? deploymentMessages.destinationNamespaceInvalidOnUpdate
            : deploymentMessages.destinationNamespaceInvalid,
        )
      : undefined,
  ({ source }) =>
    normalizeGitUrl(source.repoURL) === ''
      ? userFault(
          'InvalidRepositoryUrl',
          // Without the URL: one that can't be read may hold a password in a place where nobody would look for it.
          'spec.source.repoURL is not a valid URL of a Git repository. Write it as https://host/path or ssh://user@host/path',
        )
      : undefined,
  ({ source }) =>
    normalizeGitUrl(source.repoURL).length > MAX_REPOSITORY_URL
      ? userFault(
          'RepositoryUrlTooLong',
          `spec.source.repoURL is too long: at most ${MAX_REPOSITORY_URL} characters, not ${source.repoURL.length}`,
        )
      : undefined,
];

/**
 * The first thing that is wrong with a deployment's spec, as a user's fault; undefined when nothing is. One that has
 * rows already is `known`: a message or two differ then.
 */
export const validateGitOpsDeployment = (
  deployment: GitOpsDeployment,
  about: { readonly known: boolean },
): Fault<Reason> | undefined => {
  const spec = deploymentSpec(deployment);
  for (const rule of rules) {
    const fault = rule(spec, about);
    if (fault) return fault;
  }
  return undefined;
};
