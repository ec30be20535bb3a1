// The keys of Git servers that are reached by ssh, from a file that the operator gives.
import type { Logger } from '../lib/log.ts';
import { readSettingFile } from './setting-file.ts';

/**
 * Creates the reader of the keys of Git servers; '' reads none. The file is read each time, since it may be exchanged while
 * the process runs. If it can't be read then, what was read last stands: that is no tenant's fault.
 * @throws Fault('user', 'InvalidSetting') when it can't be read at first.
 */
export const createKnownHosts = ({ log }: { readonly log: Logger }, file: string): (() => string) => {
  if (file === '') return () => '';
  let last = readSettingFile('git-known-hosts', file);
  return () => {
    try {
      last = readSettingFile('git-known-hosts', file);
    } catch (error) {
      log.warn('the keys of Git servers that were read before are used', { err: error });
    }
    return last;
  };
};
