// Which path judges what. The paths are the original's: configurations of webhooks that are applied somewhere name them.
import {
  gitOpsDeploymentManagedEnvironmentKind,
  type GitOpsDeploymentManagedEnvironment,
} from '../../api/v1alpha1/gitops-deployment-managed-environment.ts';
import {
  gitOpsDeploymentRepositoryCredentialKind,
  type GitOpsDeploymentRepositoryCredential,
} from '../../api/v1alpha1/gitops-deployment-repository-credential.ts';
import {
  gitOpsDeploymentSyncRunKind,
  type GitOpsDeploymentSyncRun,
} from '../../api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeploymentKind, type GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import { admitGitOpsDeployment } from '../../domain/validate-gitops-deployment.ts';
import { admitManagedEnvironment } from '../../domain/validate-managed-environment.ts';
import { admitRepositoryCredential } from '../../domain/validate-repository-credential.ts';
import { admitSyncRun } from '../../domain/validate-sync-run.ts';
import { judgeOf, letThrough, type Judge } from './review.ts';

/** A path, its kind, and who judges there. */
export interface Door {
  readonly path: string;
  readonly kind: string;
  readonly judge: Judge;
}

const judges: Readonly<Record<string, Judge>> = {
  GitOpsDeployment: judgeOf<GitOpsDeployment>(gitOpsDeploymentKind, admitGitOpsDeployment),
  GitOpsDeploymentManagedEnvironment: judgeOf<GitOpsDeploymentManagedEnvironment>(
    gitOpsDeploymentManagedEnvironmentKind,
    admitManagedEnvironment,
  ),
  GitOpsDeploymentRepositoryCredential: judgeOf<GitOpsDeploymentRepositoryCredential>(
    gitOpsDeploymentRepositoryCredentialKind,
    admitRepositoryCredential,
  ),
  GitOpsDeploymentSyncRun: judgeOf<GitOpsDeploymentSyncRun>(gitOpsDeploymentSyncRunKind, admitSyncRun),
};

const pathOf = (verb: 'mutate' | 'validate', kind: string): string =>
  `/${verb}-managed-gitops-redhat-com-v1alpha1-${kind.toLowerCase()}`;

/** All eight: for each kind one that would change objects and changes nothing, and one that judges them. */
export const doors: readonly Door[] = Object.entries(judges).flatMap(([kind, judge]) => [
  { path: pathOf('mutate', kind), kind, judge: letThrough },
  { path: pathOf('validate', kind), kind, judge },
]);
