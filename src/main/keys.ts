// `managed-gitops keys rotate`: encrypts what the database holds with the first of the keys.
import { checkSchema } from '../db/schema.ts';
import { plainHashes, sealedValues, type SealedValues } from '../db/queries/sealed.ts';
import type { Database } from '../db/pool.ts';
import type { Keyring } from '../lib/envelope.ts';
import { Fault, isFault } from '../lib/fault.ts';
import { readKeyring } from './encryption.ts';
import { databaseConnection, openDatabase } from './platform.ts';
import { announce, type ProcessKind } from './process-kind.ts';
import { keysSettings } from './settings.ts';

const PAGE = 200;

/** What a rotation has done. */
export interface Rotation {
  /** Secrets that are encrypted with the first key now, and were not before. */
  readonly count: number;
  /** What is left as it was, one fault for each secret that can't be opened. */
  readonly faults: readonly Fault[];
}

/**
 * Encrypts anew what is kept under another key, or not encrypted; hashes that were kept without a key get one. Processes may
 * run meanwhile. One secret that can't be opened does not keep the others from it.
 */
export const rotateKeys = async (db: Database, keyring: Keyring): Promise<Rotation> => {
  const faults: Fault[] = [];
  const reseal = (kept: string): string => {
    if (!keyring.isStale(kept)) return kept;
    try {
      return keyring.seal(keyring.open(kept));
    } catch (error) {
      if (!isFault(error)) throw error;
      faults.push(error);
      return kept;
    }
  };
  let count = 0;
  for (const values of sealedValues) count += await rotateColumn(db, values, reseal);
  for (const values of plainHashes) await rotateColumn(db, values, (hash) => keyring.fingerprints(hash)[0]);
  return { count, faults };
};

/** How many were changed. */
const rotateColumn = async (db: Database, values: SealedValues, renew: (kept: string) => string): Promise<number> => {
  let count = 0;
  let afterId = '';
  for (;;) {
    const page = await values.page(db, afterId, PAGE);
    const renewed = page
      .map(({ id, sealed: before }) => ({ id, before, sealed: renew(before) }))
      .filter(({ before, sealed }) => sealed !== before);
    if (renewed.length > 0) await values.replace(db, renewed);
    count += renewed.length;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return count;
    afterId = last.id;
  }
};

/** The rotation, as a command that ends. */
export const rotateProcess: ProcessKind<typeof keysSettings> = {
  summary: 'Encrypt what the database holds with the first key of the file; the other keys can go from it afterwards.',
  schema: keysSettings,
  async run(settings, _environment, ignored) {
    const platform = announce({ name: 'keys', schema: keysSettings, ignored }, settings);
    const { values } = settings;
    if (values.encryptionKeyFile === '') {
      throw new Fault('user', 'InvalidSetting', 'keys rotate needs --encryption-key-file');
    }
    const keyring = readKeyring(values);
    const database = openDatabase(platform, databaseConnection(values), 'keys');
    try {
      await checkSchema(database.pool, platform);
      const { count, faults } = await rotateKeys(database.pool, keyring);
      platform.log.info('what was kept otherwise is encrypted with the first key now', { count });
      if (faults[0]) throw faults[0];
    } finally {
      await database.pool.stop();
    }
  },
};
