// A folder for a run of the tests, in which they note what the API server was told for users to read.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  /** What the global set-up tells the tests. */
  export interface ProvidedContext {
    /** The run's folder. */
    saidFolder: string;
  }
}

/** Makes the folder before the first test file; what it returns removes it after the last. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const folder = await mkdtemp(join(tmpdir(), 'managed-gitops-said-'));
  project.provide('saidFolder', folder);
  return () => rm(folder, { recursive: true, force: true });
};
