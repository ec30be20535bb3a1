// What is wrong with a GitOpsDeploymentRepositoryCredential by itself: ordered rules, the first that fits decides. What its
// Secret and the Git server say is another matter.
import { admissionMessages } from '../api/messages.ts';
import { userFault, type Reason } from '../api/reasons.ts';
import type { GitOpsDeploymentRepositoryCredential } from '../api/v1alpha1/gitops-deployment-repository-credential.ts';
import type { Fault } from '../lib/fault.ts';
import { firstBroken, readRequestUri, type Admit, type Rule } from './admission.ts';

/** The URL alone. */
type AskedOf = readonly [string];

/** `git@host:path`, Git's short form of ssh. A slash before the colon makes it something else. */
const SHORT_SSH = /^[^\s/:@]+@[^\s/:@]+:[^\s]+$/;

const refused = (message: string): Fault<Reason> => userFault('InvalidRepositoryUrl', message);

const isAUrl: Rule<AskedOf> = (repository) => {
  const read = readRequestUri(repository);
  return 'refusal' in read ? refused(read.refusal) : undefined;
};

/**
 * The same for a condition and the log, where a URL that can't be read is not repeated if it may hold a password. Git's
 * short form of ssh is no URL, and stopped at the door; where it came in, it works.
 */
const isAUrlInAPass: Rule<AskedOf> = (repository) => {
  const fault = SHORT_SSH.test(repository) ? undefined : isAUrl(repository);
  return fault && repository.includes('@')
    ? refused(
        'spec.repository is not a valid URL of a Git repository. Write it as https://host/path or ssh://user@host/path',
      )
    : fault;
};

const isHttpsOrSsh: Rule<AskedOf> = (repository) => {
  const read = readRequestUri(repository);
  if ('refusal' in read || ['https', 'ssh'].includes(read.url.scheme)) return undefined;
  return refused(admissionMessages.repositoryScheme);
};

/** The door lets an empty URL through, but nobody can ask Git for it. */
const isThere: Rule<AskedOf> = (repository) =>
  repository === '' ? refused(admissionMessages.repositoryScheme) : undefined;

const atTheDoor: readonly Rule<AskedOf>[] = [isAUrl, isHttpsOrSsh];
const inAPass: readonly Rule<AskedOf>[] = [isThere, isAUrlInAPass, isHttpsOrSsh];

/** The first thing that is wrong with a credential's URL, as a user's fault (`InvalidRepositoryUrl`); undefined when nothing is. */
export const validateRepositoryCredential = ({
  spec,
}: GitOpsDeploymentRepositoryCredential): Fault<Reason> | undefined => firstBroken(inAPass, spec?.repository ?? '');

/** What is said of a credential at the door, the same on create and on update. */
export const admitRepositoryCredential: Admit<GitOpsDeploymentRepositoryCredential> = ({ spec }) =>
  spec?.repository ? firstBroken(atTheDoor, spec.repository) : undefined;
