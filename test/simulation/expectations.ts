// What a GitOpsDeployment asks for, written down a second time: from the documented contract, not from the code.
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';

/** A tenant's row, and the live deployments of its namespace. */
export interface WantedTenant {
  readonly id: string;
  /** Its name; '' when it is gone or has no deployment. */
  readonly namespace: string;
  readonly deployments: readonly GitOpsDeployment[];
}

/** What the Application of a deployment should say, and what its row should. */
export const wantedApplication = (
  { metadata, spec }: GitOpsDeployment,
  { engineNamespace, userId }: { readonly engineNamespace: string; readonly userId: string },
): { readonly spec: unknown; readonly row: unknown } => {
  const { source, destination, syncPolicy, type = '' } = spec ?? {};
  const options = syncPolicy?.syncOptions ?? [];
  const automated = type.toLowerCase() === 'automated';
  const policy = automated ? automatedPolicy(options) : options.length > 0 ? { syncOptions: options } : undefined;
  const target = { name: 'in-cluster', namespace: destination?.namespace || metadata.namespace };
  const project = `app-project-${userId}`;
  const { repoURL, path, targetRevision } = source ?? {};
  return {
    spec: {
      project,
      source: { repoURL, path, ...(targetRevision && { targetRevision }) },
      destination: target,
      syncPolicy: policy,
    },
    row: {
      name: `gitopsdepl-${metadata.uid}`,
      namespace: engineNamespace,
      project,
      source: { repoURL, path, targetRevision: targetRevision ?? '' },
      destination: { server: '', ...target },
      syncOptions: policy?.syncOptions ?? [],
      automated,
    },
  };
};

const automatedPolicy = (options: readonly string[]) => ({
  automated: { prune: true, selfHeal: true, allowEmpty: true },
  syncOptions: ['PrunePropagationPolicy=background', ...options],
  retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
});

/** The repositories that a tenant's deployments need, by key: lower case, without `.git`. */
export const wantedRepositories = ({ deployments }: WantedTenant): readonly string[] =>
  [
    ...new Set(deployments.map(({ spec }) => (spec?.source.repoURL ?? '').toLowerCase().replace(/\.git$/, ''))),
  ].toSorted();

/** What the project of a tenant should permit; undefined for a tenant without deployments, who has none. */
export const wantedProject = (tenant: WantedTenant): unknown =>
  tenant.deployments.length === 0
    ? undefined
    : {
        sourceRepos: wantedRepositories(tenant),
        destinations: [{ name: 'in-cluster', namespace: tenant.namespace }],
      };
