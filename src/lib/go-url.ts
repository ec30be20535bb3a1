// URLs as Go's net/url reads and writes them: which texts it refuses, in which words, and how it writes one it accepts.
// Its messages reach users, and its spelling of a URL is a key that other programs compare, so a WHATWG URL won't do.
// The rules are those of RFC 3986 and RFC 6874, as Go takes them.
//
// Go's strings are bytes. Inside this file a text is held as one character for each UTF-8 byte.
import { isIPv4, isIPv6 } from 'node:net';
import { quote } from './go-quote.ts';

/** A URL in parts; what was escaped is decoded, except in `opaque` and `rawQuery`. Absent parts are ''. */
export interface GoUrl {
  /** Lower case, without the colon. */
  readonly scheme: string;
  /** What follows the scheme of a URL such as `mailto:a@b`, as written. */
  readonly opaque: string;
  readonly user: { readonly name: string; readonly password?: string } | undefined;
  /** With the port, as `host:port`; an IPv6 address stands in brackets. */
  readonly host: string;
  readonly path: string;
  /** As written, without the question mark. */
  readonly rawQuery: string;
  readonly fragment: string;
  /** The URL written anew. */
  readonly text: string;
}

/** Why a text is no URL. The message is Go's, `parse "<text>": <why>`. */
export class GoUrlError extends Error {
  override readonly name = 'GoUrlError';
}

/**
 * Reads a URL or a relative reference (Go: `url.Parse`).
 * @throws GoUrlError
 */
export const parseUrl = (text: string): GoUrl => {
  const bytes = bytesOf(text);
  const [beforeFragment, fragment] = cut(bytes, '#');
  const parts = naming(beforeFragment, () => partsOf(beforeFragment, false));
  return naming(bytes, () => urlOf(parts, fragment));
};

/**
 * Reads an absolute URL or an absolute path (Go: `url.ParseRequestURI`). A `#` has no meaning in it.
 * @throws GoUrlError
 */
export const parseRequestUri = (text: string): GoUrl => {
  const bytes = bytesOf(text);
  return naming(bytes, () => urlOf(partsOf(bytes, true), ''));
};

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const textOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

/** What is wrong, before it is known of which text. */
class Refusal extends Error {}

const naming = <T>(bytes: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) throw new GoUrlError(`parse ${quote(bytes)}: ${error.message}`);
    throw error;
  }
};

/** The text before and after the first `separator`; all of it and '' where there is none. */
const cut = (bytes: string, separator: string): [string, string] => {
  const at = bytes.indexOf(separator);
  return at < 0 ? [bytes, ''] : [bytes.slice(0, at), bytes.slice(at + 1)];
};

/** The parts as bytes. `query` is undefined where there is no question mark. */
interface Parts {
  readonly scheme: string;
  readonly opaque: string;
  readonly authority: Authority | undefined;
  /** As written. */
  readonly path: string;
  readonly decodedPath: string;
  readonly query: string | undefined;
}

interface Authority {
  readonly user: GoUrl['user'];
  readonly host: string;
}

const partsOf = (bytes: string, request: boolean): Parts => {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(bytes)) throw new Refusal('net/url: invalid control character in URL');
  if (bytes === '' && request) throw new Refusal('empty url');
  if (bytes.startsWith(':')) throw new Refusal('missing protocol scheme');
  const found = /^(?:([a-z][a-z0-9+.-]*):)?([^?]*)(?:\?(.*))?$/is.exec(bytes);
  const [, scheme = '', rest = '', query] = found ?? [];
  const parts = { scheme: scheme.toLowerCase(), opaque: '', authority: undefined, query };
  if (!rest.startsWith('/') && bytes !== '*') {
    if (scheme !== '') return { ...parts, opaque: rest, path: '', decodedPath: '' };
    if (request) throw new Refusal('invalid URI for request');
    if (cut(rest, '/')[0].includes(':')) throw new Refusal('first path segment in URL cannot contain colon');
  }
  // Without a scheme, `//host` is a reference to another host; in a request, or with three slashes, it is a path.
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || (!request && !rest.startsWith('///')));
  if (!hasAuthority) return { ...parts, path: rest, decodedPath: unescaped(rest, PATH) };
  const slash = rest.indexOf('/', 2);
  const end = slash < 0 ? rest.length : slash;
  const authority = authorityOf(parts.scheme, rest.slice(2, end));
  return { ...parts, authority, path: rest.slice(end), decodedPath: unescaped(rest.slice(end), PATH) };
};

const authorityOf = (scheme: string, bytes: string): Authority => {
  const at = bytes.lastIndexOf('@');
  const host = hostOf(scheme, bytes.slice(at + 1));
  if (at < 0) return { user: undefined, host };
  const userinfo = bytes.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) throw new Refusal('net/url: invalid userinfo');
  const [name, password] = cut(userinfo, ':');
  const user = { name: unescaped(name, USER) };
  return { host, user: userinfo.includes(':') ? { ...user, password: unescaped(password, USER) } : user };
};

const hostOf = (scheme: string, bytes: string): string => {
  const bracket = bytes.lastIndexOf('[');
  if (bracket > 0) throw new Refusal('invalid IP-literal');
  if (bracket === 0) return addressOf(bytes);
  // Several colons are left alone where lists of hosts are in use; HTTP has none.
  const web = scheme === 'http' || scheme === 'https';
  const colon = web ? bytes.indexOf(':') : bytes.lastIndexOf(':');
  if (colon >= 0) checkPort(bytes.slice(colon));
  return unescaped(bytes, HOST);
};

/** An IPv6 address in brackets, maybe with zone and port: `[fe80::1%25en0]:80`. */
const addressOf = (bytes: string): string => {
  const end = bytes.lastIndexOf(']');
  if (end < 0) throw new Refusal("missing ']' in host");
  const port = bytes.slice(end + 1);
  checkPort(port);
  const inside = bytes.slice(1, end);
  const zoneAt = inside.indexOf('%25');
  const host =
    zoneAt < 0
      ? unescaped(inside, HOST)
      : unescaped(inside.slice(0, zoneAt), HOST) + unescaped(inside.slice(zoneAt), ZONE);
  const [address, zone] = cut(host, '%');
  if (isIPv4(host)) throw new Refusal('invalid IP-literal');
  if (!isIPv6(address) || (zone === '' && host.includes('%')))
    throw new Refusal(`invalid host: ParseAddr(${quote(host)}): unable to parse IP`);
  return `[${host}]${port}`;
};

const checkPort = (bytes: string): void => {
  if (!/^(:[0-9]*)?$/.test(bytes)) throw new Refusal(`invalid port ${quote(bytes)} after host`);
};

/** Which bytes a part of a URL may hold unescaped. `only`: others are refused rather than escaped. */
interface Part {
  readonly plain: RegExp;
  readonly only?: 'host' | 'zone';
}

const PATH: Part = { plain: /[A-Za-z0-9\-_.~$&+,/:;=@]/ };
const USER: Part = { plain: /[A-Za-z0-9\-_.~$&+,;=]/ };
const FRAGMENT: Part = { plain: /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/ };
const HOST: Part = { plain: /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/, only: 'host' };
const ZONE: Part = { plain: HOST.plain, only: 'zone' };

const unescaped = (bytes: string, part: Part): string =>
  bytes.replace(/%.{0,2}|[^%]/gs, (token) => {
    if (!token.startsWith('%')) {
      if (part.only && token < '\x80' && !part.plain.test(token))
        throw new Refusal(`invalid character ${quote(token)} in host name`);
      return token;
    }
    const byte = /^%[0-9a-f]{2}$/i.test(token) ? String.fromCharCode(Number.parseInt(token.slice(1), 16)) : undefined;
    if (byte === undefined || !mayBeEscaped(token, byte, part)) throw new Refusal(`invalid URL escape ${quote(token)}`);
    return byte;
  });

/** In a host only bytes beyond ASCII may be escaped, in a zone what may also stand there plainly, and a blank. */
const mayBeEscaped = (token: string, byte: string, part: Part): boolean => {
  if (part.only === undefined || token === '%25') return true;
  return part.only === 'host' ? byte >= '\x80' : byte === ' ' || part.plain.test(byte);
};

const escaped = (bytes: string, { plain }: Part): string =>
  bytes.replace(/./gs, (byte) =>
    plain.test(byte) ? byte : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );

/** A part as it was written where that can stand, else escaped anew. */
const written = (bytes: string, part: Part): string =>
  bytes.split('').every((byte) => /[!$&'()*+,;=:@[\]%]/.test(byte) || part.plain.test(byte))
    ? bytes
    : escaped(unescaped(bytes, part), part);

const urlOf = (parts: Parts, fragment: string): GoUrl => {
  const { scheme, opaque, authority, decodedPath, query = '' } = parts;
  const { user } = authority ?? {};
  return {
    scheme,
    opaque: textOf(opaque),
    user: user && {
      name: textOf(user.name),
      ...(user.password === undefined ? {} : { password: textOf(user.password) }),
    },
    host: textOf(authority?.host ?? ''),
    path: textOf(decodedPath),
    rawQuery: textOf(query),
    fragment: textOf(unescaped(fragment, FRAGMENT)),
    text: textOf(withoutFragment(parts) + (fragment === '' ? '' : `#${written(fragment, FRAGMENT)}`)),
  };
};

const withoutFragment = ({ scheme, opaque, authority, path, query }: Parts): string => {
  const asked = query === undefined ? '' : `?${query}`;
  const before = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') return before + opaque + asked;
  const start = before + authorityText(authority, path);
  const end = written(path, PATH);
  // A colon in the first segment of a relative path would read as a scheme.
  const guard = start === '' && cut(end, '/')[0].includes(':') ? './' : '';
  return start + guard + end + asked;
};

const authorityText = (authority: Authority | undefined, path: string): string => {
  if (!authority) return '';
  const { user, host } = authority;
  if (host === '' && !user && path === '') return '';
  return `//${user ? userText(user) : ''}${escaped(host, HOST)}`;
};

const userText = ({ name, password }: NonNullable<GoUrl['user']>): string =>
  `${escaped(name, USER)}${password === undefined ? '' : `:${escaped(password, USER)}`}@`;
