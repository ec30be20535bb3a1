// What the steps of the credential reconciler share.
import type { GitOpsDeploymentRepositoryCredential } from '../../api/v1alpha1/gitops-deployment-repository-credential.ts';
import type { Database } from '../../db/pool.ts';
import type { CredentialRules } from '../../domain/credential-plan.ts';
import type { CredentialWish } from '../../domain/credential-wish.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Namespace, Secret } from '../../kube/object.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Keyring } from '../../lib/envelope.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { Indexers, StoreReader } from '../../runtime/store.ts';
import type { Absences } from '../absences.ts';
import type { Checks } from '../checks.ts';
import { namespaceIndexer } from '../lanes.ts';

/** The surroundings of a credential's reconciler. */
export interface CredentialContext {
  readonly client: KubeClient;
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** With `credentialIndexers`. */
  readonly credentials: StoreReader<GitOpsDeploymentRepositoryCredential>;
  /** Of the type that credentials name. */
  readonly secrets: StoreReader<Secret>;
  readonly namespaces: StoreReader<Namespace>;
  readonly absences: Absences;
  readonly keyring: Keyring;
  /** The namespace that Argo CD runs in. */
  readonly engineNamespace: string;
  readonly rules: CredentialRules;
  /** What is asked of Git servers. */
  readonly repositories: Checks<CredentialWish, void>;
  /** Aborts when the right to work is lost: nothing may be written after. */
  readonly lost: AbortSignal;
}

/** Finds credentials by the name of their namespace, and by the Secret that they name. */
export const credentialIndexers = {
  ...namespaceIndexer,
  secret: ({ metadata, spec }: GitOpsDeploymentRepositoryCredential) => [
    `${metadata.namespace ?? ''}/${spec?.secret ?? ''}`,
  ],
} satisfies Indexers<GitOpsDeploymentRepositoryCredential>;
