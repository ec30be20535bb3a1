// The standard conditions in a list of conditions.
import { standardConditions } from '../api/conditions.ts';
import { unknownError } from '../api/messages.ts';
import { troubleSummary, type Summary } from '../domain/summary.ts';
import type { KubeObject } from '../kube/object.ts';
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

/** An object with conditions. */
type Conditioned = KubeObject & {
  readonly status?: { readonly conditions?: readonly StandardEntry[] | undefined } | undefined;
};

/**
 * The conditions of an object whose facts can't be read: they say that its change has been seen and is being tried.
 * Undefined once that, or more, has been said of this version of the object.
 */
export const troubleConditions = (
  { metadata, status }: Conditioned,
  trouble: { readonly fault: unknown; readonly runId: string },
  when: { readonly nowText: string; readonly untold?: string },
): readonly StandardEntry[] | undefined => {
  const present = status?.conditions ?? [];
  const said = present.find(({ type }) => type === 'Ready');
  if (said?.observedGeneration === metadata.generation) return undefined;
  return mergeSummary(present, troubleSummary(trouble), { ...when, generation: metadata.generation ?? 0 });
};

/** The run id in the message of an internal error stays that of the first run: each retry would else be a write. */
const keepRunId = (present: readonly StandardEntry[], summary: Summary): Summary => {
  const said = present.find((condition) => condition.type === 'Ready');
  const same = said?.reason === summary.reason && said.message?.startsWith(`${unknownError} (run `);
  return same && summary.message.startsWith(unknownError) ? { ...summary, message: said?.message ?? '' } : summary;
};
