// Files that settings name.
import { readFileSync } from 'node:fs';
import { Fault, messageOf } from '../lib/fault.ts';

/** A setting that can't be used, as whoever set it reads it. */
export const invalidSetting = (message: string): Fault => new Fault('user', 'InvalidSetting', message);

/**
 * The text of the file that a flag names.
 * @throws Fault('user', 'InvalidSetting') when it can't be read.
 */
export const readSettingFile = (flag: string, file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalidSetting(`the file of --${flag} can't be read: ${messageOf(error)}`);
  }
};
