// What the embedded server is known not to do, by the test that shows it on a real one.

/** A promise that the embedded server does not keep, and why. */
export interface Difference {
  /** The name of the test. */
  readonly test: string;
  readonly reason: string;
}

/** All of them; the table in `docs/sandbox.md` says the same. */
export const differences: readonly Difference[] = [];
