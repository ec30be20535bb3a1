// Why git could not read a repository: from what it printed to a sentence, Argo CD's own where it has one. Pure.
import { redactGitUrl } from './git-url.ts';

/** Git's words, and those of Argo CD, which speaks Git by a library. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(Authentication failed for|could not read (Username|Password) for) /, 'authentication required'],
  [/^unable to access .*: The requested URL returned error: 401/, 'authentication required'],
  [/^unable to access .*: The requested URL returned error: 403/, 'authorization failed'],
  [/^repository '.*' not found$/, 'repository not found'],
  [
    /Permission denied \(/,
    'ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain',
  ],
  [/^Host key verification failed/, 'ssh: handshake failed: knownhosts: key is unknown'],
];

const FAILURE = /^(fatal|error|ERROR): /;

/** The line that says why: git's own complaint, or ssh's where git only says that it could not read. */
const lineIn = (stderr: string): string => {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const failure = lines.find((line) => FAILURE.test(line));
  const ssh = lines.find((line) => /Permission denied \(|^Host key verification failed/.test(line));
  const isSsh = failure === undefined || failure.includes('Could not read from remote repository');
  return (isSsh ? ssh : undefined) ?? failure ?? lines.at(-1) ?? 'no reason given';
};

/** The reason, without "fatal:" and without a password. */
export const gitReason = (stderr: string): string => {
  const line = lineIn(stderr).replace(FAILURE, '');
  return WORDS.find(([pattern]) => pattern.test(line))?.[1] ?? redactGitUrl(line);
};
