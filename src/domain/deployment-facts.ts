// What is known about one deployment when a pass begins: plain values, read by gather, judged by plan and status.
import type { GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';
import type { OperationState } from './operation.ts';

/** The tenant's namespace. */
export interface NamespaceFacts {
  readonly name: string;
  readonly uid: string;
  /** It has a deletionTimestamp: nothing new is made in it. */
  readonly deleting: boolean;
}

/** The Argo CD that serves the tenant, and where it runs. */
export interface EngineFacts {
  readonly namespace: string;
  readonly namespaceUid: string;
  /** The UID of `kube-system`, which identifies the cluster. */
  readonly clusterUid: string;
}

/** An Operation row of an application, oldest first in lists. Times are UTC text. */
export interface OperationFacts {
  readonly id: string;
  readonly state: OperationState;
  readonly message: string;
  readonly lastStateUpdate: string;
  /** Written by us; rows of the original are waited for, but not collected here. */
  readonly ours: boolean;
}

/** An application row. */
export interface ApplicationFacts {
  readonly id: string;
  readonly name: string;
  readonly specField: string;
  readonly engineInstanceId: string;
  readonly environmentId: string | null;
  /** Absent on rows that the original wrote. */
  readonly normalizedRepoUrl: string | null;
  readonly hasOwner: boolean;
}

/** The row that links a GitOpsDeployment, by UID, to its application, and what hangs on it. */
export interface DeploymentLink {
  readonly deploymentUid: string;
  /** The generation that the rows were planned from; null where the original wrote them. */
  readonly generation: number | null;
  readonly applicationId: string;
  /** Missing when somebody deleted the row under the link. */
  readonly application: ApplicationFacts | undefined;
  /** The stored status, base64 of the bytes in the row; null when nothing was reported yet. */
  readonly storedStatus: string | null;
  readonly operations: readonly OperationFacts[];
}

/** A removal that has been written and is not yet known to be complete. */
export interface DeletionFacts {
  readonly deploymentUid: string;
  readonly applicationId: string;
  readonly requestedAt: string;
  readonly operations: readonly OperationFacts[];
}

/** Ids that exist already; undefined ones are made by apply. */
export interface KnownIds {
  readonly userId: string | undefined;
  readonly engineInstanceId: string | undefined;
  /** The tenant's own namespace as a target. */
  readonly ownEnvironmentId: string | undefined;
}

/** Everything a pass over one key `<namespaceUid>/deployment/<name>` knows. */
export interface DeploymentFacts {
  readonly namespaceUid: string;
  readonly name: string;
  /** Undefined when the namespace is gone. */
  readonly namespace: NamespaceFacts | undefined;
  /** The object of this name, deleting or not, as far as it is known to exist. */
  readonly deployment: GitOpsDeployment | undefined;
  /** Of the linked UIDs, those whose object is proven to be gone or being deleted: only they are removed. */
  readonly gone: ReadonlySet<string>;
  /** True when `deployment` was read from the API server in this pass, not from a cache. */
  readonly live: boolean;
  readonly engine: EngineFacts;
  readonly ids: KnownIds;
  /** The named environment's row; undefined when none is named or there is none. */
  readonly namedEnvironmentId: string | undefined;
  /** Whether the tenant may read the deployment's repository already. */
  readonly repositoryKnown: boolean;
  readonly links: readonly DeploymentLink[];
  readonly deletions: readonly DeletionFacts[];
  /** True while there are rows of a deployment of this name in a namespace that had the name of this one before. */
  readonly namesakeLeft: boolean;
}
