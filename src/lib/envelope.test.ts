import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKeyring, plainKeyring, type Keyring, type SealingKey } from './envelope.ts';
import { isFault } from './fault.ts';

const key = (id: string, byte = id.charCodeAt(0)): SealingKey => ({ id, key: Buffer.alloc(32, byte) });
const secret = 'canary-s3cret';
const keyring = createKeyring([key('b'), key('a')]);
const older = createKeyring([key('a')]);

/** Reason and message of the refusal. */
const refusal = (ring: Keyring, sealed: string): readonly string[] => {
  try {
    return ['opened', ring.open(sealed)];
  } catch (error) {
    if (!isFault(error, 'internal')) throw error;
    return [error.reason, error.message];
  }
};

/** The sealed text with one bit of its nonce, tag or cipher text another way. */
const tampered = (sealed: string, byte: number): string => {
  const [, head = '', body = ''] = /^(.*:)([^:]+)$/.exec(sealed) ?? [];
  const bytes = Buffer.from(body, 'base64');
  bytes.writeUInt8(bytes.readUInt8(byte) ^ 1, byte);
  return `${head}${bytes.toString('base64')}`;
};

describe('a sealed text', () => {
  it.each([secret, 'ä€😀', ' ', '\n', 'x'.repeat(10_000)])('is opened again as it was: %.10s', (text) => {
    expect(keyring.open(keyring.seal(text))).toBe(text);
  });

  it('names its key and shows nothing else', () => {
    const sealed = keyring.seal(secret);
    expect(sealed).toMatch(/^sealed:v1:b:[A-Za-z0-9+/]+=*$/);
    expect(Buffer.from(sealed.split(':')[3] ?? '', 'base64').toString('latin1')).not.toContain(secret);
  });

  it('is another one each time, so that nobody sees who has the same', () => {
    expect(keyring.seal(secret)).not.toBe(keyring.seal(secret));
  });

  it('of an older key is opened, and is stale', () => {
    const sealed = older.seal(secret);
    expect([keyring.open(sealed), keyring.isStale(sealed), older.isStale(sealed)]).toEqual([secret, true, false]);
  });

  it('is not stale under the first key', () => {
    expect(keyring.isStale(keyring.seal(secret))).toBe(false);
  });

  it.each([
    ['nonce', 0],
    ['tag', 12],
    ['tag', 27],
    ['cipher text', 28],
  ])('with a bit of its %s changed (byte %i) is refused, not read', (_part, byte) => {
    const [reason, message] = refusal(keyring, tampered(keyring.seal(secret), byte));
    expect([reason, message]).toEqual(['SealBroken', expect.stringContaining('"b"')]);
    expect(message).not.toContain(secret);
  });

  it('that was cut short is refused', () => {
    const body = Buffer.from(keyring.seal(secret).split(':')[3] ?? '', 'base64');
    for (const length of [1, 12, 16, 28, body.length - 1]) {
      const cut = `sealed:v1:b:${body.subarray(0, length).toString('base64')}`;
      expect(refusal(keyring, cut)[0], `${length} bytes`).toBe('SealBroken');
    }
  });

  it('is refused under another key of the same name', () => {
    expect(refusal(createKeyring([key('b', 1)]), keyring.seal(secret))[0]).toBe('SealBroken');
  });

  it('whose key was renamed is refused, even where the key is the same: the name is sealed with it', () => {
    const both = createKeyring([key('a', 7), key('b', 7)]);
    expect(refusal(both, both.seal(secret).replace(':a:', ':b:'))[0]).toBe('SealBroken');
  });

  it.each([
    ['without keys', plainKeyring],
    ['with other keys', createKeyring([key('c')])],
  ])('is never given out as it is %s: the fault names the key', (_what, ring) => {
    const sealed = keyring.seal(secret);
    const [reason, message = ''] = refusal(ring, sealed);
    expect([reason, message]).toEqual(['KeyMissing', expect.stringContaining('"b"')]);
    expect(message).not.toContain(sealed.slice(12));
  });
});

describe('a text that was kept before there were keys', () => {
  it.each([secret, 'sealed:', 'sealed:v1:', 'sealed:v2:b:AAAA', 'sealed:v1:b:ä', ' sealed:v1:b:AAAA'])(
    'is given as it is, and is stale: %s',
    (text) => {
      expect([keyring.open(text), keyring.isStale(text)]).toEqual([text, true]);
      expect([plainKeyring.open(text), plainKeyring.isStale(text)]).toEqual([text, false]);
    },
  );

  it('stays empty where it is empty', () => {
    expect([keyring.seal(''), keyring.open(''), keyring.isStale('')]).toEqual(['', '', false]);
  });
});

describe('what stands for a hash', () => {
  const hash = createHash('sha256').update(secret).digest('hex');

  it('is the hash where there are no keys', () => {
    expect([plainKeyring.fingerprints(hash), createKeyring([]).fingerprints(hash)]).toEqual([[hash], [hash]]);
  });

  it('can not be made without the key, and says nothing of the hash', () => {
    const [kept] = keyring.fingerprints(hash);
    expect(kept).toMatch(/^hmac:[\w-]{43}$/);
    expect(kept).not.toBe(createKeyring([key('b', 1)]).fingerprints(hash)[0]);
    // Not with the sealing key itself either: that one is for sealing alone.
    expect(kept).not.toContain(createHash('sha256').update(hash).digest('base64url'));
  });

  it('is the same each time, and another one for another hash', () => {
    expect(keyring.fingerprints(hash)).toEqual(createKeyring([key('b'), key('a')]).fingerprints(hash));
    expect(keyring.fingerprints(`${hash}0`)[0]).not.toBe(keyring.fingerprints(hash)[0]);
  });

  it('is recognised when it was kept under an older key, or without one', () => {
    const [, ...former] = keyring.fingerprints(hash);
    expect(former).toEqual([older.fingerprints(hash)[0], hash]);
  });
});
