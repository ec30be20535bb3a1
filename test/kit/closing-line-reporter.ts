// Ends a test run with what was skipped and why, and the line that machines read: N passed, N failed, N skipped.
import type { Reporter, SerializedError, TestCase, TestModule, TestProject, Vitest } from 'vitest/node';
import { brokenPromises, readPromises } from './promised.ts';
import { readSaid } from './said-files.ts';

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

/**
 * What users were promised to read and did not, after a run of all tests of the project that notes what is said. A run of a
 * part, or one that failed, shows nothing.
 */
const unkept = async (project: TestProject | undefined, modules: readonly TestModule[]): Promise<readonly string[]> => {
  const folder = project?.getProvidedContext().saidFolder;
  if (!project || folder === undefined || project.vitest.config.testNamePattern) return [];
  const ran = new Set(modules.filter((module) => module.project === project).map(({ moduleId }) => moduleId));
  const { testFiles } = await project.globTestFiles();
  return testFiles.every((file) => ran.has(file)) ? brokenPromises(readPromises(), readSaid(folder)) : [];
};

/** The reporter's class, as the test runner wants it: the default export. */
export default class ClosingLineReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  async onTestRunEnd(modules: readonly TestModule[], strayErrors: readonly SerializedError[]): Promise<void> {
    const { passed, failed, skipped } = tally(modules, strayErrors);
    const project = this.#vitest?.projects.find((one) => one.getProvidedContext().saidFolder !== undefined);
    const broken = failed === 0 ? await unkept(project, modules) : [];
    if (broken.length > 0) process.exitCode = 1;
    const lines = [...broken, ...skipped.map((sentence) => `skipped: ${sentence}`)];
    const counts = `${passed} passed, ${failed + broken.length} failed, ${skipped.length} skipped`;
    process.stdout.write([...lines, counts, ''].join('\n'));
  }
}
