// What is known about one managed environment when a pass begins: plain values, read by gather, judged by plan.
import type { GitOpsDeploymentManagedEnvironment } from '../api/v1alpha1/gitops-deployment-managed-environment.ts';
import type { CheckFacts } from './check-facts.ts';
import type { EngineFacts, NamespaceFacts } from './deployment-facts.ts';
import type { SecretFacts } from './secret-facts.ts';

/** The rows of an environment. */
export interface EnvironmentRowFacts {
  readonly name: string;
  readonly credentialsId: string;
  /** Of what the rows were made from; null where the original wrote them. */
  readonly inputHash: string | null;
  /** When the token ends, UTC text; null for one that lasts. */
  readonly tokenExpiresAt: string | null;
  /** The ServiceAccount that was made on the cluster; null where none was. */
  readonly serviceAccount: string | null;
  readonly host: string;
  /** As it is kept. */
  readonly sealedToken: string;
  readonly insecure: boolean;
  /** The tenant's project may deploy to it, through this engine. */
  readonly allowed: boolean;
}

/** The row that links an environment, by UID, to its rows. */
export interface EnvironmentLink {
  readonly environmentUid: string;
  /** False for one that is linked under another name or namespace. */
  readonly inPlace: boolean;
  readonly generation: number | null;
  readonly id: string;
  /** Missing when somebody deleted the rows under the link. */
  readonly rows: EnvironmentRowFacts | undefined;
}

/** Whether the token of these rows may be that of a ServiceAccount that was made: the original did not note it. */
export const mayBeOfAccount = ({
  serviceAccount,
  inputHash,
}: Pick<EnvironmentRowFacts, 'serviceAccount' | 'inputHash'>): boolean => serviceAccount !== null || inputHash === null;

/** What the last check of this process has brought; it goes into the rows, and is forgotten then. */
export interface EnvironmentFound {
  readonly inputHash: string;
  readonly token: string;
  /** When the token ends; undefined for one that lasts. */
  readonly expiresAtMs: number | undefined;
  readonly serviceAccount: string | undefined;
}

/** Everything a pass over one key `<namespaceUid>/environment/<name>` knows. */
export interface EnvironmentFacts {
  readonly namespaceUid: string;
  readonly name: string;
  readonly namespace: NamespaceFacts | undefined;
  /** The object of this name, deleting or not, as far as it is known to exist. */
  readonly environment: GitOpsDeploymentManagedEnvironment | undefined;
  /** The Secret that it names; undefined where there is none. */
  readonly secret: SecretFacts | undefined;
  /** Of the linked UIDs, those whose object is proven to be gone or being deleted: only they are removed. */
  readonly gone: ReadonlySet<string>;
  readonly live: boolean;
  readonly engine: EngineFacts;
  readonly userId: string | undefined;
  readonly engineInstanceId: string | undefined;
  readonly links: readonly EnvironmentLink[];
  readonly check: CheckFacts | undefined;
  /** The number of the last answer of this process that the facts may know of. */
  readonly lastAnswer: number;
  readonly found: EnvironmentFound | undefined;
}
