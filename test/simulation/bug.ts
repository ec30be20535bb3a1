// A bug that can be switched on: an API server that tells the backend of deletions that never were, and denies objects.
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentials } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { ServiceRequest } from './faulty-api.ts';

/** What the bug makes of what the service reads. */
export interface Bug {
  /** Whether this read is answered with "not found", though the object is there. */
  denies(request: ServiceRequest): boolean;
  /** What becomes of a line of a watch. */
  falsify(actor: string, line: string): string;
}

/** What it lies about. */
const resources = new Set(
  [gitOpsDeployments, gitOpsDeploymentManagedEnvironments, gitOpsDeploymentRepositoryCredentials].map(
    ({ plural }): string => plural,
  ),
);

/** How often: one schedule in two or three then meets both for the same object. */
const OFTEN = 0.5;

/**
 * Creates the bug. It breaks what the service has to rely on: that a live read and a watch don't both lie about an
 * object. No service could bear that, so an oracle that stays silent has seen nothing.
 */
export const createLies = (seed: number): Bug => {
  const random = seededRandom(seed * 64 + 7);
  const lies = (): boolean => random.next() < OFTEN;
  return {
    denies: ({ actor, method, resource, name }) =>
      actor.startsWith('backend') && method === 'GET' && resources.has(resource) && name !== undefined && lies(),
    falsify: (actor, line) =>
      actor.startsWith('backend') &&
      /^\{"type":"MODIFIED".*"kind":"GitOpsDeployment(ManagedEnvironment|RepositoryCredential)?"/.test(line) &&
      lies()
        ? line.replace('"MODIFIED"', '"DELETED"')
        : line,
  };
};
