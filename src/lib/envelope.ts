// Secrets at rest: encrypted texts that name their key, so that keys can be exchanged one by one.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Fault } from './fault.ts';

/** Encrypts what is written and decrypts what is read. */
export interface Keyring {
  /** The text as it is to be kept: encrypted with the first key, as it is where there is no key. '' stays ''. */
  seal(text: string): string;
  /**
   * The text that was sealed. One that was kept without encryption is given as it is.
   * @throws Fault('internal', 'KeyMissing' | 'SealBroken'), without the text.
   */
  open(sealed: string): string;
  /** True for a text that `seal` would keep in another way: under another key, or not encrypted yet. */
  isStale(sealed: string): boolean;
  /**
   * What stands for a hash over secrets in the database. With keys nobody can try there, without them, which secret it
   * was. The first is how it is to be kept; the others are how it may have been kept, under the other keys and as it is.
   */
  fingerprints(hash: string): Fingerprints;
}

/** At least one. */
export type Fingerprints = readonly [string, ...string[]];

/** A key for AES-256: its name, of letters, digits, `-` and `_`, and 32 bytes. */
export interface SealingKey {
  readonly id: string;
  readonly key: Buffer;
}

/** `sealed:v1:<key id>:<base64 of nonce, tag and cipher text>` */
const SEALED = /^sealed:v1:([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]+=*)$/;
/** True for what `open` would take for encrypted. Who has such a secret can't have it kept: without keys nobody could read it. */
export const isSealed = (text: string): boolean => SEALED.test(text);

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Keeps texts as they are, and reads no others. */
export const plainKeyring: Keyring = {
  seal: (text) => text,
  open: (sealed) => open([], sealed),
  isStale: () => false,
  fingerprints: (hash) => [hash],
};

/** Seals with the first of the keys, and opens with each. Without any it is `plainKeyring`. */
export const createKeyring = (keys: readonly SealingKey[]): Keyring => {
  const [first] = keys;
  if (!first) return plainKeyring;
  const [mark, ...marks] = [fingerprintWith(first), ...keys.slice(1).map(fingerprintWith)];
  return {
    seal: (text) => (text === '' ? '' : seal(first, text)),
    open: (sealed) => open(keys, sealed),
    isStale: (sealed) => sealed !== '' && SEALED.exec(sealed)?.[1] !== first.id,
    fingerprints: (hash) => [mark(hash), ...marks.map((one) => one(hash)), hash],
  };
};

/** By a key of its own (RFC 5869): the one that seals texts does nothing else. 48 characters, fewer than a SHA-256 in hex. */
const fingerprintWith = ({ key }: SealingKey): ((hash: string) => string) => {
  const own = Buffer.from(hkdfSync('sha256', key, '', 'managed-gitops fingerprint', 32));
  return (hash) => `hmac:${createHmac('sha256', own).update(hash).digest('base64url')}`;
};

const seal = ({ id, key }: SealingKey, text: string): string => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(id));
  const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return `sealed:v1:${id}:${Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64')}`;
};

const open = (keys: readonly SealingKey[], sealed: string): string => {
  const [, id, body] = SEALED.exec(sealed) ?? [];
  if (id === undefined || body === undefined) return sealed;
  const found = keys.find((one) => one.id === id);
  if (!found)
    throw new Fault(
      'internal',
      'KeyMissing',
      `a secret in the database is encrypted with the key "${id}", which is not given`,
    );
  const bytes = Buffer.from(body, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', found.key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(id));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const text = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    throw new Fault('internal', 'SealBroken', `a secret in the database can't be decrypted with the key "${id}"`);
  }
};
