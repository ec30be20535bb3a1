// Git URLs: which ones the engine talks to, and when two of them mean the same repository.

const SCP_LIKE = /^[\w.-]+@[\w.-]+:(?!\/\/)/;
const SUPPORTED = /^(?:https?|ssh|file):\/\/|^\//;

/** Whether the engine talks to this URL: https, http, ssh (also `user@host:path`), file, or an absolute path. */
export const isSupportedGitUrl = (url: string): boolean => SUPPORTED.test(url) || SCP_LIKE.test(url);

/**
 * The form in which Argo CD compares repositories: lower case, without `.git`, `user@host:path` and `ssh://` alike.
 */
export const normalizeGitUrl = (url: string): string => {
  let text = url.trim().toLowerCase();
  if (SCP_LIKE.test(text)) text = text.replace(':', '/');
  return text.replace(/^ssh:\/\//, '').replace(/\.git$/, '');
};

/** A URL without the user and password in it, for messages. */
export const redactGitUrl = (text: string): string => text.replace(/(\w+:\/\/)[^/\s@]+@/g, '$1***@');
