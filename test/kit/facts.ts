// Facts about one deployment, as gathered: everything is in order unless a test says otherwise.
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { desiredApplication } from '../../src/domain/argocd-application.ts';
import type { DeploymentFacts, DeploymentLink, OperationFacts } from '../../src/domain/deployment-facts.ts';
import { normalizeGitUrl } from '../../src/domain/repository-url.ts';
import { writeSpecField } from '../../src/domain/spec-field.ts';
import { aDeployment, type DeploymentOptions } from './deployments.ts';

/** The UID of the deployment. */
export const liveUid = '11111111-1111-4111-8111-111111111111';

/** The deployment as the API server has it. */
export const liveDeployment = (
  options: Omit<DeploymentOptions, 'namespace'> & { readonly generation?: number; readonly deleting?: boolean } = {},
): GitOpsDeployment => {
  const { metadata, ...rest } = aDeployment({ namespace: 'team-a', ...options });
  const { generation = 1, deleting = false } = options;
  return {
    ...rest,
    metadata: {
      ...metadata,
      uid: liveUid,
      generation,
      ...(deleting && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
  };
};

/** An Operation that ended, or not, at a second of 2026-01-01T00:00. */
export const anOperation = (
  state: OperationFacts['state'],
  more: Partial<OperationFacts> & { readonly second?: number } = {},
): OperationFacts => {
  const { second = 0, ...rest } = more;
  const lastStateUpdate = `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000Z`;
  return { id: `${state}-${second}`, state, message: '', lastStateUpdate, ours: true, ...rest };
};

/** The rows of a deployment, made from it as it is. */
export const linkOf = (deployment: GitOpsDeployment, more: Partial<DeploymentLink> = {}): DeploymentLink => {
  const desired = desiredApplication(deployment, {
    engineNamespace: 'argocd',
    projectOfUser: 'user',
    environmentId: undefined,
  });
  return {
    deploymentUid: deployment.metadata.uid ?? '',
    generation: 1,
    applicationId: 'application',
    application: {
      id: 'application',
      name: desired.name,
      specField: writeSpecField(desired),
      engineInstanceId: 'instance',
      environmentId: 'own',
      normalizedRepoUrl: normalizeGitUrl(desired.source.repoURL),
      hasOwner: true,
    },
    storedStatus: null,
    operations: [],
    ...more,
  };
};

/** The facts of a deployment whose tenant is known. Linked UIDs that are not its own, or deleted with it, are gone. */
export const factsOf = (
  deployment: GitOpsDeployment | undefined,
  more: Partial<DeploymentFacts> = {},
): DeploymentFacts => ({
  namespaceUid: 'namespace-uid',
  name: 'app',
  namespace: { name: 'team-a', uid: 'namespace-uid', deleting: false },
  deployment,
  gone: new Set(
    (more.links ?? [])
      .map((link) => link.deploymentUid)
      .filter((uid) => uid !== deployment?.metadata.uid || deployment.metadata.deletionTimestamp !== undefined),
  ),
  live: false,
  engine: { namespace: 'argocd', namespaceUid: 'engine-uid', clusterUid: 'cluster-uid' },
  ids: { userId: 'user', engineInstanceId: 'instance', ownEnvironmentId: 'own' },
  namedEnvironmentId: undefined,
  repositoryKnown: true,
  links: [],
  deletions: [],
  namesakeLeft: false,
  ...more,
});
