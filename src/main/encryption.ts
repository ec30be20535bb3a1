// The keys that secrets in the database are encrypted with, from a file that the operator gives.
import { createKeyring, type Keyring, type SealingKey } from '../lib/envelope.ts';
import type { Logger } from '../lib/log.ts';
import { invalidSetting as invalid, readSettingFile } from './setting-file.ts';

/** What decides about encryption. */
export interface EncryptionSettings {
  /** '' for none. */
  readonly encryptionKeyFile: string;
  readonly compat?: 'none' | 'original';
}

const KEY_BYTES = 32;

/**
 * The keyring of a process. The file has a key in each line, `<name>:<32 bytes in base64>`, the one that is written with
 * first; empty lines and those that begin with `#` don't count.
 * @throws Fault('user', 'InvalidSetting') naming the line, never what stands in it.
 */
export const readKeyring = ({ encryptionKeyFile: file, compat }: EncryptionSettings, log?: Logger): Keyring => {
  if (file === '') {
    log?.warn('no --encryption-key-file: tokens, passwords and keys of tenants are kept in the database as they are');
    return createKeyring([]);
  }
  if (compat === 'original') {
    throw invalid(
      '--encryption-key-file and --compat=original exclude each other: the original would hand what is encrypted to Argo CD',
    );
  }
  const keys = parseKeys(readSettingFile('encryption-key-file', file), file);
  if (keys.length === 0) throw invalid(`${file} has no key; write one as <name>:<32 bytes in base64>`);
  return createKeyring(keys);
};

const parseKeys = (text: string, file: string): readonly SealingKey[] => {
  const keys = text.split('\n').flatMap((line, index): SealingKey[] => {
    const written = line.trim();
    if (written === '' || written.startsWith('#')) return [];
    const [, id, encoded = ''] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]+={0,2})$/.exec(written) ?? [];
    const key = Buffer.from(encoded, 'base64');
    if (id === undefined || key.length !== KEY_BYTES) {
      throw invalid(`line ${index + 1} of ${file} is no key; write it as <name>:<32 bytes in base64>`);
    }
    return [{ id, key }];
  });
  const twice = keys.find(({ id }, index) => keys.findIndex((one) => one.id === id) !== index);
  if (twice) throw invalid(`${file} has two keys called ${twice.id}`);
  return keys;
};
