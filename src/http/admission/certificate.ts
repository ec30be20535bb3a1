// The certificate of the admission server: read from a folder, and read again, so that a renewed one is taken without a restart.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../../lib/fault.ts';
import type { Logger } from '../../lib/log.ts';

/** A certificate, perhaps with those above it, and its key, as PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Where the certificate comes from. */
export interface CertificateFolder {
  /**
   * Looks at the files. A pair that is new and can be used, else undefined: nothing has changed, or the files are missing
   * or broken, which is said once.
   */
  look(): Promise<KeyPair | undefined>;
}

const readOrNone = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    // Not there yet, or not mounted yet.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return '';
    throw error;
  }
};

/** Why a pair can't be used; undefined where it can. */
const problemOf = ({ cert, key }: KeyPair): string | undefined => {
  try {
    void new X509Certificate(cert); // an empty or other text would be no certificate, and no error below
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
};

/** Creates the reader of `tls.crt` and `tls.key` in a folder. */
export const createCertificateFolder = ({
  folder,
  log,
}: {
  readonly folder: string;
  readonly log: Logger;
}): CertificateFolder => {
  let known: KeyPair = { cert: '', key: '' };
  let hasUsable = false;
  let said = '';

  /** Before the first certificate nothing is wrong: perhaps nobody wants admission to be served. */
  const sayOnce = (what: string): void => {
    if (said === what) return;
    said = what;
    log[hasUsable ? 'warn' : 'info'](what);
  };

  const read = async (): Promise<KeyPair | undefined> => {
    const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    const cert = await readOrNone(certFile);
    const key = await readOrNone(keyFile);
    // Files that were exchanged in between don't belong together; the next look sees both.
    return (await readOrNone(certFile)) === cert ? { cert, key } : undefined;
  };

  const judge = (found: KeyPair): KeyPair | undefined => {
    if (found.cert === '' || found.key === '') {
      const until = hasUsable ? 'the last one is kept' : 'admission is not served until there are';
      sayOnce(`there are no tls.crt and tls.key for admission in ${folder}: ${until}`);
      return undefined;
    }
    if (found.cert === known.cert && found.key === known.key) return undefined;
    known = found;
    const problem = problemOf(found);
    if (problem !== undefined) {
      const until = hasUsable ? 'the last one is kept' : 'admission is not served';
      log.error(`the certificate for admission in ${folder} can not be used, ${until}: ${problem}`);
      return undefined;
    }
    const until = new X509Certificate(found.cert).validTo;
    log.info(`${hasUsable ? 'a new' : 'the'} certificate for admission was taken, valid until ${until}`);
    hasUsable = true;
    said = '';
    return found;
  };

  return {
    async look() {
      try {
        const found = await read();
        return found && judge(found);
      } catch (error) {
        sayOnce(`the certificate for admission in ${folder} can not be read: ${messageOf(error)}`);
        return undefined;
      }
    },
  };
};
