// What is known of a check outside: whether credentials work is asked of the other side, never inside of a pass.

/** The last result of a check. */
export interface CheckFacts {
  /** Of what was checked: about anything else it says nothing. */
  readonly inputHash: string;
  /** '' when all was well. */
  readonly reason: string;
  readonly message: string;
  /** UTC text. */
  readonly at: string;
}

/** Rules that an operator sets. Milliseconds. */
export interface CheckSettings {
  /** How long a result counts before it is asked for again. */
  readonly recheckMs: number;
}

/** What checks are judged by. */
export interface CheckRules extends CheckSettings {
  /**
   * How the hash of an input is kept, which is made from secrets: first as it is to be, then as it may have been before the
   * key was exchanged.
   */
  readonly fingerprints: (hash: string) => readonly [string, ...string[]];
}

/** What a pass needs of a check: is it to be asked for, and what does it say as long as that takes? */
export interface CheckVerdict {
  /** True when it has to be asked for, because the input is new or the result is old. */
  readonly ask: boolean;
  /** Undefined while nothing is known about this input. */
  readonly result: CheckFacts | undefined;
}

/** What is asked about now. */
export interface CheckInput {
  readonly inputHash: string;
  /** When the token that was checked ends; undefined for what lasts. */
  readonly expiresAtMs?: number | undefined;
}

/** Judges the last result for an input at time `nowMs`. */
export const judgeCheck = (
  check: CheckFacts | undefined,
  input: CheckInput,
  { nowMs, recheckMs }: { readonly nowMs: number; readonly recheckMs: number },
): CheckVerdict => {
  if (check?.inputHash !== input.inputHash) return { ask: true, result: undefined };
  return { ask: Date.parse(check.at) + lifeOf(check, input, recheckMs) <= nowMs, result: check };
};

/** What did not work is tried again sooner: most often somebody is mending it. */
const FAILED_RECHECK_MS = 60_000;

/** How long a result counts: never longer than half of what was left of the token then, so that it is renewed in time. */
const lifeOf = (check: CheckFacts, { expiresAtMs }: Pick<CheckInput, 'expiresAtMs'>, recheckMs: number): number => {
  if (check.reason !== '') return Math.min(recheckMs, FAILED_RECHECK_MS);
  if (expiresAtMs === undefined) return recheckMs;
  return Math.min(recheckMs, Math.max((expiresAtMs - Date.parse(check.at)) / 2, FAILED_RECHECK_MS));
};

/** When to look again although nothing changes, in milliseconds: the result gets old then. Undefined without a result. */
export const nextCheckLook = (
  check: CheckFacts | undefined,
  input: Pick<CheckInput, 'expiresAtMs'>,
  { nowMs, recheckMs }: { readonly nowMs: number; readonly recheckMs: number },
): number | undefined => check && Math.max(1000, Date.parse(check.at) + lifeOf(check, input, recheckMs) - nowMs);
