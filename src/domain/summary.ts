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
