// What the three standard conditions of an object say together. Pure.
import type { StandardCondition } from '../api/conditions.ts';
import { unknownError } from '../api/messages.ts';
import { isFault } from '../lib/fault.ts';

/** The condition that is True (none of them for a plain not-ready), and why. */
export interface Summary {
  readonly holds: StandardCondition | undefined;
  readonly reason: string;
  readonly message: string;
}

/** Somebody has to mend something. */
export const stalled = (reason: string, message: string): Summary => ({ holds: 'Stalled', reason, message });

/** It goes on by itself. */
export const reconciling = (reason: string, message: string): Summary => ({ holds: 'Reconciling', reason, message });

/** What is said when a pass ended with a fault that is not the user's. */
export const troubleSummary = ({ fault, runId }: { readonly fault: unknown; readonly runId: string }): Summary => {
  if (isFault(fault, 'waiting')) return reconciling(fault.reason, fault.message);
  const reason = isFault(fault) ? fault.reason : 'Unexpected';
  return reconciling(reason, `${unknownError} (run ${runId}); it is being tried again`);
};

/** What a pass over an object with credentials ended with. */
export interface CheckedObject {
  readonly object: {
    readonly metadata: { readonly deletionTimestamp?: string; readonly finalizers?: readonly string[] };
  };
  readonly fault: unknown;
  readonly runId: string;
}

/** What is said of an object whose credentials are checked; `good` when the pass ended well. */
export const checkedSummary = ({ object, fault, runId }: CheckedObject, good: Omit<Summary, 'holds'>): Summary => {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  if (deletionTimestamp !== undefined) {
    const waits = `nothing is left to be done; the object itself waits for its finalizers ${finalizers.join(', ')}`;
    return reconciling('DeletionBlocked', waits);
  }
  if (isFault(fault, 'user')) return stalled(fault.reason, fault.message);
  if (fault !== undefined) return troubleSummary({ fault, runId });
  return { holds: 'Ready', ...good };
};
