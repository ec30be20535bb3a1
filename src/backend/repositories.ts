// The repositories that a tenant's project may read: allowed with the first use, taken with the last.
import { forbidRepositories, selectRepositoryUses } from '../db/queries/application.ts';
import type { Queryable } from '../db/pool.ts';
import { normalizeGitUrl } from '../domain/repository-url.ts';
import { readSpecField } from '../domain/spec-field.ts';

/** The normalised URL of the repository in a `spec_field`; '' for a text that is damaged: it holds nothing to release. */
export const repositoryInSpecField = (specField: string): string => {
  try {
    return normalizeGitUrl(readSpecField(specField).source.repoURL);
  } catch {
    return '';
  }
};

/** Takes a repository from the tenant's project unless another application or a credential of the tenant uses it. */
export const releaseRepository = async (tx: Queryable, userId: string, url: string): Promise<void> => {
  if (url === '') return;
  const uses = await selectRepositoryUses(tx, userId, [url]);
  const used = uses.some(
    (use) => normalizeGitUrl(use.url ?? '') === url || repositoryInSpecField(use.specField ?? '') === url,
  );
  if (!used) await forbidRepositories(tx, userId, [url]);
};
