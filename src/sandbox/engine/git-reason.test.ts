import { expect, test } from 'vitest';
import { gitReason } from './git-reason.ts';

const noSsh = 'fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\n';

test.each([
  ["fatal: Authentication failed for 'https://example.com/app/'\n", 'authentication required'],
  [
    "remote: Not Found\nfatal: could not read Username for 'https://example.com': terminal prompts disabled\n",
    'authentication required',
  ],
  [
    "fatal: unable to access 'https://example.com/app/': The requested URL returned error: 403\n",
    'authorization failed',
  ],
  ["fatal: repository 'https://example.com/app/' not found\n", 'repository not found'],
  [
    `git@example.com: Permission denied (publickey).\r\n${noSsh}`,
    'ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain',
  ],
  [`Host key verification failed.\r\n${noSsh}`, 'ssh: handshake failed: knownhosts: key is unknown'],
  [
    `fatal: unable to access 'https://me:secret@example.com/': broken\n`,
    "unable to access 'https://***@example.com/': broken",
  ],
  ['', 'no reason given'],
])('%j means: %s', (stderr, reason) => {
  expect(gitReason(stderr)).toBe(reason);
});
