// What a GitOpsDeploymentManagedEnvironment and its Secret ask for: ordered rules over the spec, then the kubeconfig. Pure.
import { createHash } from 'node:crypto';
import { managedEnvironmentSecretType } from '../api/labels.ts';
import { admissionMessages, environmentMessages, tooLong } from '../api/messages.ts';
import { userFault } from '../api/reasons.ts';
import type { GitOpsDeploymentManagedEnvironment } from '../api/v1alpha1/gitops-deployment-managed-environment.ts';
import { GoUrlError, parseRequestUri, type GoUrl } from '../lib/go-url.ts';
import { accessOf, type RemoteAccess } from './environment-kubeconfig.ts';
import { excerpt } from './excerpt.ts';

/** What is known of a Secret: its type, and its data in base64, as in the object. */
export interface SecretFacts {
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

/** An environment whose spec and Secret can be used, as far as can be told without asking the cluster. */
export interface EnvironmentWish {
  /** `spec.apiURL` as it is written. */
  readonly host: string;
  /** Whether the server's certificate is left unchecked. */
  readonly insecure: boolean;
  /** Sorted and joined by commas; '' means the whole cluster. */
  readonly namespaces: string;
  readonly clusterResources: boolean;
  /** Whether a ServiceAccount of our own is to be made on the cluster. */
  readonly newServiceAccount: boolean;
  /** How the kubeconfig says that the cluster is reached, and as whom. */
  readonly access: RemoteAccess;
  /** SHA-256 in hex over all of the above and the kubeconfig, or how it is kept: the same hash, the same wish. */
  readonly inputHash: string;
}

/** The longest that the rows hold, in characters. */
const MAX_HOST = 512;
const MAX_NAMESPACES = 4096;

/** The key of the Secret. */
const KUBECONFIG = 'kubeconfig';

/**
 * Reads what an environment asks for. An environment that has been usable before is `known`: a message differs then.
 * @throws Fault('user') with the reason and the text of the condition; the first rule that is broken decides.
 */
export const readEnvironment = (
  environment: GitOpsDeploymentManagedEnvironment,
  secret: SecretFacts | undefined,
  known: boolean,
): EnvironmentWish => {
  const { metadata, spec } = environment;
  const { apiURL = '', credentialsSecret = '', allowInsecureSkipTLSVerify, createNewServiceAccount } = spec ?? {};
  const { name, namespace = '' } = metadata;
  if (!credentialsSecret) {
    throw userFault('SecretNotSpecified', environmentMessages.secretNotSpecified(name, namespace));
  }
  if (!secret) {
    const of = { secret: excerpt(credentialsSecret), name, namespace };
    throw userFault('SecretNotFound', environmentMessages.secretNotFound(of));
  }
  checkApiUrl(apiURL);
  const asked = {
    host: apiURL,
    insecure: allowInsecureSkipTLSVerify === true,
    namespaces: namespacesOf(spec?.namespaces ?? [], known),
    clusterResources: spec?.clusterResources === true,
    newServiceAccount: createNewServiceAccount === true,
  };
  const kubeconfig = kubeconfigOf(secret);
  const access = accessOf(Buffer.from(kubeconfig, 'base64').toString('utf8'), asked);
  return { ...asked, access, inputHash: hashOf([asked, kubeconfig]) };
};

const hashOf = (input: unknown): string => createHash('sha256').update(JSON.stringify(input)).digest('hex');

/** The rule at the door, and what Argo CD or the rows could not bear. A URL that may hold a password is not repeated. */
const checkApiUrl = (url: string): void => {
  const unsupported = (message: string) => userFault('UnsupportedAPIURL', message);
  if (/[?&]/.test(url)) throw unsupported(environmentMessages.unsupportedApiUrl);
  if (url.length > MAX_HOST) throw unsupported(tooLong('spec.apiURL', MAX_HOST, url.length));
  const { scheme, user, host } = parsed(url);
  if (scheme !== 'https') throw unsupported(admissionMessages.apiUrlNotHttps);
  if (user) throw unsupported('the API URL must not have a user or password');
  if (host === '' || !URL.canParse(url)) throw unsupported('the API URL must name a host');
};

const parsed = (url: string): GoUrl => {
  try {
    return parseRequestUri(url);
  } catch (error) {
    if (!(error instanceof GoUrlError)) throw error;
    throw userFault('UnsupportedAPIURL', url.includes('@') ? 'the API URL is not a valid URL' : error.message);
  }
};

/** DNS-1123 label (RFC 1123). */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const namespacesOf = (names: readonly string[], known: boolean): string => {
  const wrong = names.find((name) => !LABEL.test(name));
  if (wrong !== undefined) {
    const { invalidNamespace, invalidNamespaceOnUpdate } = environmentMessages;
    throw userFault('InvalidNamespaceList', (known ? invalidNamespaceOnUpdate : invalidNamespace)(excerpt(wrong)));
  }
  const joined = names.toSorted().join(',');
  if (joined.length <= MAX_NAMESPACES) return joined;
  throw userFault('InvalidNamespaceList', tooLong('spec.namespaces', MAX_NAMESPACES, joined.length));
};

const kubeconfigOf = ({ type, data }: SecretFacts): string => {
  if (type !== managedEnvironmentSecretType) {
    throw userFault('InvalidSecretType', environmentMessages.invalidSecretType(excerpt(type)));
  }
  const kubeconfig = data[KUBECONFIG];
  if (kubeconfig === undefined) throw userFault('MissingKubeConfigField', environmentMessages.missingKubeconfig);
  return kubeconfig;
};
