// The five kinds that the service defines.
import type { CustomKind } from '../custom-kind.ts';
import { gitOpsDeploymentManagedEnvironmentKind } from './gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentialKind } from './gitops-deployment-repository-credential.ts';
import { gitOpsDeploymentSyncRunKind } from './gitops-deployment-sync-run.ts';
import { gitOpsDeploymentKind } from './gitops-deployment.ts';
import { operationKind } from './operation.ts';

/** Every kind that `deploy/crds` defines. */
export const ownKinds: readonly CustomKind[] = [
  gitOpsDeploymentKind,
  gitOpsDeploymentSyncRunKind,
  gitOpsDeploymentManagedEnvironmentKind,
  gitOpsDeploymentRepositoryCredentialKind,
  operationKind,
];
