// What git's last words mean: is there no such repository, was the credential refused, or was nobody reached?
import { credentialMessages } from '../api/messages.ts';
import { userFault, type Reason } from '../api/reasons.ts';
import type { CredentialWish } from '../domain/credential-wish.ts';
import type { GitRemote } from '../domain/git-remote.ts';
import { shownUrl } from '../domain/repository-url.ts';
import type { Fault } from '../lib/fault.ts';

/** Why git failed. Any text but the first two is the cause for which nobody was reached, as Go's libraries word it. */
export type Verdict = 'missing' | 'refused' | 'redirected' | { readonly cause: string };

type Line = readonly [RegExp, Verdict];

/**
 * Over HTTP, only what git says itself: a line of the server's own is shown after `remote: `, and counts for nothing. The
 * first that fits decides. The words are those of curl with OpenSSL and with GnuTLS.
 */
const httpLines: readonly Line[] = [
  [/repository '.*' not found$/, 'missing'],
  [/not valid: (is this a git repository|could not determine hash algorithm)/, 'missing'],
  [/returned error: 410$/, 'missing'],
  [/could not read (Username|Password) for|Authentication failed for|returned error: 40[13]$/, 'refused'],
  [/returned error: 3\d\d$|unable to update url base from redirection/, 'redirected'],
  [/Could not resolve host/, { cause: 'dial tcp: lookup: no such host' }],
  [/timed out|Timeout was reached/i, { cause: 'dial tcp: i/o timeout' }],
  [/No route to host|Network is unreachable/, { cause: 'dial tcp: connect: no route to host' }],
  [/Failed to connect|Connection refused|Couldn't connect/, { cause: 'dial tcp: connect: connection refused' }],
  [/certificate.*(has|is) expired|expired certificate/i, { cause: 'x509: certificate has expired' }],
  [
    /does not match target host name|no alternative certificate subject name|certificate subject name|hostname mismatch/i,
    { cause: 'x509: certificate is not valid for the host' },
  ],
  [
    /certificate verification failed|certificate problem|unable to get local issuer|self[- ]signed/i,
    { cause: 'x509: certificate signed by unknown authority' },
  ],
  [/SSL|TLS|gnutls/i, { cause: 'tls: handshake failure' }],
  [/Out of memory|bad line length|protocol error/, { cause: 'the answer is too long, or none of a Git server' }],
  [
    /Empty reply|Connection reset|Recv failure|transfer closed|early EOF|hung up|expected flush|RPC failed|unexpected/i,
    { cause: 'unexpected EOF' },
  ],
];

/** Over ssh. What the server writes stands among what ssh and git say, so the words of ssh come first. */
const sshLines: readonly Line[] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, { cause: 'ssh: handshake failed: knownhosts: key mismatch' }],
  [/Host key verification failed/, { cause: 'ssh: handshake failed: knownhosts: key is unknown' }],
  [/Could not resolve hostname/, { cause: 'dial tcp: lookup: no such host' }],
  [/port \d+: Connection refused/, { cause: 'dial tcp: connect: connection refused' }],
  [/timed out/i, { cause: 'dial tcp: i/o timeout' }],
  [/No route to host|Network is unreachable/, { cause: 'dial tcp: connect: no route to host' }],
  [/Permission denied \(|Too many authentication failures|no more authentication methods/i, 'refused'],
  [/kex_exchange_identification|Unable to negotiate|banner/i, { cause: 'ssh: handshake failed: EOF' }],
  [/does not appear to be a git repository|not a git repository/i, 'missing'],
  [/(repository|project)\b.*(not found|does not exist|could not be found|doesn't exist)/i, 'missing'],
  [/access denied|permission denied|unauthorized|not authorized|not allowed|access rights/i, 'refused'],
  [/Out of memory|bad line length|protocol error/, { cause: 'the answer is too long, or none of a Git server' }],
  [/Connection (closed|reset)|hung up|Broken pipe|early EOF/i, { cause: 'unexpected EOF' }],
];

/** What git's standard error means. */
export const verdictOf = (stderr: string, transport: GitRemote['transport']): Verdict => {
  if (transport === 'ssh') return sshLines.find(([says]) => says.test(withoutBoilerplate(stderr)))?.[1] ?? unclear;
  const own = stderr.split('\n').filter((line) => /^(fatal|error): /.test(line));
  const status = /returned error: (4(?:0[^0134]|[2-9]\d|1[1-9])|400|5\d\d)$/.exec(own.join('\n'))?.[1];
  const found = httpLines.find(([says]) => own.some((line) => says.test(line)))?.[1];
  return found ?? (status ? { cause: `unexpected status code: ${status}` } : unclear);
};

const unclear: Verdict = { cause: 'the answer is none of a Git server' };

/** Git's advice after each failure over ssh names access rights and the repository, whatever has failed. */
const withoutBoilerplate = (stderr: string): string =>
  stderr
    .replace(/^Please make sure you have the correct access rights\nand the repository exists\.$/m, '')
    .replace(/^fatal: Could not read from remote repository\.$/m, '');

/** The fault that the verdict is for the team. It holds nothing of what the server wrote. */
export const faultOf = (verdict: Verdict, { url, secretName }: CredentialWish): Fault<Reason> => {
  const shown = shownUrl(url);
  if (verdict === 'missing')
    return userFault('InvalidRepositoryUrl', credentialMessages.noRepository(credentialMessages.notFound));
  if (verdict === 'redirected')
    return userFault('InvalidRepositoryUrl', credentialMessages.noRepository(credentialMessages.redirected));
  if (verdict === 'refused') return userFault('InvalidCredentials', credentialMessages.invalid(secretName, shown));
  return userFault('RepositoryUnreachable', credentialMessages.unreachable(shown, verdict.cause));
};
