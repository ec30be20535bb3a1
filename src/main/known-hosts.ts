// The keys of Git servers that are reached by ssh, from a file that the operator gives.
import type { Logger } from '../lib/log.ts';
import { invalidSetting, readSettingFile } from './setting-file.ts';

const FLAG = 'git-known-hosts';

/**
 * Creates the reader of the keys of Git servers; without a file there are none. The file is read each time, since it may be
 * exchanged while the process runs. If it can't be read then, or is empty, what was read last stands: without keys any server
 * would be taken.
 * @throws Fault('user', 'InvalidSetting') when there are none at first.
 */
export const createKnownHosts = ({ log }: { readonly log: Logger }, file: string): (() => string) => {
  if (file === '') return () => '';
  let last = readKeys(file);
  let isAway = false;
  return () => {
    try {
      last = readKeys(file);
      isAway = false;
    } catch (error) {
      if (!isAway) log.warn('the keys of Git servers that were read before are used', { err: error });
      isAway = true;
    }
    return last;
  };
};

const readKeys = (file: string): string => {
  const text = readSettingFile(FLAG, file);
  if (text.trim() === '') throw invalidSetting(`the file of --${FLAG} has no key`);
  return text;
};
