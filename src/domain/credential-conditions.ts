// The conditions of a GitOpsDeploymentRepositoryCredential, from how its check ended.
import { errorOccurred, validRepositoryCredential, validRepositoryUrl } from '../api/conditions.ts';
import { credentialMessages } from '../api/messages.ts';
import type { Reason } from '../api/reasons.ts';
import type { Fault } from '../lib/fault.ts';
import { shownUrl } from './repository-url.ts';

/** A condition without its times. */
export interface CredentialCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

type Said = Pick<CredentialCondition, 'status' | 'reason' | 'message'>;

/** What a check has ended with: a user's fault, or undefined when the repository was read. */
export interface CredentialOutcome {
  /** `spec.repository`. */
  readonly url: string;
  /** `spec.secret`. */
  readonly secret: string;
  readonly fault: Fault | undefined;
}

/** Reason, while it holds, of the condition on the URL; there is no fault of this name. */
const URL_REASON = 'ValidRepositoryUrl';
const UP_TO_DATE = 'RepositoryCredentialUpToDate';

/** All three conditions, sorted by type. Only for a check that has ended: while one goes on, nothing is known. */
export const credentialConditions = ({ url, secret, fault }: CredentialOutcome): readonly CredentialCondition[] => {
  const shown = shownUrl(url);
  const exists: Said = { status: 'True', reason: URL_REASON, message: credentialMessages.exists(shown) };
  if (!fault) {
    const valid = credentialMessages.valid(secret, shown);
    return conditions({
      error: { status: 'False', reason: UP_TO_DATE, message: credentialMessages.upToDate },
      url: exists,
      credential: { status: 'True', reason: UP_TO_DATE, message: valid },
    });
  }
  const { reason, message } = fault;
  const error: Said = { status: 'True', reason, message };
  const not: Said = { status: 'False', reason, message };
  if (reason === ('InvalidCredentials' satisfies Reason)) return conditions({ error, url: exists, credential: not });
  // Who wasn't reached has neither accepted nor refused anything.
  const unknown: Said = { status: 'Unknown', reason, message };
  if (reason === ('RepositoryUnreachable' satisfies Reason))
    return conditions({ error, url: unknown, credential: unknown });
  return conditions({ error, url: not, credential: not });
};

const conditions = (said: { readonly error: Said; readonly url: Said; readonly credential: Said }) => [
  { type: errorOccurred, ...said.error },
  { type: validRepositoryCredential, ...said.credential },
  { type: validRepositoryUrl, ...said.url },
];
