// Ends a test run with what was skipped and why, and the line that machines read: N passed, N failed, N skipped.
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

/** What a run came to. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** One sentence for each skipped test. */
  readonly skipped: readonly string[];
}

/**
 * Counts tests by their result. A file that doesn't load, a hook that fails and an error outside any test count as one
 * failure each: no test of theirs would show it.
 */
export const tally = (modules: readonly TestModule[], strayErrors: readonly SerializedError[]): Tally => {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  const inState = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
  return {
    passed: inState('passed').length,
    failed: inState('failed').length + suites.flatMap((suite) => suite.errors()).length + strayErrors.length,
    skipped: inState('skipped').map(explain),
  };
};

const explain = (test: TestCase): string => {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  return `${test.module.relativeModuleId}: ${test.fullName}${note ? `: ${note}` : ''}`;
};

/** The reporter's class, as the test runner wants it: the default export. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], strayErrors: readonly SerializedError[]): void {
    const { passed, failed, skipped } = tally(modules, strayErrors);
    const lines = skipped.map((sentence) => `skipped: ${sentence}`);
    process.stdout.write([...lines, `${passed} passed, ${failed} failed, ${skipped.length} skipped`, ''].join('\n'));
  }
}
