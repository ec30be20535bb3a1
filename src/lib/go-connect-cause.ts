// Why a connection failed, in the words that Go's clients have for it: scripts and people know them.

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

/** Makes a text of somebody else's fit for a message. */
type Shorten = (text: string) => string;

const lookingUp =
  (what: string) =>
  ({ hostname = '' }: ConnectError, shorten: Shorten): string =>
    `dial tcp: lookup ${shorten(hostname)}: ${what}`;

const dialling =
  (what: string) =>
  ({ address, port }: ConnectError): string =>
    `dial tcp${address === undefined ? '' : ` ${address.includes(':') ? `[${address}]` : address}:${port}`}: ${what}`;

const namesIn = ({ cert, host }: ConnectError, shorten: Shorten): string => {
  const names = (cert?.subjectaltname ?? '').replaceAll(/(DNS|IP Address):/g, '');
  return `tls: failed to verify certificate: x509: certificate is valid for ${shorten(names)}, not ${shorten(host ?? '')}`;
};

/** By the code of Node.js, its resolver or OpenSSL. */
const CAUSES: Readonly<Record<string, string | ((error: ConnectError, shorten: Shorten) => string)>> = {
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

/** An error itself and those underneath, the first of several connections that were tried at once. */
export const errorChain = (error: unknown, depth = 0): Error[] => {
  if (!(error instanceof Error) || depth > 5) return [];
  const under: unknown = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error.cause;
  return [error, ...errorChain(under, depth + 1)];
};

/** With the code that is most to the point: the innermost that is known. */
const connectErrorOf = (error: unknown): ConnectError | undefined =>
  errorChain(error)
    .filter((one): one is ConnectError => 'code' in one && typeof one.code === 'string')
    .findLast((one, _at, all) => one.code in CAUSES || all.length === 1);

/** True when the certificate is fine but for whom it was signed by. */
export const isUnknownAuthority = (error: unknown): boolean =>
  CAUSES[connectErrorOf(error)?.code ?? ''] === UNKNOWN_AUTHORITY;

/**
 * Why a connection failed, as Go has it; undefined for what is no failure of a connection. What the other side wrote, such
 * as the names in its certificate, goes through `shorten`.
 */
export const connectCause = (
  error: unknown,
  shorten: (text: string) => string = (text) => text,
): string | undefined => {
  const failure = connectErrorOf(error);
  if (!failure) return undefined;
  const cause = CAUSES[failure.code] ?? `the connection failed (${failure.code})`;
  return typeof cause === 'string' ? cause : cause(failure, shorten);
};
