import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { isFault } from '../lib/fault.ts';
import { readKeyring } from './encryption.ts';

const one = Buffer.alloc(32, 1).toString('base64');
const two = Buffer.alloc(32, 2).toString('base64');

let file: string;
beforeAll(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'keys-')), 'keys');
});
afterAll(() => rm(join(file, '..'), { recursive: true }));

const read = async (text: string) => {
  await writeFile(file, text);
  return readKeyring({ encryptionKeyFile: file });
};
const refusal = async (text: string): Promise<string> => {
  try {
    await read(text);
  } catch (error) {
    if (isFault(error, 'user') && error.reason === 'InvalidSetting') return error.message;
    throw error;
  }
  throw new Error('it was taken');
};

describe('a file of keys', () => {
  it('seals with its first key and opens with each', async () => {
    const former = await read(`2025:${two}\n`);
    const keyring = await read(`# since May\n\n  2026:${one}  \r\n2025:${two}`);
    expect(keyring.seal('text')).toMatch(/^sealed:v1:2026:/);
    expect(keyring.open(former.seal('text'))).toBe('text');
  });

  it('as openssl makes it is taken, with or without its padding', async () => {
    const bare = one.replace('=', '');
    expect((await read(`k:${bare}`)).open((await read(`k:${one}\n`)).seal('text'))).toBe('text');
  });

  it.each([
    ['too short', Buffer.alloc(31, 1).toString('base64')],
    ['too long', Buffer.alloc(33, 1).toString('base64')],
    ['in hex', Buffer.alloc(32, 1).toString('hex')],
    ['something else', 'a secret of mine'],
  ])('with a key that is %s is refused by its line, without what stands there', async (_what, text) => {
    const message = await refusal(`# keys\nk1:${one}\nk2:${text}\n`);
    expect(message).toContain('line 3');
    expect(message).toContain(file);
    expect(message).not.toContain(text);
    expect(message).not.toContain('k2');
  });

  it.each([
    ['no name', one],
    ['an empty name', `:${one}`],
    ['a name with a colon', `a:b:${one}`],
    ['a name that is too long', `${'x'.repeat(33)}:${one}`],
  ])('with a key of %s is refused, without the key', async (_what, line) => {
    const message = await refusal(`${line}\n`);
    expect(message).toContain('line 1');
    expect(message).not.toContain(one);
  });

  it('with two keys of one name is refused', async () => {
    expect(await refusal(`k1:${one}\nk1:${two}\n`)).toContain('two keys called k1');
  });

  it('without a key is refused', async () => {
    expect(await refusal('# none yet\n\n')).toContain('has no key');
  });

  it('that is not there is refused, with its name', () => {
    expect(() => readKeyring({ encryptionKeyFile: '/nowhere/keys' })).toThrow(
      /--encryption-key-file can't be read: .*ENOENT.*\/nowhere\/keys/,
    );
  });

  it('is refused beside the original, which would hand what is encrypted to Argo CD', () => {
    const settings = { encryptionKeyFile: file, compat: 'original' } as const;
    expect(() => readKeyring(settings)).toThrow('--encryption-key-file and --compat=original exclude each other');
  });
});

describe('without a file', () => {
  it('texts are kept as they are, and the log says so', () => {
    const { log, lines } = capturedLog();
    expect(readKeyring({ encryptionKeyFile: '', compat: 'original' }, log).seal('text')).toBe('text');
    expect(lines).toMatchObject([{ level: 'warn', msg: expect.stringContaining('no --encryption-key-file') }]);
  });
});
