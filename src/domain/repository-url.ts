// Which URLs mean the same repository: the key under which a tenant's AppProject permits it. Both halves, and databases
// that already exist, hold such keys, so the rule is kept to the letter, and goes by Go's way with texts and URLs.
import { GoUrlError, parseUrl } from '../lib/go-url.ts';

/**
 * The key of a repository's URL: lower case, without `.git`, `ssh://` and the blanks around it, with
 * `git@host:path` written as `git@host/path`. '' when it is no URL. Not for talking to Git: paths lose their case.
 */
export const normalizeGitUrl = (url: string): string => {
  const plain = lowerCase(withoutBlanksAround(url));
  const isShort = SSH.test(plain) && !plain.startsWith('ssh://');
  const full = (isShort ? `ssh://${plain.replace(':', '/')}` : plain).replace(/\.git$/, '');
  try {
    return parseUrl(full).text.replace(/^ssh:\/\//, '');
  } catch (error) {
    if (error instanceof GoUrlError) return '';
    throw error;
  }
};

/** Longest key that the rows hold, in characters. */
export const MAX_REPOSITORY_KEY = 512;

/** The URL for messages: over HTTP without user and password, one of which may be a token, else without password. */
export const shownUrl = (url: string): string =>
  url.replace(/^(https?:\/\/)[^/?]*@/i, '$1').replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?:@]*):[^/?]*@/i, '$1@');

const SSH = /^(ssh:\/\/)?([^/:]*?)@[^@]+$/;

/** Go's idea of a blank is Unicode's: `trim()` would also take the byte order mark, and leave U+0085. */
const withoutBlanksAround = (text: string): string => {
  const isBlank = (at: number): boolean => /^\p{White_Space}$/u.test(text.charAt(at));
  let [start, end] = [0, text.length];
  while (start < end && isBlank(start)) start += 1;
  while (start < end && isBlank(end - 1)) end -= 1;
  return text.slice(start, end);
};

/** Character by character, as Go does it: no final sigma, no second character for `İ`. */
const lowerCase = (text: string): string =>
  Array.from(text, (character) => String.fromCodePoint(character.toLowerCase().codePointAt(0) ?? 0)).join('');
