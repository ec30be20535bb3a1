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

beforeAll(() => {
  // Inside the repository, so that the suite finds the packages.
  mkdirSync(join(repository, '.cache'), { recursive: true });
  folder = mkdtempSync(join(repository, '.cache/suite-'));
  for (const [name, text] of Object.entries(SUITE)) writeFileSync(join(folder, name), text);
  const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
  run = spawnSync(process.execPath, [vitest, 'run', '--root', folder], { encoding: 'utf8' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a test run', () => {
  it('ends with the counts, of files that do not load and hooks that fail as well', () => {
    expect(run.stdout.trimEnd().split('\n').at(-1)).toBe('2 passed, 3 failed, 1 skipped');
    expect(run.status).toBe(1);
  });

  it('names what was skipped and why', () => {
    expect(run.stdout).toContain('skipped: mixed.test.ts: is skipped: kubectl is not installed');
  });

  it('fails when a test file leaves a timer behind, naming the place', () => {
    expect(run.stderr).toMatch(/left open by this test file[^]*a timer, src\/lib\/clock\.ts:\d+/);
  });
});
