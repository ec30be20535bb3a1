// Gives git what it needs to read a private repository, for one run: a header from its environment, a key from a file.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Repository } from './repository.ts';

/** Runs `use` with the variables that let git in; what was written for them is gone when it ends. */
export type WithAccess = <T>(
  repository: Repository,
  use: (env: Readonly<Record<string, string>>) => Promise<T>,
) => Promise<T>;

/** What Argo CD calls itself where it has a password only. */
const NAMELESS = 'x-access-token';

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const loginHeader = ({ url, username, password }: Repository): Record<string, string> => {
  const server = URL.parse(url)?.origin;
  if (server === undefined) return {}; // git says so itself
  const login = Buffer.from(`${username || NAMELESS}:${password}`).toString('base64');
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${server}/.extraHeader`, // for this server only
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${login}`,
  };
};

/** Creates the function; `sshCommand` is what ssh is called with besides the key, `cacheDir` a folder of the engine's own. */
export const createGitAccess = (given: { readonly cacheDir: string; readonly sshCommand: string }): WithAccess => {
  const withKey: WithAccess = async ({ sshPrivateKey }, use) => {
    const folder = await mkdtemp(path.join(given.cacheDir, 'key-'));
    try {
      const file = path.join(folder, 'key');
      const text = sshPrivateKey.endsWith('\n') ? sshPrivateKey : `${sshPrivateKey}\n`;
      await writeFile(file, text, { mode: 0o600 });
      return await use({ GIT_SSH_COMMAND: `${given.sshCommand} -o IdentitiesOnly=yes -i ${quoted(file)}` });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  return (repository, use) => {
    const { url, username, password, sshPrivateKey } = repository;
    if (/^https?:/i.test(url)) return use(username || password ? loginHeader(repository) : {});
    return sshPrivateKey ? withKey(repository, use) : use({});
  };
};
