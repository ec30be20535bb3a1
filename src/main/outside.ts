// What the backend asks of other clusters and of Git servers, as the settings allow it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialMessages } from '../api/messages.ts';
import { internalFault, userFault } from '../api/reasons.ts';
import { createAddressGuard, type AddressGuard } from '../backend/address-guard.ts';
import { checkRepository, type GitCheckContext } from '../backend/git-check.ts';
import type { Outside } from '../backend/outside-lanes.ts';
import { checkEnvironment, removeServiceAccount } from '../backend/remote-cluster.ts';
import type { SettingValues } from '../lib/config.ts';
import { isFault, messageOf, type Fault } from '../lib/fault.ts';
import type { Part } from '../runtime/process.ts';
import type { Platform } from './platform.ts';
import { createKnownHosts } from './known-hosts.ts';
import { readSettingFile } from './setting-file.ts';
import type { backendSettings } from './settings.ts';

type Settings = Pick<
  SettingValues<typeof backendSettings>,
  'allowedAddresses' | 'checkDeadlineMs' | 'gitKnownHosts' | 'gitCaFile' | 'gitPath' | 'httpRepositories'
>;

/**
 * Creates it, and the part that keeps its folder for keys and removes that in the end.
 * @throws Fault('user', 'InvalidSetting') when a file that the settings name can't be read.
 */
export const createOutside = (
  platform: Platform,
  settings: Settings,
): { readonly outside: Outside; readonly part: Part } => {
  const { allowedAddresses, checkDeadlineMs: deadlineMs } = settings;
  const remote = { ...platform, addresses: createAddressGuard(allowedAddresses), deadlineMs };
  const repositories = createAddressGuard(allowedAddresses, { refusal: repositoryRefusal });
  const knownHosts = createKnownHosts(platform, settings.gitKnownHosts);
  const caFile = createCaFile(settings.gitCaFile);
  let folder: Promise<string> | undefined;
  const git = async (): Promise<GitCheckContext> => ({
    ...platform,
    deadlineMs,
    allowHost: (host) => allowHost(repositories, host),
    knownHosts: knownHosts(),
    allowHttp: settings.httpRepositories,
    caFile: caFile(),
    searchPath: settings.gitPath,
    folder: await (folder ??= mkdtemp(join(tmpdir(), 'managed-gitops-git-'))),
  });
  return {
    outside: {
      checkCluster: (wish, of) => checkEnvironment(remote, wish, of),
      removeAccount: (account, signal) => removeServiceAccount(remote, account, signal),
      checkRepository: async (wish, signal) => checkRepository(await git(), wish, signal),
    },
    part: {
      name: 'outside',
      start: () => undefined,
      async stop() {
        if (folder) await rm(await folder, { recursive: true, force: true });
      },
    },
  };
};

/**
 * Gives the file of authorities, which git reads itself: one that has gone would look like a fault of the server. @throws Fault
 */
const createCaFile = (file: string): (() => string) => {
  const read = (): string => readSettingFile('git-ca-file', file);
  if (file !== '') read();
  return () => {
    try {
      if (file !== '') read();
    } catch (error) {
      throw internalFault('GitAuthoritiesUnreadable', messageOf(error), error);
    }
    return file;
  };
};

const repositoryRefusal = (what: string): Fault =>
  userFault('InvalidRepositoryUrl', credentialMessages.noRepository(`it leads to ${what}, which is not allowed here`));

/** Refuses the host of a repository that may not be connected to. A name that has no address is left to git, which says so. */
const allowHost = async (addresses: AddressGuard, host: string): Promise<void> => {
  addresses.check(host);
  await new Promise<void>((resolve, reject) => {
    addresses.lookup(host, { all: true }, (error) => (isFault(error) ? reject(error) : resolve()));
  });
};
