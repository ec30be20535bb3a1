// How the tests run: beside the code and under test/ on one PostgreSQL; the contract suite and the static checks without it.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    reporters: ['default', './test/kit/closing-line-reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/checks/**', 'test/contract/*.test.ts', 'test/e2e/**'],
          globalSetup: ['./test/kit/database-server.ts', './test/kit/said-set-up.ts'],
          setupFiles: ['./test/setup-open-handles.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['test/contract/*.test.ts'],
          globalSetup: ['./test/contract/set-up.ts'],
          setupFiles: ['./test/setup-open-handles.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'checks', include: ['test/checks/**/*.test.ts'], testTimeout: 120_000 },
      },
    ],
  },
});
