// A folder of repositories for Git servers of tests to serve.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGitRepository } from './git-repository.ts';

/** Makes the bare repositories `<name>.git`, each with one commit. Returns the folder, which the test removes. */
export const makeServedFolder = async (...names: readonly string[]): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'served-'));
  const repository = await createGitRepository();
  await repository.commit({ 'app.yaml': 'a: 1\n' });
  for (const name of names) {
    await repository.git('clone', '--quiet', '--bare', repository.folder, join(folder, `${name}.git`));
  }
  await repository.remove();
  return folder;
};
