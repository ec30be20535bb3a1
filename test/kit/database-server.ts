// One PostgreSQL for a whole test run; each test file makes databases of its own on it.
import type { TestProject } from 'vitest/node';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startDatabase } from '../../src/sandbox/database.ts';

declare module 'vitest' {
  /** What the global set-up tells the tests; `inject('databaseServerUrl')` reads it. */
  export interface ProvidedContext {
    /** The superuser's URL of the run's PostgreSQL. */
    databaseServerUrl: string;
  }
}

/** A vacuum clears the locks that rows bore, and to fingerprints that is a write. */
export const noVacuum = { autovacuum: 'off' } as const;

/**
 * Starts the server before the first test file; what it returns stops it after the last.
 * `TEST_POSTGRESQL=system` or `=package` insists on one of the two sources.
 */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const database = await startDatabase({
    clock: systemClock,
    random: systemRandom,
    source: sourceOf(process.env['TEST_POSTGRESQL']),
    searchPath: process.env['PATH'],
    settings: { max_connections: '200', ...noVacuum },
  });
  project.provide('databaseServerUrl', database.url);
  return database.stop;
};

const sourceOf = (value: string | undefined): 'system' | 'package' | undefined => {
  if (value === undefined || value === 'system' || value === 'package') return value;
  throw new Error(`TEST_POSTGRESQL is "system" or "package", not "${value}"`);
};
