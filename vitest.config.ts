// How the tests are run: files beside the code and under test/, one PostgreSQL for all of them.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/kit/database-server.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
