import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { createKnownHosts } from './known-hosts.ts';

let folder = '';
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'known-hosts-'))));
afterAll(() => rm(folder, { recursive: true }));

describe('the keys of Git servers', () => {
  test('are refused at the start when their file is not there', () => {
    const { log } = capturedLog();
    expect(() => createKnownHosts({ log }, join(folder, 'nowhere'))).toThrow(
      expect.objectContaining({
        kind: 'user',
        reason: 'InvalidSetting',
        message: expect.stringMatching(/^the file of --git-known-hosts can't be read: ENOENT/),
      }),
    );
  });

  test('are those of the file as it is now, and those read last while it is away', async () => {
    const { log, lines } = capturedLog();
    const file = join(folder, 'known_hosts');
    await writeFile(file, 'one');
    const knownHosts = createKnownHosts({ log }, file);
    expect(knownHosts()).toBe('one');
    await writeFile(file, 'two');
    expect(knownHosts()).toBe('two');
    await rm(file);
    expect(knownHosts()).toBe('two');
    expect(knownHosts()).toBe('two');
    await writeFile(file, '\n');
    expect(knownHosts(), 'none at all would be any').toBe('two');
    expect(lines, 'once').toMatchObject([
      { level: 'warn', msg: 'the keys of Git servers that were read before are used' },
    ]);
    await writeFile(file, 'three');
    expect(knownHosts()).toBe('three');
  });

  test('are refused at the start when there are none', async () => {
    const file = join(folder, 'empty');
    await writeFile(file, '\n');
    expect(() => createKnownHosts(capturedLog(), file)).toThrow('the file of --git-known-hosts has no key');
  });

  test('are none without a file', () => {
    expect(createKnownHosts(capturedLog(), '')()).toBe('');
  });
});
