// How the end-to-end suite runs: on one real cluster, which is started once. `npm test` does not run it.
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { originalPrograms } from './swap/original.ts';

/** By name, and at the very end those who look at what the others did. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): string => `${moduleId.endsWith('/rights.test.ts')} ${moduleId}`;
    return files.toSorted((one, other) => (place(one) < place(other) ? -1 : 1));
  }
}

/** Where the original's programs are at hand. */
const swap = {
  extends: true,
  test: {
    name: 'swap',
    include: ['test/e2e/swap/**/*.test.ts'],
    globalSetup: ['./test/e2e/swap/set-up.ts'],
  },
} satisfies TestProjectConfiguration;

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    reporters: ['default', './test/kit/closing-line-reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // One file after the other: the teams of one are enough for two processors, and its times mean something.
    fileParallelism: false,
    sequence: { sequencer: ByName },
    projects: [
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/scenarios/**/*.test.ts'],
          globalSetup: ['./test/e2e/set-up.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['test/contract/*.test.ts'],
          globalSetup: ['./test/e2e/contract-set-up.ts'],
        },
      },
      ...(originalPrograms(process.env) ? [swap] : []),
    ],
  },
});
