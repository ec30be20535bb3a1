// Git servers that show nothing to somebody without a login or a key: one over HTTPS, one over ssh, both on loopback.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemRandom } from '../../src/lib/random.ts';
import { createServerCertificate } from '../../src/sandbox/apiserver/http/certificate.ts';
import { startGitHttpServer } from '../../src/sandbox/git-http-server.ts';
import { createSshKey, startGitSshServer } from '../kit/git-ssh-server.ts';
import type { ArgoCdOptions } from './argo-cd.ts';

/** A Git server: the folder of its repositories, and the URL that stands for the folder. */
export interface GitPlace {
  readonly root: string;
  readonly url: string;
}

/** Two servers over the same repositories, what lets one in, and what there is to know of them. */
export interface PrivateGit {
  readonly https: GitPlace;
  readonly login: { readonly username: string; readonly password: string };
  readonly ssh: GitPlace;
  /** Private keys; either one will do. */
  readonly keys: { readonly ed25519: string; readonly rsa: string };
  /** A file: the authority of the certificate, as PEM. */
  readonly caFile: string;
  /** A file: the key of the ssh server, as in ssh's `known_hosts`. */
  readonly knownHostsFile: string;
}

const HOST = '127.0.0.1';

/** Starts both; the stack stops them. Their files are below `temporary`. Gives also what Argo CD has to trust. */
export const startPrivateGit = async (
  stack: AsyncDisposableStack,
  temporary: string,
): Promise<{ readonly privateGit: PrivateGit; readonly trusted: ArgoCdOptions['trusted'] }> => {
  const root = join(temporary, 'private-git');
  await mkdir(root);
  const { ca, certificate, key } = createServerCertificate({ hosts: [HOST], random: systemRandom });
  const login = { username: 'team', password: systemRandom.uuid() };
  const https = await startGitHttpServer(root, {
    searchPath: process.env['PATH'] ?? '',
    host: HOST,
    tls: { cert: certificate, key },
    login,
  });
  stack.defer(https.stop);
  const [ed25519, rsa] = [createSshKey('ed25519'), createSshKey('rsa')];
  const ssh = await startGitSshServer(root, [ed25519, rsa]);
  stack.defer(ssh.stop);
  const [caFile, knownHostsFile] = [join(temporary, 'git-ca.pem'), join(temporary, 'git-known-hosts')];
  await writeFile(caFile, ca);
  await writeFile(knownHostsFile, ssh.knownHosts);
  return {
    privateGit: {
      https: { root, url: https.url },
      login,
      ssh: { root, url: `ssh://git@${HOST}:${ssh.port}` },
      keys: { ed25519: ed25519.private, rsa: rsa.private },
      caFile,
      knownHostsFile,
    },
    trusted: { authorities: { [HOST]: ca }, knownHosts: ssh.knownHosts },
  };
};
