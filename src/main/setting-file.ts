// Files that settings name.
import { readFileSync } from 'node:fs';
import { Fault, messageOf } from '../lib/fault.ts';

/**
 * The text of the file that a flag names.
 * @throws Fault('user', 'InvalidSetting') when it can't be read.
 */
export const readSettingFile = (flag: string, file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Fault('user', 'InvalidSetting', `the file of --${flag} can't be read: ${messageOf(error)}`);
  }
};
