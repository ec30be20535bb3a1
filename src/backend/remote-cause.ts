// Why another cluster could not be called, in the words that Go's clients have for it: scripts and people know them.
import { excerpt } from '../domain/excerpt.ts';
import { ApiError } from '../kube/status-error.ts';
import { DeadlineExceeded } from '../lib/abort.ts';
import { Fault } from '../lib/fault.ts';

/** What Node.js hangs on an error of a connection. */
interface ConnectError extends Error {
  readonly code: string;
  readonly hostname?: string;
  readonly address?: string;
  readonly port?: number;
  readonly host?: string;
  readonly cert?: { readonly subjectaltname?: string };
}

const UNKNOWN_AUTHORITY = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
const NOT_VALID_NOW = 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';

const lookingUp =
  (what: string) =>
  ({ hostname = '' }: ConnectError): string =>
    `dial tcp: lookup ${excerpt(hostname)}: ${what}`;

const dialling =
  (what: string) =>
  ({ address, port }: ConnectError): string =>
    `dial tcp${address === undefined ? '' : ` ${address.includes(':') ? `[${address}]` : address}:${port}`}: ${what}`;

const namesIn = ({ cert, host }: ConnectError): string => {
  const names = (cert?.subjectaltname ?? '').replaceAll(/(DNS|IP Address):/g, '');
  return `tls: failed to verify certificate: x509: certificate is valid for ${excerpt(names)}, not ${excerpt(host ?? '')}`;
};

/** By the code of Node.js, its resolver or OpenSSL. */
const CAUSES: Readonly<Record<string, string | ((error: ConnectError) => string)>> = {
  ENOTFOUND: lookingUp('no such host'),
  EAI_AGAIN: lookingUp('server misbehaving'),
  ECONNREFUSED: dialling('connect: connection refused'),
  EHOSTUNREACH: dialling('connect: no route to host'),
  ENETUNREACH: dialling('connect: network is unreachable'),
  ETIMEDOUT: dialling('i/o timeout'),
  ECONNRESET: ({ message }) => (message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer'),
  EPIPE: 'write: broken pipe',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: NOT_VALID_NOW,
  CERT_NOT_YET_VALID: NOT_VALID_NOW,
  ERR_TLS_CERT_ALTNAME_INVALID: namesIn,
  EPROTO: 'http: server gave HTTP response to HTTPS client',
  ERR_SSL_WRONG_VERSION_NUMBER: 'http: server gave HTTP response to HTTPS client',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'http: server gave HTTP response to HTTPS client',
};

/** The error itself and those underneath, the first of several connections that were tried at once. */
const chainOf = (error: unknown, depth = 0): Error[] => {
  if (!(error instanceof Error) || depth > 5) return [];
  const under: unknown = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error.cause;
  return [error, ...chainOf(under, depth + 1)];
};

/** With the code that is most to the point: the innermost that is known. */
const connectErrorOf = (error: unknown): ConnectError | undefined =>
  chainOf(error)
    .filter((one): one is ConnectError => 'code' in one && typeof one.code === 'string')
    .findLast((one, _at, all) => one.code in CAUSES || all.length === 1);

/** True when the certificate is fine but for whom it was signed by. */
export const isUnknownAuthority = (error: unknown): boolean =>
  CAUSES[connectErrorOf(error)?.code ?? ''] === UNKNOWN_AUTHORITY;

/** True for what a call to a cluster can end with; anything else is a defect of ours. */
export const isCallFailure = (error: unknown): boolean =>
  error instanceof ApiError || error instanceof Fault || error instanceof DeadlineExceeded;

/**
 * The cause of a failed call, fit for a condition: without anything that a server said which is no API server, so that
 * nobody reads another service's answers by way of us.
 */
export const remoteCause = (error: unknown): string => {
  const chain = chainOf(error);
  if (chain.some((one) => one instanceof DeadlineExceeded)) return 'context deadline exceeded';
  const refusal = chain.find((one) => one instanceof ApiError);
  if (refusal) return refusalText(refusal);
  const connectError = connectErrorOf(error);
  if (connectError) {
    const cause = CAUSES[connectError.code] ?? `the connection failed (${connectError.code})`;
    return typeof cause === 'string' ? cause : cause(connectError);
  }
  const unreadable = chain.find((one) => one instanceof Fault && one.reason === 'ApiAnswerUnreadable');
  return unreadable ? unreadable.message : 'the connection failed';
};

const refusalText = ({ code, reason, message }: ApiError): string => {
  if (code >= 300 && code < 400) return `the server answered ${code}, and redirects are not followed`;
  return reason === '' ? `the server answered ${code}` : message;
};
