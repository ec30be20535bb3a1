// Runs the test runner on a small suite in which everything that can go wrong does.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const repository = join(import.meta.dirname, '../..');
let folder: string;
let run: { status: number | null; stdout: string; stderr: string };

const SUITE = {
  'vitest.config.ts': `
    import { defineConfig } from 'vitest/config';
    export default defineConfig({ test: {
      reporters: ['default', '${repository}/test/kit/closing-line-reporter.ts'],
      setupFiles: ['${repository}/test/setup-open-handles.ts'],
    } });`,
  'mixed.test.ts': `
    import { expect, it } from 'vitest';
    it('passes', () => {});
    it('fails', () => expect(1).toBe(2));
    it('is skipped', (context) => context.skip('kubectl is not installed'));`,
  'unloadable.test.ts': `import './no-such-file.ts';`,
  'leaking.test.ts': `
    import { it } from 'vitest';
    import { systemClock } from '${repository}/src/lib/clock.ts';
    it('leaves a timer', () => { systemClock.after(60_000, () => {}); });`,
};

/** One that notes what users are told, and tells them nothing. */
const SILENT_SUITE = {
  'vitest.config.ts': `
    import { defineConfig } from 'vitest/config';
    export default defineConfig({ test: {
      reporters: ['${repository}/test/kit/closing-line-reporter.ts'],
      globalSetup: ['${repository}/test/kit/said-set-up.ts'],
    } });`,
  'one.test.ts': `import { it } from 'vitest'; it('passes', () => {});`,
  'other.test.ts': `import { it } from 'vitest'; it('passes too', () => {});`,
};

type Run = typeof run;
const runSuite = (name: string, files: Readonly<Record<string, string>>, ...args: readonly string[]): Run => {
  const root = join(folder, name);
  mkdirSync(root, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, file), text);
  const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
  return spawnSync(process.execPath, [vitest, 'run', '--root', root, ...args], { encoding: 'utf8' });
};
const lastLine = ({ stdout }: Run): string | undefined => stdout.trimEnd().split('\n').at(-1);

beforeAll(() => {
  // Inside the repository, so that the suite finds the packages.
  mkdirSync(join(repository, '.cache'), { recursive: true });
  folder = mkdtempSync(join(repository, '.cache/suite-'));
  run = runSuite('mixed', SUITE);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a test run', () => {
  it('ends with the counts, of files that do not load and hooks that fail as well', () => {
    expect(lastLine(run)).toBe('2 passed, 3 failed, 1 skipped');
    expect(run.status).toBe(1);
  });

  it('names what was skipped and why', () => {
    expect(run.stdout).toContain('skipped: mixed.test.ts: is skipped: kubectl is not installed');
  });

  it('fails when a test file leaves a timer behind, naming the place', () => {
    expect(run.stderr).toMatch(/left open by this test file[^]*a timer, src\/lib\/clock\.ts:\d+/);
  });
});

describe('a run of all tests that note what users are told', () => {
  it('fails by each sentence that was promised and not said', () => {
    const whole = runSuite('silent', SILENT_SUITE);
    expect(whole.stdout).toMatch(/^environment-succeeded \(backend 5\.6\) was never said: /m);
    expect(lastLine(whole)).toMatch(/^2 passed, [1-9]\d* failed, 0 skipped$/);
    expect(whole.status).toBe(1);
  });

  it.each([['one.test.ts'], ['-t', 'too']])('says nothing of it when only a part is run (%s)', (...part) => {
    const some = runSuite('silent', SILENT_SUITE, ...part);
    expect(lastLine(some)).toMatch(/^1 passed, 0 failed, \d skipped$/);
    expect(some.status).toBe(0);
  });
});
