// What is wrong with a GitOpsDeployment's spec: ordered rules, the first that fits decides.
import { admissionMessages, deploymentMessages } from '../api/messages.ts';
import { userFault, type Reason } from '../api/reasons.ts';
import { deploymentSpec, type GitOpsDeployment, type GitOpsDeploymentSpec } from '../api/v1alpha1/gitops-deployment.ts';
import type { Fault } from '../lib/fault.ts';
import { firstBroken, type Admit, type Rule } from './admission.ts';
import { MAX_REPOSITORY_KEY, normalizeGitUrl } from './repository-url.ts';

type Spec = readonly [GitOpsDeploymentSpec];
type SpecInPass = readonly [GitOpsDeploymentSpec, { readonly known: boolean }];

const allowedSyncOptions: ReadonlySet<string> = new Set(['CreateNamespace=true', 'CreateNamespace=false']);

const typeIs =
  (allowed: RegExp): Rule<Spec> =>
  ({ type }) =>
    allowed.test(type) ? undefined : userFault('InvalidType', admissionMessages.invalidType);

const knowsItsOptions: Rule<Spec> = ({ syncPolicy }) =>
  syncPolicy?.syncOptions?.some((option) => !allowedSyncOptions.has(option))
    ? userFault('UnknownSyncOption', admissionMessages.unknownSyncOption)
    : undefined;

const namesTheEnvironment: Rule<Spec> = ({ destination }) =>
  !destination?.environment && destination?.namespace
    ? userFault('NamespaceWithoutEnvironment', admissionMessages.namespaceWithoutEnvironment)
    : undefined;

/** At the door the type has to be written exactly so; nothing is said of path and repository there. */
const atTheDoor: readonly Rule<Spec>[] = [typeIs(/^(automated|manual)$/), knowsItsOptions, namesTheEnvironment];

const inAPass: readonly Rule<SpecInPass>[] = [
  ({ source }) => (source.path === '' ? userFault('PathRequired', deploymentMessages.pathRequired) : undefined),
  ({ source }) => (source.path === '/' ? userFault('PathIsRoot', deploymentMessages.pathIsRoot) : undefined),
  // Objects from before anybody stood at the door may have it in any case.
  typeIs(/^(automated|manual)$/i),
  knowsItsOptions,
  namesTheEnvironment,
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
    normalizeGitUrl(source.repoURL).length > MAX_REPOSITORY_KEY
      ? userFault(
          'RepositoryUrlTooLong',
          `spec.source.repoURL is too long: at most ${MAX_REPOSITORY_KEY} characters, not ${source.repoURL.length}`,
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
): Fault<Reason> | undefined => firstBroken(inAPass, deploymentSpec(deployment), about);

/** What is said of a deployment at the door, the same on create and on update. */
export const admitGitOpsDeployment: Admit<GitOpsDeployment> = (deployment) =>
  firstBroken(atTheDoor, deploymentSpec(deployment));
