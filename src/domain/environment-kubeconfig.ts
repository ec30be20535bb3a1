// A tenant's kubeconfig: the one cluster and user in it that an environment means. It may be anything, so nothing in it is
// run, opened or sent anywhere, what is not allowed is refused by name, and no value of it stands in a message. Pure.
import { environmentMessages, tooLong } from '../api/messages.ts';
import { userFault } from '../api/reasons.ts';
import { isSealed } from '../lib/envelope.ts';
import type { Fault } from '../lib/fault.ts';
import { messageOf } from '../lib/fault.ts';
import { parseYamlOfStranger } from '../lib/yaml.ts';
import { excerpt } from './excerpt.ts';

/** How another cluster is reached and as whom. Certificates and keys are PEM text. */
export interface RemoteAccess {
  /** `https://host:port`, with a path where the API is served under one; no slash at the end. */
  readonly server: string;
  readonly ca?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: string;
  readonly basic?: { readonly username: string; readonly password: string };
}

/** The longest token that fits its column when it is encrypted, in characters. */
export const MAX_TOKEN = 8192;

/**
 * The access that the kubeconfig has to the cluster whose `server` is `host`. Without `newServiceAccount` it has a token.
 * @throws Fault('user')
 */
export const accessOf = (
  kubeconfig: string,
  wanted: { readonly host: string; readonly newServiceAccount: boolean },
): RemoteAccess => {
  const config = rootOf(kubeconfig);
  const context = contextOf(config, wanted.host);
  const user = userOf(config, context);
  const access = { ...clusterPart(context.cluster, wanted.host), ...userPart(user) };
  const hasOther = access.clientCertificate !== undefined || access.basic !== undefined;
  if (access.token === undefined && !(wanted.newServiceAccount && hasOther)) {
    throw unparsable(environmentMessages.noToken(context.name));
  }
  return access;
};

/** The URL as it is called: scheme and host in lower case, no slash at the end. @throws TypeError when it is no URL. */
export const serverOf = (host: string): string => {
  const { origin, pathname } = new URL(host);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
};

type Members = Readonly<Record<string, unknown>>;

/** A mapping inside the file, and its name in messages. */
interface Section {
  readonly at: 'cluster' | 'user';
  readonly members: Members;
}

interface Context {
  readonly name: string;
  readonly user: string;
  readonly cluster: Section;
}

const unparsable = (message: string): Fault => userFault('UnableToParseKubeconfigData', message);
const refusal = (cause: string): Fault => unparsable(environmentMessages.unparsable(cause));
const notLocated = (message: string): Fault => userFault('UnableToLocateContext', message);
const unusable = (cause: string): Fault =>
  userFault('UnableToRetrieveRestConfig', environmentMessages.noRestConfig(cause));

const isMapping = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The Go type that a kubeconfig is decoded into first, as Go's message shows it. */
const TYPE_META = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

const rootOf = (text: string): Members => {
  const root = parsed(text) ?? {};
  if (isMapping(root)) return root;
  const type = Array.isArray(root) ? 'array' : typeof root === 'boolean' ? 'bool' : typeof root;
  throw refusal(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${type} into Go value of type ${TYPE_META}`,
  );
};

const parsed = (text: string): unknown => {
  try {
    return parseYamlOfStranger(text);
  } catch (error) {
    const message = messageOf(error);
    const [, what = message, line] = /^(.*) at line (\d+), column \d+$/s.exec(message) ?? [];
    throw refusal(line === undefined ? `yaml: ${excerpt(what)}` : `yaml: line ${line}: ${excerpt(what)}`);
  }
};

/** The entries of a list of the file, `{ name, <kind>: { … } }`. What has another shape is left out. */
const entriesOf = (config: Members, kind: 'cluster' | 'context' | 'user'): { name: string; members: Members }[] => {
  const list: unknown = config[`${kind}s`];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw refusal(`${kind}s is not a list`);
  return list.flatMap((entry: unknown) => {
    if (!isMapping(entry) || typeof entry['name'] !== 'string') return [];
    const members = entry[kind] ?? {};
    return isMapping(members) ? [{ name: entry['name'], members }] : [];
  });
};

const isSameServer = (server: unknown, host: string): boolean =>
  typeof server === 'string' && server.toLowerCase() === host.toLowerCase();

/** The context that names the cluster: the current one if it does, else the first. */
const contextOf = (config: Members, host: string): Context => {
  const clusters = new Map(
    entriesOf(config, 'cluster')
      .filter(({ members }) => isSameServer(members['server'], host))
      .map(({ name, members }) => [name, members]),
  );
  const [firstName] = clusters.keys();
  if (firstName === undefined) throw notLocated(environmentMessages.noCluster(host));
  const contexts = entriesOf(config, 'context').flatMap(({ name, members }) => {
    const cluster = clusters.get(textOf(members['cluster']));
    return cluster
      ? [{ name, user: textOf(members['user']), cluster: { at: 'cluster' as const, members: cluster } }]
      : [];
  });
  const context = contexts.find(({ name }) => name === config['current-context']) ?? contexts[0];
  if (!context) throw notLocated(environmentMessages.noContext(excerpt(firstName)));
  return { ...context, name: excerpt(context.name) };
};

const userOf = (config: Members, context: Context): Section => {
  const found = entriesOf(config, 'user').find(({ name }) => name === context.user);
  if (!found) throw unparsable(environmentMessages.missingAuthInfo(context.name));
  return { at: 'user', members: found.members };
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A text of a section; undefined when it is absent or empty. */
const member = ({ at, members }: Section, field: string): string | undefined => {
  const value = members[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw refusal(`${at}.${field} is not text`);
  return value;
};

const isPresent = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

const refuse = (section: Section, fields: readonly string[], why: string): void => {
  const present = fields.find((field) => isPresent(section.members[field]));
  if (present !== undefined) throw refusal(`${section.at}.${present} is not allowed: ${why}`);
};

const clusterPart = (cluster: Section, host: string) => {
  refuse(cluster, ['proxy-url'], 'the API server is reached directly');
  refuse(cluster, ['certificate-authority'], 'no file is read; give its content as certificate-authority-data');
  const ca = dataOf(cluster, 'certificate-authority-data');
  const tlsServerName = member(cluster, 'tls-server-name');
  return {
    server: serverOf(host),
    ...(ca === undefined ? {} : { ca }),
    ...(cluster.members['insecure-skip-tls-verify'] === true ? { insecureSkipTlsVerify: true } : {}),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
  };
};

const userPart = (user: Section) => {
  refuse(user, ['exec', 'auth-provider'], 'no program is run for credentials; give a token');
  refuse(user, ['tokenFile'], 'no file is read; give its content as token');
  refuse(
    user,
    ['client-certificate', 'client-key'],
    'no file is read; give its content under the same name with -data',
  );
  refuse(user, ['as', 'as-uid', 'as-groups', 'as-user-extra'], 'there is no impersonation');
  const token = tokenOf(user);
  const username = member(user, 'username');
  if (token !== undefined && username !== undefined) {
    throw unusable(
      'invalid configuration: more than one authentication method found for the user; only one is allowed',
    );
  }
  return {
    ...certificatePart(user),
    ...(token === undefined ? {} : { token }),
    ...(username === undefined ? {} : { basic: { username, password: member(user, 'password') ?? '' } }),
  };
};

const tokenOf = (user: Section): string | undefined => {
  const token = member(user, 'token');
  if (token === undefined) return undefined;
  if (/[^\x21-\x7e]/.test(token)) throw refusal('user.token has characters that no token has');
  if (isSealed(token)) throw refusal('user.token is a text that this service has encrypted');
  if (token.length > MAX_TOKEN) throw refusal(tooLong('user.token', MAX_TOKEN, token.length));
  return token;
};

const certificatePart = (user: Section) => {
  const clientCertificate = dataOf(user, 'client-certificate-data');
  const clientKey = dataOf(user, 'client-key-data');
  if (clientCertificate === undefined && clientKey === undefined) return {};
  if (clientKey === undefined) {
    throw unusable(
      'invalid configuration: client-key-data must be specified to use the clientCert authentication method',
    );
  }
  if (clientCertificate === undefined) {
    throw unusable('invalid configuration: client-key-data is specified, but no client-certificate-data');
  }
  return { clientCertificate, clientKey };
};

/** The text that a field has in base64. Line breaks in it are no part of it. */
const dataOf = (section: Section, field: string): string | undefined => {
  const data = member(section, field)?.replace(/[\r\n]/g, '');
  if (data === undefined) return undefined;
  const isWhole = data.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(data);
  if (!isWhole) throw refusal(`illegal base64 data in ${section.at}.${field}`);
  return Buffer.from(data, 'base64').toString('utf8');
};
