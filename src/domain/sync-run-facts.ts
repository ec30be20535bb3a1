// What is known about one sync run when a pass begins: plain values, read by gather, judged by plan and status.
import type { GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';
import type { GitOpsDeploymentSyncRun } from '../api/v1alpha1/gitops-deployment-sync-run.ts';
import type { NamespaceFacts, OperationFacts } from './deployment-facts.ts';

/** A sync as its row has it. */
export interface SyncFacts {
  /** Null when the application has been removed. */
  readonly applicationId: string | null;
  /** Null where the rows don't tell: the original wrote them, and the application has been removed. */
  readonly instanceId: string | null;
  readonly deploymentName: string;
  readonly revision: string;
  readonly desiredState: string;
  /** When its end was noted, UTC text; null while it is open. */
  readonly endedAt: string | null;
  readonly error: string | null;
}

/** The row that links a sync run, by UID, to its sync, and the Operations about it. */
export interface SyncLink {
  readonly syncRunUid: string;
  readonly syncId: string;
  /** Missing when somebody deleted the row under the link. */
  readonly sync: SyncFacts | undefined;
  readonly operations: readonly OperationFacts[];
}

/** The application that would be synced. */
export interface SyncTarget {
  readonly applicationId: string;
  readonly instanceId: string;
  /** Another sync run of the application is ordered and has not ended. */
  readonly busy: boolean;
}

/** Everything a pass over one key `<namespaceUid>/sync/<name>` knows. */
export interface SyncRunFacts {
  readonly namespaceUid: string;
  readonly name: string;
  /** Undefined when the namespace is gone. */
  readonly namespace: NamespaceFacts | undefined;
  /** The object of this name, deleting or not, as far as it is known to exist. */
  readonly syncRun: GitOpsDeploymentSyncRun | undefined;
  /** Of the linked UIDs, those whose object is proven to be gone or being deleted. */
  readonly gone: ReadonlySet<string>;
  /** The GitOpsDeployment that the sync run names, unless it is being deleted. */
  readonly deployment: GitOpsDeployment | undefined;
  /** True when the deployment's rows are what its present spec asks for. */
  readonly isCurrent: boolean;
  /** The tenant's row. */
  readonly userId: string | undefined;
  readonly links: readonly SyncLink[];
  /** Undefined until the deployment has its rows. */
  readonly target: SyncTarget | undefined;
  /** A sync run of the same deployment that was made before this one has not been ordered yet. */
  readonly earlierWaits: boolean;
}
