// How an oracle says what is wrong.
import { isEqualJson } from '../../src/kube/patch.ts';

/** Something that has to hold, and what is said when it does not. */
export type Check = readonly [isRight: boolean, text: string];

/** The text, unless it holds. */
export const hold = (isRight: boolean, text: string): readonly string[] => (isRight ? [] : [text]);

/** Holds where the two are equal as JSON; says both where they are not. */
export const difference = (what: string, wanted: unknown, found: unknown): readonly Check[] => [
  [isEqualJson(wanted, found), `${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`],
];
