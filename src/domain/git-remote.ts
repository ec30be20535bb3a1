// What the URL of a repository says to git: how to talk, to which host, and a URL that holds no secret.
import { domainToASCII } from 'node:url';
import { admissionMessages, credentialMessages } from '../api/messages.ts';
import { userFault } from '../api/reasons.ts';
import { GoUrlError, parseRequestUri, type GoUrl } from '../lib/go-url.ts';

/** A repository as git is told of it. */
export interface GitRemote {
  readonly transport: 'https' | 'http' | 'ssh';
  /** Name or address without port and brackets, as it is looked up: a name beyond ASCII in its ASCII form. */
  readonly host: string;
  /** For git's command line. Path and host are as they were written; what was user and password of HTTP is left out. */
  readonly url: string;
  /** From the URL, over HTTP; '' where it has none. */
  readonly username: string;
  /** From the URL, over HTTP; '' where it has none. */
  readonly password: string;
}

/** Whom a server that is talked to by ssh knows where the URL names nobody: all that host repositories do it so. */
const SSH_USER = 'git';

/** `git@host:path`, as scp writes it. No part may begin with a hyphen, which would make an option of it. */
const SCP_LIKE = /^(?<user>\w[\w.+-]*)@(?<host>[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.]+\]):(?!\/\/|-)(?<path>\P{Cc}+)$/u;
const HOST = /^[A-Za-z0-9_][\w.-]*$/;
const ADDRESS = /^\[([0-9A-Fa-f:.]+)\]$/;
const USER = /^\w[\w.+@-]*$/;

/**
 * Reads the URL of a repository.
 * @throws Fault('user', 'InvalidRepositoryUrl') without the text, which may hold a password where nobody looks for it.
 */
export const readGitRemote = (url: string): GitRemote => {
  const short = SCP_LIKE.exec(url)?.groups;
  if (short) {
    const { host = '' } = short;
    return { transport: 'ssh', host: ADDRESS.exec(host)?.[1] ?? host, url, username: '', password: '' };
  }
  const parsed = parse(url);
  const transport = TRANSPORTS.find((one) => one === parsed.scheme);
  if (!transport) throw refused(admissionMessages.repositoryScheme);
  const [host, port] = hostOf(parsed);
  // What follows the host is taken as it was written: a path may mean something else once it is decoded.
  const rest = /^[^:]*:\/\/[^/?]*(.*)$/s.exec(url)?.[1] ?? '';
  const name = parsed.user?.name ?? '';
  const at = `${host.includes(':') ? `[${host}]` : host}${port}${rest}`;
  if (transport !== 'ssh')
    return { transport, host, url: `${transport}://${at}`, username: name, password: parsed.user?.password ?? '' };
  if (name !== '' && !USER.test(name)) throw refused(credentialMessages.unreadableUrl);
  return { transport, host, url: `ssh://${name || SSH_USER}@${at}`, username: '', password: '' };
};

const TRANSPORTS = ['https', 'http', 'ssh'] as const;

const refused = (cause: string) => userFault('InvalidRepositoryUrl', credentialMessages.noRepository(cause));

const parse = (url: string): GoUrl => {
  try {
    return parseRequestUri(url);
  } catch (error) {
    if (error instanceof GoUrlError) throw refused(credentialMessages.unreadableUrl);
    throw error;
  }
};

/** The host, and the port with its colon. */
const hostOf = ({ host: written }: GoUrl): readonly [string, string] => {
  const [, host = '', port = ''] = /^(\[.*\]|.*?)(:\d+)?:?$/s.exec(written) ?? [];
  const address = ADDRESS.exec(host)?.[1];
  if (address) return [address, port];
  const name = /^[\0-\x7f]*$/.test(host) ? host : domainToASCII(host); // oxlint-disable-line no-control-regex -- all of ASCII is meant
  if (!HOST.test(name)) throw refused(credentialMessages.unreadableUrl);
  return [name, port];
};
