// What is wrong with a GitOpsDeploymentManagedEnvironment by itself: ordered rules, the first that fits decides. What its
// Secret and the cluster say is another matter.
import { admissionMessages, environmentMessages } from '../api/messages.ts';
import { userFault, type Reason } from '../api/reasons.ts';
import type { GitOpsDeploymentManagedEnvironment } from '../api/v1alpha1/gitops-deployment-managed-environment.ts';
import type { Fault } from '../lib/fault.ts';
import { firstBroken, readRequestUri, type Admit, type Rule } from './admission.ts';

/** The URL alone. An empty one is no matter of these rules: no kubeconfig has a cluster for it, which says enough. */
type AskedOf = readonly [string];

const refused = (message: string): Fault<Reason> => userFault('UnsupportedAPIURL', message);

const isAUrl: Rule<AskedOf> = (apiUrl) => {
  const read = readRequestUri(apiUrl);
  return 'refusal' in read ? refused(read.refusal) : undefined;
};

/** The same for a condition and the log, where a URL that can't be read is not repeated if it may hold a password. */
const isAUrlInAPass: Rule<AskedOf> = (apiUrl) =>
  isAUrl(apiUrl) && apiUrl.includes('@')
    ? refused('spec.apiURL is not a valid URL of a cluster. Write it as https://host:port, without a user')
    : isAUrl(apiUrl);

const isHttps: Rule<AskedOf> = (apiUrl) => {
  const read = readRequestUri(apiUrl);
  return 'url' in read && read.url.scheme !== 'https' ? refused(admissionMessages.apiUrlNotHttps) : undefined;
};

const isPlain: Rule<AskedOf> = (apiUrl) =>
  /[?&]/.test(apiUrl) ? refused(environmentMessages.unsupportedApiUrl) : undefined;

const atTheDoor: readonly Rule<AskedOf>[] = [isAUrl, isHttps];
const inAPass: readonly Rule<AskedOf>[] = [isAUrlInAPass, isHttps, isPlain];

const unlessEmpty = (
  rules: readonly Rule<AskedOf>[],
  { spec }: GitOpsDeploymentManagedEnvironment,
): Fault<Reason> | undefined => (spec?.apiURL ? firstBroken(rules, spec.apiURL) : undefined);

/** The first thing that is wrong with an environment's URL, as a user's fault (`UnsupportedAPIURL`); undefined when nothing is. */
export const validateManagedEnvironment = (
  environment: GitOpsDeploymentManagedEnvironment,
): Fault<Reason> | undefined => unlessEmpty(inAPass, environment);

/** What is said of an environment at the door, the same on create and on update: `?` and `&` are left to the pass. */
export const admitManagedEnvironment: Admit<GitOpsDeploymentManagedEnvironment> = (environment) =>
  unlessEmpty(atTheDoor, environment);
