// A private Git repository: a copy of the sample one, which a server on loopback shows over HTTPS to those with a login.
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import type { Random } from '../lib/random.ts';
import { createServerCertificate } from './apiserver/http/certificate.ts';
import { startGitHttpServer } from './git-http-server.ts';
import { createSampleRepository } from './sample-repository.ts';

/** The repository while its server runs. */
export interface PrivateRepository {
  readonly url: string;
  /** Its bare repository on this machine, to which whoever may write to the folder can push. */
  readonly folder: string;
  /** The folder in it that is deployed. */
  readonly path: string;
  /** A file with the authorities that git may trust: all that this machine trusts, and the server's own. */
  readonly caFile: string;
  readonly login: { readonly username: string; readonly password: string };
  stop(): Promise<void>;
}

/** Makes the repository below `root`, an absolute path, and serves it. `searchPath` is a PATH, to find git. */
export const startPrivateRepository = async (
  root: string,
  { searchPath, random }: { readonly searchPath: string; readonly random: Random },
): Promise<PrivateRepository> => {
  const sampleFolder = join(root, 'sample');
  const folder = join(root, 'private.git');
  await mkdir(sampleFolder, { recursive: true });
  const { path } = await createSampleRepository(sampleFolder, searchPath);
  const env = { PATH: searchPath, HOME: root, GIT_CONFIG_NOSYSTEM: '1' };
  await promisify(execFile)('git', ['clone', '--quiet', '--bare', sampleFolder, folder], { env });
  await rm(sampleFolder, { recursive: true });
  const { ca, certificate, key } = createServerCertificate({ hosts: ['127.0.0.1'], random });
  const caFile = join(root, 'ca.pem');
  await writeFile(caFile, [...getCACertificates('bundled'), ...getCACertificates('system'), ca].join('\n'));
  const login = { username: 'demo', password: random.uuid() };
  const server = await startGitHttpServer(root, { searchPath, login, tls: { cert: certificate, key } });
  return { url: `${server.url}/private.git`, folder, path, caFile, login, stop: () => server.stop() };
};
