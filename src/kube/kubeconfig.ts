// How one cluster is reached and as whom: from a kubeconfig, or from the pod the process runs in.
import { isAbsolute, join } from 'node:path';
import { isIPv6 } from 'node:net';
import { Fault, messageOf } from '../lib/fault.ts';
import { parseYamlStream } from '../lib/yaml.ts';
import { isRecord } from './json.ts';

/** Everything needed to call an API server. Certificates and keys are PEM text. */
export interface ClusterAccess {
  /** `https://host:port`, with a path where the API is served under one; no slash at the end. */
  readonly server: string;
  /** The authorities that the server's certificate is checked against; the system's without it. */
  readonly ca?: string;
  readonly insecureSkipTlsVerify?: boolean;
  /** The name that the server's certificate must carry, where it isn't the host of `server`. */
  readonly tlsServerName?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: string;
  /** Reads the bearer token from its file, which is rotated under the process; wins over `token`. */
  readonly readToken?: () => string;
  readonly basic?: { readonly username: string; readonly password: string };
  /** The namespace that the context (or the pod) names as its default. */
  readonly namespace?: string;
}

/** Reads a whole file as UTF-8; throws when it can't. */
export type ReadFile = (path: string) => string;

/** What a kubeconfig is read with. Without `readFile`, one that refers to files is refused. */
export interface KubeconfigOptions {
  /** Which context; the file's `current-context` unless given. */
  readonly context?: string;
  readonly readFile?: ReadFile;
  /** The folder of the kubeconfig, which relative paths in it start from. */
  readonly directory?: string;
}

/**
 * Reads a kubeconfig.
 * @throws Fault('user', 'InvalidKubeconfig') naming the field, never its value.
 */
export const parseKubeconfig = (text: string, options: KubeconfigOptions = {}): ClusterAccess => {
  const config: Section = { at: 'kubeconfig', members: parseRoot(text) };
  const contextName = options.context ?? optionalText(config, 'current-context');
  if (!contextName) throw invalid('it has no current-context, and no context was asked for');
  const context = entryOf(config, 'context', contextName);
  const cluster = entryOf(config, 'cluster', requiredText(context, 'cluster'));
  const userName = optionalText(context, 'user');
  const namespace = optionalText(context, 'namespace');
  return {
    ...clusterPart(cluster, options),
    ...(userName === undefined ? {} : userPart(entryOf(config, 'user', userName), options)),
    ...(namespace === undefined ? {} : { namespace }),
  };
};

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The access of the pod that the process runs in, by its service account. `environment` carries the pod's
 * `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`.
 * @throws Fault('user', 'InvalidKubeconfig') when the process is in no pod.
 */
export const inClusterAccess = (options: {
  readonly readFile: ReadFile;
  readonly environment: { readonly host: string | undefined; readonly port: string | undefined };
}): ClusterAccess => {
  const { host, port } = options.environment;
  if (!host || !port) {
    throw new Fault('user', 'InvalidKubeconfig', 'not in a pod: KUBERNETES_SERVICE_HOST and _PORT are not set');
  }
  const read = (name: string): string => {
    try {
      return options.readFile(`${SERVICE_ACCOUNT}/${name}`).trim();
    } catch (error) {
      throw new Fault('user', 'InvalidKubeconfig', `the pod's service account can't be read: ${messageOf(error)}`);
    }
  };
  read('token'); // a pod without a token is better refused here than by each call
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    ca: read('ca.crt'),
    readToken: () => read('token'),
    namespace: read('namespace'),
  };
};

/** A mapping inside the file, and where it stands, for messages. */
interface Section {
  readonly at: string;
  readonly members: Record<string, unknown>;
}

const invalid = (message: string): Fault => new Fault('user', 'InvalidKubeconfig', `invalid kubeconfig: ${message}`);

/** The library's message quotes the line, which may hold a secret; only the place is passed on. */
const parseRoot = (text: string): Record<string, unknown> => {
  const root = ((): unknown => {
    try {
      return parseYamlStream(text)[0];
    } catch (error) {
      const place = /line \d+, column \d+/.exec(messageOf(error));
      throw invalid(`not YAML${place ? ` at ${place[0]}` : ''}`);
    }
  })();
  if (!isRecord(root)) throw invalid('it is not a mapping');
  return root;
};

/** The entry `name` of `contexts`, `clusters` or `users`: `{ name, context: { … } }`. */
const entryOf = (config: Section, kind: 'context' | 'cluster' | 'user', name: string): Section => {
  const entries = config.members[`${kind}s`];
  const found = Array.isArray(entries) && entries.find((entry: unknown) => isRecord(entry) && entry['name'] === name);
  if (!isRecord(found)) throw invalid(`${kind}s has no entry named ${JSON.stringify(name)}`);
  const members = found[kind] ?? {};
  const at = `${kind}s[${JSON.stringify(name)}].${kind}`;
  if (!isRecord(members)) throw invalid(`${at} is not a mapping`);
  return { at, members };
};

const optionalText = (section: Section, field: string): string | undefined => {
  const value = section.members[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalid(`${section.at}.${field} is not text`);
  return value;
};

const requiredText = (section: Section, field: string): string => {
  const value = optionalText(section, field);
  if (value === undefined) throw invalid(`${section.at}.${field} is missing`);
  return value;
};

const refuse = (section: Section, fields: readonly string[], why: string): void => {
  const present = fields.find((field) => section.members[field] !== undefined && section.members[field] !== null);
  if (present) throw invalid(`${section.at}.${present} is not supported: ${why}`);
};

const clusterPart = (cluster: Section, options: KubeconfigOptions) => {
  refuse(cluster, ['proxy-url'], 'the API server is reached directly');
  const ca = inlineOrFile(cluster, 'certificate-authority', options);
  const tlsServerName = optionalText(cluster, 'tls-server-name');
  const insecure = cluster.members['insecure-skip-tls-verify'] === true;
  if (ca !== undefined && insecure) {
    throw invalid(`${cluster.at} has both certificate-authority and insecure-skip-tls-verify`);
  }
  return {
    server: serverOf(cluster),
    ...(ca === undefined ? {} : { ca }),
    ...(insecure ? { insecureSkipTlsVerify: true } : {}),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
  };
};

const serverOf = (cluster: Section): string => {
  const text = requiredText(cluster, 'server');
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (!url || !['https:', 'http:'].includes(url.protocol)) throw invalid(`${cluster.at}.server is not an http(s) URL`);
  if (url.username || url.password) throw invalid(`${cluster.at}.server carries credentials`);
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
};

const userPart = (user: Section, options: KubeconfigOptions) => {
  refuse(user, ['exec', 'auth-provider'], 'no program is run for credentials; use a token or a client certificate');
  refuse(user, ['as', 'as-uid', 'as-groups', 'as-user-extra'], 'there is no impersonation');
  return { ...certificatePart(user, options), ...tokenPart(user, options), ...basicPart(user) };
};

const certificatePart = (user: Section, options: KubeconfigOptions) => {
  const clientCertificate = inlineOrFile(user, 'client-certificate', options);
  const clientKey = inlineOrFile(user, 'client-key', options);
  if (clientCertificate === undefined && clientKey === undefined) return {};
  if (clientCertificate === undefined) throw invalid(`${user.at} has a client-key but no client-certificate`);
  if (clientKey === undefined) throw invalid(`${user.at} has a client-certificate but no client-key`);
  return { clientCertificate, clientKey };
};

const tokenPart = (user: Section, options: KubeconfigOptions) => {
  const file = optionalText(user, 'tokenFile');
  if (file !== undefined) {
    const readToken = (): string => readReferred({ section: user, field: 'tokenFile', path: file }, options).trim();
    readToken(); // says now, and by the field's name, that it can't be read
    return { readToken };
  }
  const token = optionalText(user, 'token');
  if (token === undefined) return {};
  if (/[^\x21-\x7e]/.test(token)) throw invalid(`${user.at}.token has characters that no token has`);
  return { token };
};

const basicPart = (user: Section) => {
  const username = optionalText(user, 'username');
  if (username === undefined) return {};
  return { basic: { username, password: requiredText(user, 'password') } };
};

/** `<field>-data` (base64) or else the file that `<field>` names; the data wins, as in kubectl. */
const inlineOrFile = (section: Section, field: string, options: KubeconfigOptions): string | undefined => {
  const data = optionalText(section, `${field}-data`);
  if (data !== undefined) {
    const text = Buffer.from(data, 'base64').toString('utf8');
    if (!text.includes('-----BEGIN ')) throw invalid(`${section.at}.${field}-data is not base64 of PEM`);
    return text;
  }
  const path = optionalText(section, field);
  return path === undefined ? undefined : readReferred({ section, field, path }, options);
};

const readReferred = (
  file: { readonly section: Section; readonly field: string; readonly path: string },
  options: KubeconfigOptions,
): string => {
  const at = `${file.section.at}.${file.field}`;
  if (!options.readFile) throw invalid(`${at} refers to a file, which can't be read here; give its content inline`);
  try {
    return options.readFile(isAbsolute(file.path) ? file.path : join(options.directory ?? '.', file.path));
  } catch (error) {
    throw invalid(`${at} can't be read: ${messageOf(error)}`);
  }
};
