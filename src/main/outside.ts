// What the backend asks of other clusters and of Git servers, as the settings allow it.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialMessages } from '../api/messages.ts';
import { userFault } from '../api/reasons.ts';
import { createAddressGuard, type AddressGuard } from '../backend/address-guard.ts';
import { checkRepository, type GitCheckContext } from '../backend/git-check.ts';
import type { Outside } from '../backend/outside-lanes.ts';
import { checkEnvironment, removeServiceAccount } from '../backend/remote-cluster.ts';
import type { SettingValues } from '../lib/config.ts';
import { Fault, isFault, messageOf } from '../lib/fault.ts';
import type { Part } from '../runtime/process.ts';
import type { Platform } from './platform.ts';
import type { backendSettings } from './settings.ts';

type Settings = Pick<
  SettingValues<typeof backendSettings>,
  'allowedAddresses' | 'checkDeadlineMs' | 'gitKnownHosts' | 'gitCaFile' | 'gitPath' | 'httpRepositories'
>;

/** Creates it, and the part that keeps its folder for keys and removes that in the end. */
export const createOutside = (
  platform: Platform,
  settings: Settings,
): { readonly outside: Outside; readonly part: Part } => {
  const addresses = createAddressGuard(settings.allowedAddresses);
  const { checkDeadlineMs: deadlineMs } = settings;
  const remote = { ...platform, addresses, deadlineMs };
  let folder: Promise<string> | undefined;
  const git = async (): Promise<GitCheckContext> => ({
    ...platform,
    deadlineMs,
    allowHost: (host) => allowHost(addresses, host),
    knownHosts: settings.gitKnownHosts === '' ? '' : readText(settings.gitKnownHosts),
    allowHttp: settings.httpRepositories,
    caFile: settings.gitCaFile,
    searchPath: settings.gitPath,
    folder: await (folder ??= mkdtemp(join(tmpdir(), 'managed-gitops-git-'))),
  });
  return {
    outside: {
      checkCluster: (wish, of) => checkEnvironment(remote, wish, of),
      removeAccount: (account, signal) => removeServiceAccount(remote, { ...account, signal }),
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

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Fault('user', 'InvalidSetting', `the file of --git-known-hosts can't be read: ${messageOf(error)}`);
  }
};

/** The rule for clusters, for the host of a repository. A name that has no address is left to git, which says so. */
const allowHost = async (addresses: AddressGuard, host: string): Promise<void> => {
  try {
    addresses.check(host);
    await new Promise<void>((resolve, reject) => {
      addresses.lookup(host, { all: true }, (error) => (isFault(error) ? reject(error) : resolve()));
    });
  } catch (error) {
    if (!isFault(error, 'user')) throw error;
    const cause = error.message.replace('the API URL leads', 'it leads');
    throw userFault('InvalidRepositoryUrl', credentialMessages.noRepository(cause));
  }
};
