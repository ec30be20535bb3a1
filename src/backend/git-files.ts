// What a check of a repository needs on disk: a folder of its own with two programs, and maybe a key, for as long as it runs.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';

/** The files. All may be read by this process's user only. */
export interface GitFiles {
  /** Where git works; ssh finds key and known hosts in it by their names. */
  readonly folder: string;
  /** An empty folder. */
  readonly home: string;
  /** Starts git. */
  readonly git: string;
  /** Starts ssh, with git's arguments after its own. */
  readonly ssh: string;
}

/** What ssh is given besides; '' where there is none. */
export interface SshTexts {
  readonly privateKey: string;
  readonly knownHosts: string;
}

/**
 * Git keeps a server's whole answer in memory, so it gets 512 MiB of address space and no more; measured, 24 are enough to
 * read one branch, and 64 for a hundred thousand. A system whose shell can't limit it goes on without.
 */
const GIT_PROGRAM = `#!/bin/sh
ulimit -v 524288 2>/dev/null || :
exec git "$@"
`;

/**
 * The key of the folder and no other: no agent, no configuration, nothing asked. Names of files are relative to the folder
 * git is started in, because a path could hold what ssh reads as something else.
 */
const sshProgram = ({ privateKey, knownHosts }: SshTexts): string => {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    `IdentityFile=${privateKey === '' ? 'none' : KEY}`,
    'PreferredAuthentications=publickey',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    'ProxyCommand=none',
    'ControlMaster=no',
    'ControlPath=none',
    'UpdateHostKeys=no',
    'GlobalKnownHostsFile=/dev/null',
    `UserKnownHostsFile=${knownHosts === '' ? '/dev/null' : KNOWN_HOSTS}`,
    `StrictHostKeyChecking=${knownHosts === '' ? 'no' : 'yes'}`,
    'LogLevel=ERROR',
  ];
  return `#!/bin/sh\nexec ssh -F none ${options.map((option) => `-o ${option}`).join(' ')} "$@"\n`;
};

const KEY = 'key';
const KNOWN_HOSTS = 'known_hosts';

/**
 * Makes the folder below `context.folder`, runs `use`, and removes it, however `use` ends. A folder that can't be removed
 * is a line in the log.
 */
export const withGitFiles = async <T>(
  context: { readonly folder: string; readonly random: Random; readonly log: Logger },
  ssh: SshTexts,
  use: (files: GitFiles) => Promise<T>,
): Promise<T> => {
  const folder = join(context.folder, `git-${context.random.uuid()}`);
  const files = { folder, home: join(folder, 'home'), git: join(folder, 'run-git'), ssh: join(folder, 'run-ssh') };
  await mkdir(folder, { mode: 0o700 });
  try {
    await mkdir(files.home, { mode: 0o700 });
    await writeFile(files.git, GIT_PROGRAM, { mode: 0o700 });
    await writeFile(files.ssh, sshProgram(ssh), { mode: 0o700 });
    if (ssh.privateKey !== '') await writeFile(join(folder, KEY), ended(ssh.privateKey), { mode: 0o600 });
    if (ssh.knownHosts !== '') await writeFile(join(folder, KNOWN_HOSTS), ended(ssh.knownHosts), { mode: 0o600 });
    return await use(files);
  } finally {
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) =>
      context.log.warn('the folder of a check of a repository could not be removed', { reason: messageOf(error) }),
    );
  }
};

/** A text whose last line has its end: ssh reads no key without. */
const ended = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);
