// The status of kinds that have conditions and nothing else. One writer for each kind.
import type { Condition } from '../runtime/conditions.ts';
import { setCondition } from '../runtime/conditions.ts';
import type { Summary } from '../domain/summary.ts';
import { rfc3339 } from '../lib/clock.ts';
import type { Announce, Conditioned } from './announce.ts';
import { createStatusWriter, type StatusWriter, type StatusWriterOptions } from './status-writer.ts';
import { isStandard, mergeSummary, troubleConditions, type StandardEntry } from './summary.ts';

/** What a pass has to tell about an object. */
export interface ConditionsEnd<T> {
  readonly object: T;
  /** The kind's own conditions; undefined where those that are there stay. */
  readonly own: readonly Condition[] | undefined;
  readonly summary: Summary;
}

/** What prevents a pass from reading its facts, and the pass's id. */
interface Trouble {
  readonly fault: unknown;
  readonly runId: string;
}

/** Writes statuses of one kind. */
export interface ConditionReporter<T extends Conditioned> extends Pick<StatusWriter<T>, 'isEcho' | 'forget'> {
  /** Patches the status where it differs. */
  report(end: ConditionsEnd<T>): Promise<void>;
  /** Says once of an object whose facts can't be read that it has been seen, and what its own conditions say of that. */
  reportTrouble(object: T, trouble: Trouble): Promise<void>;
}

/** What a reporter takes. */
export interface ConditionReporterOptions<T extends Conditioned> extends StatusWriterOptions<T> {
  readonly announce: Announce;
  /** Adds the standard conditions; without it they are taken away. */
  readonly standardConditions: boolean;
  /** The kind's own conditions of an object whose facts can't be read; undefined where those that are there stay. */
  readonly ownTrouble?: (object: T, trouble: Trouble) => readonly Condition[] | undefined;
}

/** Creates the reporter of a kind. */
export const createConditionReporter = <T extends Conditioned>(
  options: ConditionReporterOptions<T>,
): ConditionReporter<T> => {
  const { clock, announce, standardConditions } = options;
  const writer = createStatusWriter(options);
  const write = (object: T, conditions: readonly StandardEntry[]): Promise<void> =>
    writer.write(object, { conditions }, announce);
  return {
    isEcho: writer.isEcho,
    forget: writer.forget,
    async report({ object, own, summary }) {
      const nowText = rfc3339(clock.now());
      const present = object.status?.conditions ?? [];
      const told = own ? mergeOwn(present, own, nowText) : present;
      const generation = object.metadata.generation ?? 0;
      await write(
        object,
        standardConditions
          ? mergeSummary(told, summary, { nowText, generation, untold: '' })
          : told.filter(({ type }) => !isStandard(type)),
      );
    },
    async reportTrouble(object, trouble) {
      const nowText = rfc3339(clock.now());
      const own = options.ownTrouble?.(object, trouble);
      const present = object.status?.conditions ?? [];
      const told = own ? mergeOwn(present, own, nowText) : present;
      if (!standardConditions) {
        // Nothing tells of which version an own condition speaks: one that is there stays.
        if (own && present.length === 0) await write(object, told);
        return;
      }
      const withOwn = { ...object, status: { ...object.status, conditions: told } };
      const conditions = troubleConditions(withOwn, trouble, { nowText, untold: '' });
      if (conditions) await write(object, conditions);
    },
  };
};

/** The kind's own conditions as they are now, and the standard ones that are there; others go. */
const mergeOwn = (
  present: readonly StandardEntry[],
  own: readonly Condition[],
  nowText: string,
): readonly StandardEntry[] => {
  const kept = present.filter(({ type }) => isStandard(type) || own.some((one) => one.type === type));
  return own.reduce<readonly StandardEntry[]>(
    (list, next) => setCondition(list, next, { nowText, transition: 'content' }),
    kept,
  );
};
