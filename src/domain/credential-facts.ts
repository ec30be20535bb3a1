// What is known about one repository credential when a pass begins: plain values, read by gather, judged by plan.
import type { GitOpsDeploymentRepositoryCredential } from '../api/v1alpha1/gitops-deployment-repository-credential.ts';
import type { CheckFacts } from './check-facts.ts';
import type { EngineFacts, NamespaceFacts, OperationFacts } from './deployment-facts.ts';
import type { SecretFacts } from './secret-facts.ts';

/** The row of a credential. */
export interface CredentialRowFacts {
  readonly userId: string;
  readonly instanceId: string;
  /** As it was written. */
  readonly url: string;
  /** Name of the Secret. */
  readonly secret: string;
  /** Of what the row was made from; null where the original wrote it. */
  readonly inputHash: string | null;
}

/** The row that links a credential, by UID, to its row. */
export interface CredentialLink {
  readonly credentialUid: string;
  /** False for one that is linked under another name or namespace. */
  readonly inPlace: boolean;
  readonly generation: number | null;
  readonly id: string;
  /** Missing when somebody deleted the row under the link. */
  readonly row: CredentialRowFacts | undefined;
  readonly operations: readonly OperationFacts[];
}

/** Everything a pass over one key `<namespaceUid>/credential/<name>` knows. */
export interface CredentialFacts {
  readonly namespaceUid: string;
  readonly name: string;
  readonly namespace: NamespaceFacts | undefined;
  /** The object of this name, deleting or not, as far as it is known to exist. */
  readonly credential: GitOpsDeploymentRepositoryCredential | undefined;
  /** The Secret that it names; undefined where there is none. */
  readonly secret: SecretFacts | undefined;
  /** Of the linked UIDs, those whose object is proven to be gone or being deleted: only they are removed. */
  readonly gone: ReadonlySet<string>;
  readonly live: boolean;
  readonly engine: EngineFacts;
  readonly userId: string | undefined;
  readonly engineInstanceId: string | undefined;
  /** The tenant's project may read the repository. */
  readonly repositoryKnown: boolean;
  readonly links: readonly CredentialLink[];
  readonly check: CheckFacts | undefined;
  /** The number of the last answer of this process that the facts may know of. */
  readonly lastAnswer: number;
}
