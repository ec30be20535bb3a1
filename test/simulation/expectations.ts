// What a GitOpsDeployment asks for, written down a second time: from the documented contract, not from the code.
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';

/** A tenant's row, and the live deployments of its namespace. */
export interface WantedTenant {
  readonly id: string;
  /** Its name; '' when it is gone. */
  readonly namespace: string;
  readonly deployments: readonly GitOpsDeployment[];
  /** Ids of its environments' rows, in the order in which it got them. */
  readonly environmentIds: readonly string[];
  /** The repositories that it has credentials for. */
  readonly credentialUrls: readonly string[];
}

/** What the Application of a deployment should say, and what its row should. */
export const wantedApplication = (
  { metadata, spec }: GitOpsDeployment,
  {
    engineNamespace,
    userId,
    environmentId,
  }: {
    readonly engineNamespace: string;
    readonly userId: string;
    /** Of the row of the environment that it names; undefined when it names none. */
    readonly environmentId: string | undefined;
  },
): { readonly spec: unknown; readonly row: unknown } => {
  const { source, destination, syncPolicy, type = '' } = spec ?? {};
  const options = syncPolicy?.syncOptions ?? [];
  const automated = type.toLowerCase() === 'automated';
  const policy = automated ? automatedPolicy(options) : options.length > 0 ? { syncOptions: options } : undefined;
  const cluster = environmentId === undefined ? 'in-cluster' : `managed-env-${environmentId}`;
  const target = { name: cluster, namespace: destination?.namespace || metadata.namespace };
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

/** The repositories that a tenant's deployments need and its credentials are for, by key: lower case, without `.git`. */
export const wantedRepositories = ({ deployments, credentialUrls }: WantedTenant): readonly string[] => {
  const urls = [...deployments.map(({ spec }) => spec?.source.repoURL ?? ''), ...credentialUrls];
  return [...new Set(urls.map((url) => url.toLowerCase().replace(/\.git$/, '')))].toSorted();
};

/** What the project of a tenant should permit; undefined for a tenant with nothing, who has none. */
export const wantedProject = (tenant: WantedTenant): unknown => {
  const { deployments, environmentIds, credentialUrls, namespace } = tenant;
  if (deployments.length + environmentIds.length + credentialUrls.length === 0) return undefined;
  return {
    sourceRepos: wantedRepositories(tenant),
    destinations: [
      ...environmentIds.map((id) => ({ name: `managed-env-${id}`, namespace: '*' })),
      { name: 'in-cluster', namespace },
    ],
  };
};

/** True when the project of a tenant has to be there: environments alone let nobody deploy anything. */
export const needsProject = ({ deployments, credentialUrls }: WantedTenant): boolean =>
  deployments.length + credentialUrls.length > 0;
