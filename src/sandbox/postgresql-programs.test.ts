import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPostgresql } from './postgresql-programs.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'managed-gitops-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const install = async (version: string): Promise<void> => {
  for (const program of ['initdb', 'postgres', 'pg_ctl']) {
    await writeFile(join(folder, program), `#!/bin/sh\necho "${program} (PostgreSQL) ${version}"\n`);
    await chmod(join(folder, program), 0o755);
  }
};

describe('PostgreSQL', () => {
  it('is taken from the search path first', async () => {
    await install('16.3 (Debian 16.3-1)');
    const found = await findPostgresql({ searchPath: folder, copyTo: join(folder, 'copy') });
    expect(found).toEqual({ folder, version: '16.3' });
  });

  it('is passed over when it is older than the service needs', async () => {
    await install('14.12');
    const found = await findPostgresql({ searchPath: folder, copyTo: join(folder, 'copy') });
    expect(found.folder).not.toBe(folder);
  });

  it('is found through pg_config where its programs are in no PATH', async () => {
    await install('17beta2');
    const path = await mkdtemp(join(folder, 'path-'));
    await writeFile(join(path, 'pg_config'), `#!/bin/sh\necho ${folder}\n`);
    await chmod(join(path, 'pg_config'), 0o755);
    const found = await findPostgresql({ searchPath: path, copyTo: join(folder, 'copy') });
    expect(found).toEqual({ folder, version: '17beta2' });
  });

  it('is passed over when one of its programs is missing', async () => {
    await symlink('/bin/sh', join(folder, 'postgres'));
    const found = await findPostgresql({ searchPath: folder, copyTo: join(folder, 'copy') });
    expect(found.folder).not.toBe(folder);
  });

  it('comes from the package, complete, where the system has none or is not to be used', async () => {
    const found = await findPostgresql({ source: 'package', copyTo: join(folder, 'copy') });
    expect(found).toMatchObject({ folder: join(folder, 'copy', 'bin'), version: expect.stringMatching(/^18\./) });
  });
});
