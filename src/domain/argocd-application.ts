// The Application that a GitOpsDeployment asks for.
import {
  appProjectName,
  applicationNameFor,
  defaultProject,
  inCluster,
  managedEnvironmentSecretName,
} from '../api/labels.ts';
import { deploymentSpec, type GitOpsDeployment, type GitOpsDeploymentSpec } from '../api/v1alpha1/gitops-deployment.ts';
import type { DesiredApplication, DesiredSyncPolicy } from './spec-field.ts';

/** What the Application needs to know besides the deployment. */
export interface ApplicationContext {
  readonly engineNamespace: string;
  /** The tenant's row, when projects isolate tenants. */
  readonly projectOfUser: string | undefined;
  /** The named environment's row; undefined for the tenant's own namespace. */
  readonly environmentId: string | undefined;
}

/** The Application of a deployment whose spec has been validated. */
export const desiredApplication = (deployment: GitOpsDeployment, context: ApplicationContext): DesiredApplication => {
  const spec = deploymentSpec(deployment);
  const { uid = '', namespace = '' } = deployment.metadata;
  return {
    name: applicationNameFor(uid),
    namespace: context.engineNamespace,
    project: context.projectOfUser === undefined ? defaultProject : appProjectName(context.projectOfUser),
    source: {
      repoURL: spec.source.repoURL,
      path: spec.source.path,
      targetRevision: spec.source.targetRevision ?? '',
    },
    destination: {
      server: '',
      namespace: spec.destination?.namespace || namespace,
      name: context.environmentId === undefined ? inCluster : managedEnvironmentSecretName(context.environmentId),
    },
    syncPolicy: desiredSyncPolicy(spec),
  };
};

/** Automated syncs prune, heal, may empty the application, and are retried for ever; manual ones only carry options. */
const desiredSyncPolicy = (spec: GitOpsDeploymentSpec): DesiredSyncPolicy | undefined => {
  const options = spec.syncPolicy?.syncOptions ?? [];
  if (isAutomated(spec)) {
    return {
      automated: { prune: true, selfHeal: true, allowEmpty: true },
      syncOptions: ['PrunePropagationPolicy=background', ...options],
      retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
    };
  }
  return options.length > 0 ? { automated: undefined, syncOptions: [...options], retry: undefined } : undefined;
};

/** True when every change is synced at once; the word counts in any case. */
export const isAutomated = (spec: GitOpsDeploymentSpec): boolean => spec.type.toLowerCase() === 'automated';
