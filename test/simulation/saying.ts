// How an oracle says what is wrong.
import { isRecord } from '../../src/kube/json.ts';
import { isEqualJson } from '../../src/kube/patch.ts';

/** Something that has to hold, and what is said when it does not. */
export type Check = readonly [isRight: boolean, text: string];

/** The text, unless it holds. */
export const hold = (isRight: boolean, text: string): readonly string[] => (isRight ? [] : [text]);

/** Holds where the two are equal as JSON; one sentence for each member that is not. */
export const difference = (what: string, wanted: unknown, found: unknown): readonly Check[] => {
  if (isEqualJson(wanted, found)) return [];
  if (!isRecord(wanted) || !isRecord(found)) {
    return [[false, `${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`]];
  }
  const names = new Set([...Object.keys(wanted), ...Object.keys(found)]);
  return [...names].flatMap((name) => difference(`${what}.${name}`, wanted[name], found[name]));
};
