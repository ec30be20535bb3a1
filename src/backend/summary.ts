// The standard conditions in a list of conditions.
import { standardConditions } from '../api/conditions.ts';
import { unknownError } from '../api/messages.ts';
import type { Summary } from '../domain/summary.ts';
import { setCondition, type Condition } from '../runtime/conditions.ts';

/** A condition with the generation that it was made from. */
export type StandardEntry = Condition & { readonly observedGeneration?: number | undefined };

/** True for the type of a standard condition. */
export const isStandard = (type: string): boolean => standardConditions.some((one) => one === type);

/**
 * The list with the three standard conditions as `summary` has them. `Ready`, and the one that holds, tell the message;
 * the others have the text `untold`, or none.
 */
export const mergeSummary = (
  present: readonly StandardEntry[],
  summary: Summary,
  when: { readonly nowText: string; readonly generation: number; readonly untold?: string },
): readonly StandardEntry[] => {
  const { holds, reason, message } = keepRunId(present, summary);
  return standardConditions.reduce<readonly StandardEntry[]>((list, type) => {
    const text = type === 'Ready' || type === holds ? message : when.untold;
    const status = type === holds ? 'True' : 'False';
    const next = { type, status, reason, ...(text !== undefined && { message: text }) };
    return setCondition(list, { ...next, observedGeneration: when.generation }, when);
  }, present);
};

/** The run id in the message of an internal error stays that of the first run: each retry would else be a write. */
const keepRunId = (present: readonly StandardEntry[], summary: Summary): Summary => {
  const said = present.find((condition) => condition.type === 'Ready');
  const same = said?.reason === summary.reason && said.message?.startsWith(`${unknownError} (run `);
  return same && summary.message.startsWith(unknownError) ? { ...summary, message: said?.message ?? '' } : summary;
};
