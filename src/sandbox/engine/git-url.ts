// Git URLs: which ones the engine talks to, and when two of them mean the same repository.
import { GoUrlError, parseUrl } from '../../lib/go-url.ts';

const SCP_LIKE = /^[\w.-]+@[\w.-]+:(?!\/\/)/;
const SUPPORTED = /^(?:https?|ssh|file):\/\/|^\//;

/** Whether the engine talks to this URL: https, http, ssh (also `user@host:path`), file, or an absolute path. */
export const isSupportedGitUrl = (url: string): boolean => SUPPORTED.test(url) || SCP_LIKE.test(url);

/**
 * The form in which Argo CD compares repositories: lower case, without `.git`, `user@host:path` and `ssh://` alike.
 */
export const normalizeGitUrl = (url: string): string => {
  const text = url
    .trim()
    .toLowerCase()
    .replace(/\.git$/, '');
  if (SCP_LIKE.test(text)) return text.replace(':', '/');
  return asGoWrites(text).replace(/^ssh:\/\//, '');
};

/** A URL as Argo CD's language writes it: what may not stand in one is percent-encoded. No URL stays as it is. */
const asGoWrites = (text: string): string => {
  try {
    return parseUrl(text).text;
  } catch (error) {
    if (error instanceof GoUrlError) return text;
    throw error;
  }
};

/** A URL without the user and password in it, for messages. */
export const redactGitUrl = (text: string): string => text.replace(/(\w+:\/\/)[^/\s@]+@/g, '$1***@');
